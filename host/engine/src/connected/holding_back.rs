//! What holds calls back, or cannot be held back any more: freeze windows, and deadlines that neither the quota nor the ceiling on spending lets be kept.
//!
//! Knows calendars and counts. Sends nothing.

use perennial_domain::account::Account;
use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::Lateness;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::policy::Calendar;
use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;

use crate::Engine;
use crate::error::EngineError;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Whether `now` is on a day of the calendar that freezes payments, as the account's provider counts days.
    pub(super) fn is_frozen(&self, account: &Account, now: Timestamp) -> Result<bool, StoreError> {
        let Some(policies) = self.providers.policies() else { return Ok(false) };
        let rules = self.providers.of_account(&account.id, &account.provider);
        let offset = rules.map_or(0, |rules| rules.manifest().utc_offset_minutes);
        policies.is_on(self.reads(), Calendar::FREEZE, now, offset)
    }

    /// Counts what waits for an account now and then, and says once for each deadline that it cannot be kept any more.
    pub(super) fn warn_of_lateness(
        &mut self,
        dispatcher: &mut Dispatcher,
        (account, id): (AccountKey, &str),
        now: Timestamp,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        if !dispatcher.needs_backlog(id, now) {
            return Ok(Vec::new());
        }
        let waiting = self.reads().backlog(account)?;
        let late = dispatcher.count_backlog(id, waiting, now);
        late.map_or(Ok(Vec::new()), |late| self.write_lateness((account, id), late, "the quota", now))
    }

    /// Says once for each deadline that the ceiling on spending, below which `due` waits until `until`, does not let it be kept.
    pub(super) fn warn_of_ceiling(
        &mut self,
        dispatcher: &mut Dispatcher,
        (account, id): (AccountKey, &str),
        (due, until): (&[CallRecord], Option<Timestamp>),
        now: Timestamp,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let late = dispatcher.late_by_ceiling(id, due, until, now);
        late.map_or(Ok(Vec::new()), |late| {
            self.write_lateness((account, id), late, "the ceiling on spending", now)
        })
    }

    fn write_lateness(
        &mut self,
        (account, id): (AccountKey, &str),
        Lateness { deadline, renewals, safe_start }: Lateness,
        limit: &str,
        now: Timestamp,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        tracing::error!(
            account = id,
            %deadline,
            renewals,
            %safe_start,
            "renewals cannot all leave before their deadline: raise {limit}, or renew some by hand"
        );
        let renewals = u32::try_from(renewals).unwrap_or(u32::MAX);
        let what = EventKind::SendingLate { deadline, renewals, safe_start };
        self.write_event(Some((account, id)), Event { at: now, resource: None, what })
    }
}
