//! Renewals and other changes on clouds, carried out step by step: every step is one transaction, and what is sent is sent between two.
//!
//! Knows calls, money and what a cloud said; no plugin, no HTTP and no clock. `reserving` writes attempt, hold and call
//! before anything leaves, `sending` what leaves now and what was said to it, `querying` what was read of it, `starting`
//! what a crash interrupted. [`run`] puts these around a [`Cloud`], which tests and simulations replace by a model. A
//! crash between any two steps loses nothing, because the rest of the work is a row.

mod batch;
mod effects;
mod findings;
mod giving_back;
mod holding_back;
mod querying;
mod reserving;
pub mod run;
mod sending;
mod starting;
pub mod translation;

use perennial_domain::attempt::DeclineClass;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Slot;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::keys::ResourceKey;

/// What a cloud said to one renewal of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It took the call.
    Accepted,
    /// It has done what was asked for, and no reading will show that.
    Completed,
    /// It declined, which is a proof that nothing was and will be applied.
    Declined {
        /// Why it declined.
        class: DeclineClass,
        /// Seconds before another try, if it said so.
        retry_after: Option<i64>,
    },
    /// No connection was made, so nothing left this host.
    NotConnected,
    /// Nothing that proves what became of the call: no response, a failure, or one that makes no sense.
    Unproven,
}

/// What a cloud said to one renewal of a call, with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it proves.
    pub response: Response,
    /// The orders that it names.
    pub orders: Vec<String>,
    /// What it says in words, or why it proves nothing.
    pub said: Option<Refusal>,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        Reply { response, orders: Vec::new(), said: None }
    }
}

/// Why a cloud could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFailure {
    /// It asked to wait, for so many seconds if it said for how many.
    Throttled(Option<i64>),
    /// It failed, was not reached, or its answer makes no sense.
    Failed,
    /// This host ends.
    Stopped,
}

/// This host ends: what a call came to is not known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption;

/// A cloud, as the host calls it. [`run::step`] calls it between two transactions and never within one.
pub trait Cloud {
    /// Reads the resources and orders of `records`, and returns one reading for each, in their order. Called before a
    /// payment and to find out what became of one; it changes nothing.
    fn read(
        &mut self,
        account: &str,
        records: &[CallRecord],
        at: Timestamp,
    ) -> Result<Vec<ReadBack>, ReadFailure>;

    /// Asks for what `records` change, which is the same of each, in one call, and returns one response for each, in their order. Called once for each time that
    /// they were written as sent. The call is signed with the instant at which that was.
    fn change(
        &mut self,
        account: &str,
        records: &[CallRecord],
        at: Timestamp,
    ) -> Result<Vec<Response>, Interruption>;
}

/// Names a call: the resource that it names, the expiry before it, and what of it the call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId {
    /// The resource that the renewal names.
    pub resource: ResourceKey,
    /// Its expiry before the call.
    pub expires_before: Timestamp,
    /// Its period, what happens when it expires, or its end.
    pub slot: Slot,
}

impl CallId {
    /// What names a stored call.
    pub fn of(call: &StoredCall) -> CallId {
        let record = &call.record;
        CallId { resource: call.resource, expires_before: record.key().expires_before, slot: record.slot() }
    }
}

/// What became of a wish to renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// Attempt, hold and call are written.
    Reserved,
    /// The balance does not cover it; another try follows.
    ShortOfMoney,
    /// There is no such resource here.
    UnknownResource,
    /// Another renewal of one of the periods is under way, unclear or settled: this one is not made.
    Locked(State),
}
