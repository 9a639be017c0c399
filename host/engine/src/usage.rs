//! Use of what packages cover: which ones a use draws on, and what is left uncovered.

use perennial_domain::event::Event;
use perennial_domain::event::Happened;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Consumption;
use perennial_domain::usage::Draw;
use perennial_domain::usage::Level;

use crate::Engine;
use crate::Keep;
use crate::error::EngineError;
use crate::write;
use crate::write::Recorded;
use perennial_store::accounts;
use perennial_store::error::StoreError;
use perennial_store::packages;

impl Engine {
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
    ) -> Result<Vec<Recorded>, EngineError> {
        let stored = accounts::get(self.read(), account)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        let provider = &stored.account.provider;
        let rules = self.providers.get(provider).ok_or_else(|| EngineError::NoPlugin {
            account: account.to_owned(),
            provider: provider.clone(),
        })?;
        let (rows, offers): (Vec<i64>, Vec<_>) =
            packages::offers(self.read(), stored.row, resource_type, at)?.into_iter().unzip();
        let consumption =
            Consumption { at, resource_type: resource_type.to_owned(), amount, packages: offers };
        let draws = rules.cover(&[&stored.account], &[(0, &consumption)]).pop();
        let draws = draws.expect("rules give one answer per question")?;
        let events = events(&consumption, &draws);
        let keep = self.keep;
        self.store.write(|tx| {
            for draw in &draws {
                let used = consumption.packages[draw.package].package.used + draw.amount;
                packages::set_used(tx, rows[draw.package], used)?;
            }
            for event in events.iter().filter(|_| keep == Keep::Everything) {
                write::event(tx, Some(stored.row), event)?;
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(events.into_iter().map(|event| Recorded { account: Some(account.into()), event }).collect())
    }
}

/// What a use that is covered by `draws` leads to.
fn events(consumption: &Consumption, draws: &[Draw]) -> Vec<Event> {
    let at = consumption.at;
    let mut events = Vec::new();
    for draw in draws {
        let offer = &consumption.packages[draw.package];
        let left = offer.package.left() - draw.amount;
        let mut record = |what| events.push(Event { at, resource: Some(offer.id.clone()), what });
        record(Happened::PackageUsed { amount: draw.amount, left });
        match draw.level {
            Level::Quiet => {}
            Level::Low => record(Happened::PackageLow { left }),
            Level::Depleted => record(Happened::PackageDepleted { left }),
        }
    }
    let uncovered = consumption.amount - draws.iter().map(|draw| draw.amount).sum::<Micros>();
    if uncovered > Micros::ZERO {
        let what =
            Happened::UsageUncovered { amount: uncovered, resource_type: consumption.resource_type.clone() };
        events.push(Event { at, resource: None, what });
    }
    events
}
