//! What commands ask of a running host that read or write the database themselves where there is none: the same lists and
//! changes, through its API.

pub(super) mod approvals;
pub(super) mod events;
pub(super) mod import;
pub(super) mod policies;
pub(super) mod resources;
