//! What the picture promises: over a year in which everything happens, and of parts of it on the pages of others.

mod fragment;
mod page;
