//! The running host without HTTP: the writer thread, the readers, the job runner, metrics, admin tokens, provider keys,
//! secrets, webhooks, channels, and the calls to providers.
//!
//! Everything that serves is built on this crate. It has an error of its own, [`error::ServiceError`], and knows no
//! HTTP status.

pub mod admin_tokens;
pub mod calendar;
pub mod channels;
pub mod connections;
pub mod either;
pub mod error;
pub mod event_log;
pub(crate) mod event_publisher;
pub mod job_runner;
pub mod limits;
pub mod lookup;
pub mod memory;
pub mod metrics;
pub mod outbound;
pub mod provider_keys;
pub mod random_hex;
pub mod readers;
pub mod revision_install;
mod secret_digest;
pub mod secrets;
pub mod service;
pub mod signatures;
pub mod storage_state;
pub mod tls;
pub mod webhooks;
mod worker_pool;
pub mod writer;
mod writer_context;
