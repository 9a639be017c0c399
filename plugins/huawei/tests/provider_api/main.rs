//! Huawei Cloud's own API, asked the way the host asks it: who sent a request, what the plugin wants to know and done,
//! and what it answers.
//!
//! The host is made up (`world.rs`): it holds a few resources and says to commands what a test wants it to say. Every
//! table is a conversation: lines with `→` are what the plugin asks of the host, the last line is the answer, whole.

mod answers;
mod codes;
mod examples;
mod hostile;
mod properties;
mod signature;
mod world;
