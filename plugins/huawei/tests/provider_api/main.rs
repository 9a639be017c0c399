//! Huawei Cloud's own API, called as the host calls it: the credentials, the steps and the response of each request.
//!
//! The host is a fake (`world.rs`): it has a few resources, and answers commands as a test sets it to. In the tables, lines
//! with `→` are the steps of the plugin, and the last line is the whole response.

mod account;
mod answers;
mod codes;
mod examples;
mod hostile;
mod properties;
mod signature;
mod world;
