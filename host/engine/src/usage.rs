//! Use of resource packages: which packages a use draws on, and what stays uncovered.

use std::sync::Arc;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::keys::ResourceKey;

use crate::Engine;
use crate::Retention;
use crate::clock::Stopwatch;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::usage_shadow::AnsweredUse;

impl<S: EngineStore> Engine<S> {
    /// Records that an account used `amount`, above zero, of a resource type.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when there is no such account or its plugin gives no usable answer; nothing has changed then.
    pub fn record_use(
        &mut self,
        at: Timestamp,
        account: &str,
        resource_type: &str,
        amount: Micros,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let stored = self.reads().find_account(account)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        let provider = &stored.account.provider;
        let bound = self.bound()?;
        let rules = bound.of_account(account, provider).ok_or_else(|| EngineError::NoPlugin {
            account: account.to_owned(),
            provider: provider.clone(),
        })?;
        let (rows, offers): (Vec<ResourceKey>, Vec<_>) =
            self.reads().offers(stored.row, resource_type, at)?.into_iter().unzip();
        let consumption =
            Consumption { at, resource_type: resource_type.to_owned(), amount, packages: offers };
        let watch = Stopwatch::start();
        let allocations = rules.allocate(&[&stored.account], &[(AccountIndex::new(0), &consumption)]).pop();
        let allocations = allocations.expect("rules give one answer per question")?;
        let micros = watch.micros();
        let events = events(&consumption, &allocations);
        let mut changes = Changes::new(self.retention);
        for allocation in &allocations {
            let used = consumption.packages[allocation.package.get()].package.used + allocation.amount;
            changes.list.push(Change::SetUsed { resource: rows[allocation.package.get()], used });
        }
        let shadow = bound.shadow_of(account, provider).filter(|_| self.retention == Retention::Everything);
        let answered = AnsweredUse {
            account: (stored.row, &stored.account),
            consumption: &consumption,
            packages: &rows,
            followed: rules.digest(),
            answer: (&allocations, micros),
        };
        changes.list.extend(shadow.into_iter().flat_map(|shadow| answered.compare(shadow.as_ref())));
        let id = Arc::<str>::from(account);
        events.into_iter().for_each(|event| changes.add_event(Some((stored.row, id.clone())), event));
        Ok(self.commit(changes)?)
    }
}

/// What a use that is covered by `allocations` leads to.
fn events(consumption: &Consumption, allocations: &[Allocation]) -> Vec<Event> {
    let at = consumption.at;
    let mut events = Vec::new();
    for allocation in allocations {
        let offer = &consumption.packages[allocation.package.get()];
        let left = offer.package.left() - allocation.amount;
        let mut record = |what| events.push(Event { at, resource: Some(offer.id.clone()), what });
        record(EventKind::PackageUsed { amount: allocation.amount, left });
        match allocation.alert {
            Alert::None => {}
            Alert::Low => record(EventKind::PackageLow { left }),
            Alert::Depleted => record(EventKind::PackageDepleted { left }),
        }
    }
    let uncovered =
        consumption.amount - allocations.iter().map(|allocation| allocation.amount).sum::<Micros>();
    if uncovered > Micros::ZERO {
        let what =
            EventKind::UsageUncovered { amount: uncovered, resource_type: consumption.resource_type.clone() };
        events.push(Event { at, resource: None, what });
    }
    events
}
