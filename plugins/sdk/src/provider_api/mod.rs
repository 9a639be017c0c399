//! The plumbing of a provider's own API: everything that two providers would otherwise both write.
//!
//! A plugin implements [`Guest`]. Its `handle` calls [`replay::run`] with an operation that is written as if it could
//! call the host and wait. The rest is for reading requests ([`request`], [`body`], [`rfc3339`]), for asking the host
//! ([`filter`], [`mutation`]) and for answering with amounts ([`amount`]) or an error ([`error`]).
//!
//! Knows the contract, JSON and HTTP's encodings; knows no provider's paths, fields, codes or signatures.
//!
//! ```
//! use plugin_sdk::provider_api::replay::OperationResult;
//! use plugin_sdk::provider_api::replay::Replay;
//! use plugin_sdk::provider_api::mutation::UnexpectedOutcome;
//! use plugin_sdk::provider_api::replay::run;
//! use plugin_sdk::provider_api::Balance;
//! use plugin_sdk::provider_api::NextStep;
//! use plugin_sdk::provider_api::Outcome;
//! use plugin_sdk::provider_api::Response;
//!
//! fn balance(replay: &mut Replay<UnexpectedOutcome>) -> OperationResult<UnexpectedOutcome> {
//!     let balance = replay.balance()?;
//!     Ok(Response { status: 200, headers: Vec::new(), body: balance.currency.clone().into_bytes() })
//! }
//!
//! // The first call asks the host; the second call has its outcome, and responds.
//! assert!(matches!(run(&[], balance), Ok(NextStep::Query(_))));
//! let outcome = Outcome::Balance(Balance { currency: "USD".to_owned(), available: 0, held: 0 });
//! assert!(matches!(run(&[outcome], balance), Ok(NextStep::Respond(_))));
//! ```

pub mod amount;
pub mod body;
pub mod error;
pub mod filter;
pub mod mutation;
pub mod replay;
pub mod request;
pub mod rfc3339;

pub use crate::bindings::exports::perennial::provider::provider_api::*;
