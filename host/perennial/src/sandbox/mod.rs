//! The sandbox: plugins as WebAssembly components, which answer and have no powers.
//!
//! Knows wasmtime and `wit/provider`, and turns domain values into the contract's records and back, in one place.
//! Knows no storage and no clock; only the engine asks. Start with [`Plugins`], which loads, and [`Plugin`], which is
//! asked; `limits` says what a plugin may spend, `batch` who suffers when it spends more.

mod ask;
mod batch;
mod bindings;
mod bundled;
mod cache;
mod contract;
mod decode;
mod encode;
mod error;
mod limits;
mod load;
mod manifest;
mod plugin;
mod provider_api;
mod runtime;

pub use bundled::BUNDLED;
pub use bundled::Bundled;
pub use contract::EXPECTED;
pub use contract::Interfaces;
pub use contract::PROVIDER_API;
pub use error::LoadError;
pub use error::PluginError;
pub use limits::Limits;
pub use load::Options;
pub use load::Origin;
pub use load::Plugins;
pub use plugin::PlanRequest;
pub use plugin::Plugin;
pub use plugin::TimelineRequest;
pub use provider_api::ProviderApi;
