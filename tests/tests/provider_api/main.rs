//! A provider's own API, answered by a plugin that the host knows nothing of: Lantern, whose API is like no other.
//!
//! [`world`] has the host, a key and the signing of requests; whole answers are printed.

mod limits;
mod proofs;
mod truth;
mod world;
