//! What people ask of the host of a simulation beside renewals: auto-renew on and off, conversion, and the end of a resource.

use perennial_domain::bundle::OnExpiry;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connector::Change;
use perennial_domain::micros::Micros;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Scope;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::connected::host::DAY;
use crate::connected::host::Host;
use crate::connected::host::id;
use crate::connected::host::text;

impl<S: EngineStore> Host<S> {
    /// During the storm, somebody asks for something now and then, and somebody else does it in the console.
    pub(super) fn commands(&mut self) -> Result<(), String> {
        if self.now >= self.calm_from || !self.setup.has_commands {
            return Ok(());
        }
        for number in 0..self.setup.bundles.len() {
            if self.random.happens(1, 60) {
                self.command(number)?;
            }
            if self.setup.has_others && self.random.happens(1, 300) {
                let now = self.now;
                self.wire.cloud.borrow_mut().switch_in_console(&id(number, 0), OnExpiry::Renew, now);
            }
        }
        Ok(())
    }

    fn command(&mut self, number: usize) -> Result<(), String> {
        let (stored, member) = self.reads().find_bundle(&id(number, 0)).map_err(text)?.unwrap();
        let resource = &stored.bundle[member];
        if resource.stage.is_final() {
            return Ok(());
        }
        let is_single = self.setup.bundles[number] == 1;
        let change = match self.random.below(12) {
            0..=3 => Change::SetAutoRenew(AutoRenewal { term: None, renewals: None }),
            4..=7 => Change::CancelAutoRenew,
            8 | 9 => Change::ConvertOnExpiry,
            10 => Change::CancelConversion,
            // Once in a while something is given back.
            _ if is_single && self.random.happens(1, 10) => Change::Unsubscribe(Scope::All),
            _ => return Ok(()),
        };
        let expires_before = resource.expires_at.unwrap();
        let (resource, cost) = (resource.id.clone(), Micros::ZERO);
        let extension = Extension { resource, expires_before, expires_planned: expires_before, cost };
        let record = CallRecord::of_change(vec![extension], change, self.now + DAY, self.now);
        let (now, schedule) = (self.now, self.schedule);
        self.attempt(|engine| engine.reserve_call(record, now, schedule))?;
        Ok(())
    }
}
