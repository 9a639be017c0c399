//! The conditions that a command's plan has to meet before it is applied. Checks nothing itself.

/// The conditions under which a command is applied, and who asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preconditions<'a> {
    /// The hash of the [`crate::proposal::Proposal`] that was looked at: it is only carried out if it does what was
    /// planned.
    pub plan_hash: Option<&'a str>,
    /// The id of the token, or of the key of a provider's own API, that asks; it cannot approve of it.
    pub requested_by: Option<&'a str>,
    /// Whether a provider's own API asks: policies deny there what they would amend.
    pub is_provider_api: bool,
    /// Whether the answer names no orders, also when the client token of the command comes again.
    pub omits_orders: bool,
}
