//! The sandbox: runs plugins as WebAssembly components that can reach nothing but their arguments.
//!
//! `runtime` knows wasmtime and what a component may spend; it knows no contract. `provider` knows `wit/provider` and
//! turns domain values into its records and back; `policy` does so for `wit/policy`. None knows storage or a clock.
//! [`Plugins`] loads plugins, [`Plugin`] calls one, and [`Interpreter`] runs policies.

mod policy;
mod provider;
mod runtime;

pub use policy::interpreter::Interpreter;
pub use policy::interpreter::PolicyAnswers;
pub use policy::interpreter::ScriptReport;
pub use provider::bundled::BUNDLED;
pub use provider::bundled::BundledPlugin;
pub use provider::connector::PluginConnector;
pub use provider::contract::EXPECTED;
pub use provider::contract::Interfaces;
pub use provider::load::Options;
pub use provider::load::Origin;
pub use provider::load::PluginFile;
pub use provider::load::Plugins;
pub use provider::load::signature_path;
pub use provider::parts::PluginParts;
pub use provider::plugin::Plugin;
pub use provider::provider_api::ProviderApi;
pub use provider::request::PlanAnswer;
pub use provider::request::PlanRequest;
pub use provider::request::TimelineRequest;
pub use provider::signature::PublicKey;
pub use provider::signature::SigningKey;
pub use provider::signature::Trust;
pub use runtime::error::LoadError;
pub use runtime::error::PluginError;
pub use runtime::limits::Limits;
