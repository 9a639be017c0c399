//! The sandbox: a plugin that loops, hoards, traps, lies about its contract or answers nonsense hurts nobody else.

mod cache;
mod code;
mod grants;
mod hostile;
mod loading;
mod memories;
mod policies;
mod tables;
mod world;
