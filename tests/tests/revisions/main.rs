//! Revisions of plugins, in the real sandbox: installed stage by stage, tried in shadow, promoted and rolled back.

mod going_back;
mod grants;
mod housekeeping;
mod stages;
mod under_load;
mod upgrade;
mod uses;
mod world;
