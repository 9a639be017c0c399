//! The accounts of a batch of requests, each once. Knows places; knows no contract.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;

use crate::provider::encode;

/// The accounts that a batch is about: not all that came with the requests, which may be thousands.
pub(crate) struct NamedAccounts<'a> {
    /// Each of them once.
    pub(crate) accounts: Vec<&'a Account>,
    /// For each request, the place of its account among `accounts`.
    pub(crate) places: Vec<u32>,
}

impl<'a> NamedAccounts<'a> {
    pub(crate) fn of(all: &[&'a Account], named: impl Iterator<Item = AccountIndex>) -> NamedAccounts<'a> {
        let mut named_accounts = NamedAccounts { accounts: Vec::new(), places: Vec::new() };
        let mut known = BTreeMap::new();
        for account in named {
            let place = *known.entry(account).or_insert_with(|| {
                named_accounts.accounts.push(all[account.get()]);
                encode::index(named_accounts.accounts.len() - 1)
            });
            named_accounts.places.push(place);
        }
        named_accounts
    }
}
