//! Revisions of plugins, in the real sandbox: installed stage by stage, tried in shadow, promoted and rolled back.

mod stages;
mod under_load;
mod world;
