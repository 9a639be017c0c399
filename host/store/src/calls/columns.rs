//! How what a call changes is columns: a code, and the term, options and number that some changes have.

use std::collections::BTreeMap;

use perennial_domain::connector::Change;
use perennial_domain::connector::CloudRenewal;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Scope;
use perennial_domain::term::Term;

use crate::error::StoreError;

/// What a call changes, in the columns of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangeColumns {
    /// The number of the change. A number is never given to anything else.
    pub(super) code: i64,
    /// The term of a renewal, or of each automatic one.
    pub(super) term: Option<Term>,
    /// The provider's own options of a renewal.
    pub(super) options: BTreeMap<String, String>,
    /// How many automatic renewals are allowed.
    pub(super) renewals: Option<u32>,
}

impl ChangeColumns {
    /// The columns of a change; `None` for one of an order, which is no call of its own.
    pub(super) fn of(change: &Change) -> Option<ChangeColumns> {
        let plain = |code| ChangeColumns { code, term: None, options: BTreeMap::new(), renewals: None };
        Some(match change {
            Change::Renew(CloudRenewal { term, options }) => {
                ChangeColumns { term: Some(*term), options: options.clone(), ..plain(0) }
            }
            Change::SetAutoRenew(AutoRenewal { term, renewals }) => {
                ChangeColumns { term: *term, renewals: *renewals, ..plain(1) }
            }
            Change::CancelAutoRenew => plain(2),
            Change::Unsubscribe(Scope::All) => plain(3),
            Change::ConvertOnExpiry => plain(4),
            Change::CancelConversion => plain(5),
            Change::Unsubscribe(Scope::Future) => plain(6),
            Change::PayOrder(_) | Change::CancelOrder(_) => return None,
        })
    }

    /// The change of these columns.
    pub(super) fn change(self) -> Result<Change, StoreError> {
        let ChangeColumns { code, term, options, renewals } = self;
        let damaged = || StoreError::Damaged { what: "the change of a call", found: code.to_string() };
        Ok(match code {
            0 => Change::Renew(CloudRenewal { term: term.ok_or_else(damaged)?, options }),
            1 => Change::SetAutoRenew(AutoRenewal { term, renewals }),
            2 => Change::CancelAutoRenew,
            3 => Change::Unsubscribe(Scope::All),
            4 => Change::ConvertOnExpiry,
            5 => Change::CancelConversion,
            6 => Change::Unsubscribe(Scope::Future),
            _ => return Err(damaged()),
        })
    }
}

#[cfg(test)]
mod tests {
    use perennial_domain::term::TermUnit;

    use super::*;

    #[test]
    fn every_change_of_a_call_is_read_back_as_it_was() {
        let term = Term::new(3, TermUnit::Month).unwrap();
        let options = BTreeMap::from([("relatedRenewFlag".to_owned(), "CDS".to_owned())]);
        for change in [
            Change::Renew(CloudRenewal { term, options }),
            Change::SetAutoRenew(AutoRenewal { term: Some(term), renewals: Some(7) }),
            Change::SetAutoRenew(AutoRenewal { term: None, renewals: None }),
            Change::CancelAutoRenew,
            Change::Unsubscribe(Scope::All),
            Change::Unsubscribe(Scope::Future),
            Change::ConvertOnExpiry,
            Change::CancelConversion,
        ] {
            assert_eq!(ChangeColumns::of(&change).unwrap().change().unwrap(), change);
        }
        let nothing = ChangeColumns { code: 7, term: None, options: BTreeMap::new(), renewals: None };
        assert!(nothing.change().is_err());
    }
}
