//! The sandbox: runs plugins as WebAssembly components that can reach nothing but their arguments.
//!
//! `runtime` knows wasmtime and what a component may spend; it knows no contract. `provider` knows `wit/provider` and
//! turns domain values into its records and back; `policy` does so for `wit/policy`. None knows storage or a clock.
//! [`samples`] are bundles to ask any plugin about, and [`purity`] asks them more than once. [`Plugins`] loads plugins, [`Plugin`] calls one, and [`Interpreter`] runs policies.

pub mod bounded_file;
mod policy;
mod provider;
pub mod purity;
mod runtime;
pub mod samples;

pub use policy::interpreter::Interpreter;
pub use policy::interpreter::PolicyAnswers;
pub use policy::interpreter::ScriptReport;
pub use provider::bundled::BUNDLED;
pub use provider::bundled::BundledPlugin;
pub use provider::connector::PluginConnector;
pub use provider::contract::EXPECTED;
pub use provider::contract::Interfaces;
pub use provider::grants::GrantBounds;
pub use provider::grants::Grants;
pub use provider::grants::PACKAGE_SECTION;
pub use provider::grants::ReadLimits;
pub use provider::grants::package_section;
pub use provider::load::Options;
pub use provider::load::Origin;
pub use provider::load::Plugins;
pub use provider::parts::PluginParts;
pub use provider::plugin::Plugin;
pub use provider::plugin_file::PluginFile;
pub use provider::plugin_file::signature_path;
pub use provider::provider_api::ProviderApi;
pub use provider::request::PlanAnswer;
pub use provider::request::PlanRequest;
pub use provider::request::TimelineRequest;
pub use provider::signature::PublicKey;
pub use provider::signature::SigningKey;
pub use provider::signature::Trust;
pub use provider::table::BYTES_MAX as TABLE_BYTES_MAX;
pub use runtime::error::LoadError;
pub use runtime::error::PluginError;
pub use runtime::limits::Limits;
