//! The contract of `wit/provider`: loads plugins, calls them, and turns domain values into its records and back.

pub mod bindings;
pub mod bundled;
pub mod connector;
pub mod contract;
pub mod decode;
pub mod encode;
pub mod grants;
pub mod load;
pub mod manifest;
mod memory_peak;
pub mod named_accounts;
pub mod parts;
pub mod plugin;
pub mod plugin_file;
pub mod provider_api;
pub mod request;
pub mod signature;
pub mod table;
pub(crate) mod table_bindings;
