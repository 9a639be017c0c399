//! The promises of the host, each tested over random inventories of both providers, with their real rules in the real
//! sandbox.
//!
//! `world` makes inventories and what is done to them, `host` runs an engine over them on virtual time, `invariants`
//! says what must be so whatever happened. The other files have the promises.

mod approvals;
mod decisions;
mod explanations;
mod failing;
mod given_back;
mod host;
mod imports;
mod invariants;
mod metamorphic;
mod money;
mod periods;
mod round_trip;
mod stores;
mod wakes;
mod world;
