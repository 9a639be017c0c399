//! People who release what is not asked about: bundles that are parked, and revisions whose breaker is open.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RowKey;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::plugin_failures::ParkedBundle;

use crate::EngineTx;
use crate::error::EngineError;
use crate::persist::RecordedEvent;

/// Bundles that are read at once.
const PAGE: u32 = 1_024;

/// The parked bundles that somebody means; each part that is given has to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParkedSelection<'a> {
    /// Those of this provider.
    pub provider: Option<&'a str>,
    /// The one that this resource is a member of.
    pub resource: Option<&'a str>,
    /// Those of these accounts, a JSON list of ids.
    pub accounts: Option<&'a str>,
}

impl EngineTx<'_> {
    /// Has parked bundles asked about at the next tick, and nothing counted that their plugin failed at before; returns them as
    /// they were, and what happened. Those of a revision whose breaker is open wait for that.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn release_parked(
        &mut self,
        at: Timestamp,
        selection: ParkedSelection<'_>,
        author: &str,
    ) -> Result<(Vec<ParkedBundle>, Vec<RecordedEvent>), EngineError> {
        let ParkedSelection { provider, resource, accounts } = selection;
        let (mut released, mut events) = (Vec::new(), Vec::new());
        let mut after = ResourceKey::before_all();
        loop {
            let page = plugin_failures::parked(self.tx(), (provider, resource, accounts), after, PAGE)?;
            let Some(last) = page.last() else { return Ok((released, events)) };
            after = last.row;
            for parked in page {
                plugin_failures::release(self.tx(), parked.row, at)?;
                let what = EventKind::BundleUnparked { changed_by: Some(author.to_owned()) };
                let event = Event { at, resource: Some(parked.resource_id.clone()), what };
                events.extend(self.write_event(Some((parked.account, &parked.account_id)), event)?);
                released.push(parked);
            }
        }
    }

    /// Has a revision asked at the next tick whose breaker is open; returns what happened, which is nothing where it is not.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn release_breaker(
        &mut self,
        at: Timestamp,
        digest: &str,
        author: &str,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let events = self.close_breaker(at, digest, author)?;
        if !events.is_empty() {
            plugin_failures::wake_waiting(self.tx(), digest, at)?;
        }
        Ok(events)
    }

    /// Forgets what a revision failed at, because somebody has it asked again or it is bound no more; returns what happened, which
    /// is nothing where its breaker was not open.
    pub(crate) fn close_breaker(
        &mut self,
        at: Timestamp,
        digest: &str,
        author: &str,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let breakers = plugin_breakers::list(self.tx())?;
        let Some((_, breaker)) = breakers.iter().find(|(known, _)| known == digest) else {
            return Ok(Vec::new());
        };
        plugin_breakers::set(self.tx(), digest, None)?;
        // Each bundle counts again, so that the breaker opens again if the revision still fails over one after the other.
        plugin_failures::count_anew(self.tx(), digest)?;
        if breaker.open_until.is_none() {
            return Ok(Vec::new());
        }
        let what =
            EventKind::BreakerClosed { revision: digest.to_owned(), changed_by: Some(author.to_owned()) };
        self.write_event(None, Event { at, resource: None, what })
    }
}
