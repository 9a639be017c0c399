//! Accounts: one customer's contract with one provider. Knows its settings and its money, and no resources.

use std::collections::BTreeMap;

use crate::ledger::Balance;
use crate::micros::Micros;

/// Who the system of record of an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// This host: it debits the balance and moves the expiry itself.
    Managed,
    /// The provider: it is asked what there is, and does what this host asks it to do.
    Connected,
}

impl Mode {
    /// Both modes, for parsing and for lists of choices.
    pub const ALL: [Mode; 2] = [Mode::Managed, Mode::Connected];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Managed => "managed",
            Mode::Connected => "connected",
        }
    }
}

/// One customer's contract with one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Unique among all accounts.
    pub id: String,
    /// The id of the plugin that has the rules.
    pub provider: String,
    /// Who the system of record is.
    pub mode: Mode,
    /// The currency of every amount of this account and its resources, such as `CNY`.
    pub currency: String,
    /// The balance of the account.
    pub balance: Balance,
    /// What the provider's rules are told about this account.
    pub settings: BTreeMap<String, String>,
    /// Plans that cost more than this need an approval; `None`: none does. The rules do not know it.
    pub approval_above: Option<Micros>,
    /// What may be spent in a month of the provider's, for policies to look at; `None`: there is no budget. The rules do not
    /// know it.
    pub budget: Option<Micros>,
}
