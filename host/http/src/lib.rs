//! The admin API, the console and the providers' own APIs, over HTTP.
//!
//! [`admin`] has one file per path of the admin API, [`console`] the pages for people, one file each, [`provider_api`] the
//! APIs that existing SDKs of the providers speak, and [`server`] listeners and TLS. The other modules are what routes
//! share: authentication, reading requests, idempotent writes, pages, problems and views.

pub mod admin;
mod asked_limits;
pub mod auth;
#[cfg(feature = "bench")]
pub mod bench;
pub(crate) mod body;
mod body_budget;
pub mod console;
pub mod csv;
mod deciding_revision;
pub mod faults;
mod health_probe;
mod host_header;
mod import_check;
pub mod input;
pub mod middleware;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod provider_api;
pub(crate) mod quotas;
mod refusal_budget;
pub(crate) mod refusals;
pub(crate) mod request_id;
pub(crate) mod request_metrics;
mod request_place;
mod resource_view;
pub(crate) mod route_table;
pub mod server;
pub mod state;
pub mod views;
pub mod write;

/// What [`admin`] and [`provider_api`] make, and listeners serve: a service that answers requests.
pub use axum::Router;
