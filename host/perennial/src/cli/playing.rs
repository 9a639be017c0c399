//! Plays a simulation through, says how far it is, and collects what plugins failed at.

use std::sync::Arc;

use perennial_domain::event::Event;
use perennial_engine::simulation::parts::Play;
use perennial_store::memory::MemoryStore;

use crate::cli::Context;
use crate::cli::plugin_failures::PluginFailures;

/// Plays on from what `store` holds, and hands every event to `observe` with its account.
pub(super) fn play(
    context: &Context,
    play: &Play<'_>,
    store: MemoryStore,
    observe: &mut dyn FnMut(Option<&str>, &Event),
) -> anyhow::Result<PluginFailures> {
    let mut progress = context.progress("simulating", play.from, play.until);
    let mut failures = PluginFailures::default();
    play.run(store, &Arc::default(), &mut |recorded| {
        progress.reach(recorded.event.at);
        failures.record(recorded.account.as_deref(), &recorded.event);
        observe(recorded.account.as_deref(), &recorded.event);
    })?;
    progress.finish();
    Ok(failures)
}
