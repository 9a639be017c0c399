//! The sandbox
pub mod error {
    //! x
    /// x
    #[derive(Clone, Debug, thiserror::Error)]
    #[error("x")]
    pub struct PluginError;
}
use perennial_domain::bundle::Bundle; use perennial_domain::timestamp::Timestamp; use perennial_domain::plan::Command; use perennial_domain::order::Order;
/// x
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> { /// x
pub after: Timestamp, /// x
pub account: usize, /// x
pub bundle: &'a Bundle }
/// x
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> { /// x
pub at: Timestamp, /// x
pub account: usize, /// x
pub command: &'a Command, /// x
pub member: usize, /// x
pub bundle: &'a Bundle, /// x
pub orders: &'a [Order] }
