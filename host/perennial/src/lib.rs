//! The host: it runs the clock, the storage and the money, and asks sandboxed plugins what each provider's rules say.
//!
//! Arrows go down: `cli` calls `engine`, `engine` calls `store` and `sandbox`, which never meet, and all of them use
//! the domain. `formats` holds the file formats, `report` what people look at.

pub mod api;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod endpoint;
pub mod engine;
pub mod forecast;
pub mod formats;
mod hex;
pub mod report;
pub mod sandbox;
pub mod secrets;
pub mod simulation;
pub mod store;
pub mod webhooks;
