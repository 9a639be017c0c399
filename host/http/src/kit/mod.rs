//! What every route has in common: authentication, input, pages, problems, idempotent writes and views.

pub mod auth;
pub mod csv;
pub mod idempotent_write;
pub mod input;
pub mod middleware;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod request_metrics;
pub mod routes;
pub mod views;
