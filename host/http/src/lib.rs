//! The admin API and the providers' own APIs, over HTTP.
//!
//! [`admin`] has the routes, [`kit`] what every route has in common, [`server`] listeners and TLS, and [`provider_api`]
//! the APIs that existing SDKs of the providers speak.

pub mod admin;
#[cfg(feature = "bench")]
pub mod bench;
pub mod kit;
pub mod provider_api;
pub mod server;
pub mod state;

/// What [`admin`] and [`provider_api`] make, and listeners serve: a service that answers requests.
pub use axum::Router;
