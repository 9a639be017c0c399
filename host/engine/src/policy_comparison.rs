//! What one set of policies does differently from another over the same months: renewals and money by account and month, and
//! what lapses. Counts events, and plays them on a copy where that is wanted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Balance;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::memory::MemoryStore;

use crate::error::EngineError;
use crate::forecast;
use crate::parallel;
use crate::rules::Providers;
use crate::simulation::parts::Play;

/// An account, and a month of UTC or a resource of it.
type Name = (String, String);

/// What came of some months, as far as it is compared.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Renewals, by account and month in UTC.
    renewals: BTreeMap<Name, usize>,
    /// What was paid, less what was refunded, by account and month in UTC.
    paid: BTreeMap<Name, Micros>,
    /// When a resource first was without a period that is paid for, by account and resource.
    lapsed: BTreeMap<Name, Timestamp>,
    /// The bundles that plugins gave no usable answer about, by account and primary.
    failing: BTreeSet<Name>,
}

/// Something that is not the same in two outcomes; of each pair, the first is of the first outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// How many renewals there were in a month, such as `2026-01`.
    Renewals {
        /// The account's id.
        account: String,
        /// The month in UTC.
        month: String,
        /// How many there were.
        counts: [usize; 2],
    },
    /// What was paid in a month, less what was refunded.
    Paid {
        /// The account's id.
        account: String,
        /// The month in UTC.
        month: String,
        /// What was paid.
        amounts: [Micros; 2],
    },
    /// When a resource lapsed first; `None` where it did not.
    Lapsed {
        /// The account's id.
        account: String,
        /// The resource's id.
        resource: String,
        /// When it lapsed first.
        at: [Option<Timestamp>; 2],
    },
}

impl Outcome {
    /// Takes an event down. Those of the host, which have no account, are nothing here.
    pub fn record(&mut self, account: Option<&str>, event: &Event) {
        let Some(account) = account else { return };
        let month = || (account.to_owned(), event.at.to_string()[..7].to_owned());
        if let EventKind::RenewalSettled { .. } = event.what {
            *self.renewals.entry(month()).or_default() += 1;
        } else if let EventKind::BalanceChanged { amount, reason, .. } = event.what {
            let is_paid = match reason {
                Reason::Renewal
                | Reason::Purchase
                | Reason::Upgrade
                | Reason::Refund
                | Reason::Adjustment => true,
                Reason::Opening | Reason::TopUp => false,
            };
            if is_paid {
                *self.paid.entry(month()).or_default() += -amount;
            }
        } else if let EventKind::StageChanged {
            to: Stage::Grace | Stage::Retention | Stage::Released, ..
        } = event.what
        {
            let resource = event.resource.clone().unwrap_or_default();
            self.lapsed.entry((account.to_owned(), resource)).or_insert(event.at);
        } else if let EventKind::PluginFailed { .. } = event.what {
            self.failing.insert((account.to_owned(), event.resource.clone().unwrap_or_default()));
        }
    }

    /// How many bundles plugins gave no usable answer about; each kept its state meanwhile.
    pub fn failing_bundles(&self) -> usize {
        self.failing.len()
    }

    /// What is not the same in `other`: renewals, then money, then what lapsed, each by account.
    pub fn differences(&self, other: &Outcome) -> Vec<Difference> {
        let renewals = pairs(&self.renewals, &other.renewals).map(|((account, month), counts)| {
            Difference::Renewals { account, month, counts: counts.map(Option::unwrap_or_default) }
        });
        let paid = pairs(&self.paid, &other.paid).map(|((account, month), amounts)| Difference::Paid {
            account,
            month,
            amounts: amounts.map(Option::unwrap_or_default),
        });
        let lapsed = pairs(&self.lapsed, &other.lapsed).map(|((account, resource), at)| Difference::Lapsed {
            account,
            resource,
            at,
        });
        renewals.chain(paid).chain(lapsed).collect()
    }
}

/// The names whose values differ, with both.
fn pairs<V: Copy + PartialEq>(
    one: &BTreeMap<Name, V>,
    other: &BTreeMap<Name, V>,
) -> impl Iterator<Item = (Name, [Option<V>; 2])> {
    let names = one.keys().chain(other.keys()).collect::<BTreeSet<_>>();
    let both =
        names.into_iter().map(|name| (name.clone(), [one.get(name).copied(), other.get(name).copied()]));
    both.filter(|(_, [one, other])| one != other).collect::<Vec<_>>().into_iter()
}

/// Plays on from what is in `copy` between two instants, both included, until `stop` is set: what is known then is of no use. Every account has more than it can spend, as in a forecast; approvals are given at once with
/// `grants_approvals`, else nobody decides.
///
/// # Errors
///
/// [`EngineError`] when the copy fails.
pub fn play(
    mut copy: MemoryStore,
    providers: &Providers,
    (from, until): (Timestamp, Timestamp),
    grants_approvals: bool,
    stop: &Arc<AtomicBool>,
) -> Result<Outcome, EngineError> {
    copy.manage_accounts();
    let stored = copy.reads().accounts()?;
    copy.commit(stored.iter().map(|stored| {
        let ample = Balance::new(forecast::AMPLE_BALANCE, stored.account.balance.held());
        Change::Account(stored.row, AccountChange::Balance(ample))
    }))?;
    let play = Play { providers, scenario: &[], from, until, cores: parallel::cores(), grants_approvals };
    let mut outcome = Outcome::default();
    play.run(copy, stop, &mut |recorded| outcome.record(recorded.account.as_deref(), &recorded.event))?;
    Ok(outcome)
}
