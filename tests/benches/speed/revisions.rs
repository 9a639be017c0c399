//! A tick with a shadow revision against one without, and what it takes to have another revision decide, against one batch.
//!
//! The other revision is the same plugin with a custom section behind it: it answers the same under another digest, so that
//! every tick does the same beside it.

use std::sync::Arc;
use std::time::Duration;

use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingMode;
use perennial_engine::BATCH_MAX;
use perennial_engine::Engine;
use perennial_engine::revision_changes::RevisionAuthor;
use perennial_engine::rules::Providers;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginParts;

use crate::arguments::Arguments;
use crate::figures;
use crate::tick::Bench;
use crate::tick::RENEWAL;
use crate::world;
use crate::world::HUAWEI;
use crate::world::START;

const AUTHOR: RevisionAuthor<'static> = RevisionAuthor { id: "bench", reason: None };
/// A custom section of one byte, whose name is empty.
const SECTION: [u8; 3] = [0, 1, 0];

/// A tick with a shadow, and the activation of a revision.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let how =
        format!("per renewed bundle of three, {} due; best of {} rounds", arguments.due, arguments.rounds);
    figures::title("A durable tick with a shadow revision", &how);
    let bench = Bench::prepare(RENEWAL, arguments.due, 3)?;
    let folder = tempfile::tempdir()?;
    let providers = Providers::of_plugins(Arc::new(world::plugins(folder.path())?));
    // A host has it loaded on a reader's thread before it is bound, so that no tick waits for a compiler.
    let other = load_other(&providers)?;
    let [mut alone, mut shadowed, mut activated, mut batch, mut changed] = [Duration::MAX; 5];
    for _ in 0..arguments.rounds {
        figures::keep_best(&mut alone, bench.tick_after(&providers, |engine| bind(engine, None))?);
        let shadow = |engine: &mut Engine| bind(engine, Some((&other, BindingMode::Shadow)));
        figures::keep_best(&mut shadowed, bench.tick_after(&providers, shadow)?);
        let mut before = Duration::ZERO;
        let active = |engine: &mut Engine| {
            bind(engine, None)?;
            engine.reschedule()?;
            let (taken, done) = figures::time(|| {
                bind(engine, Some((&other, BindingMode::Active)))?;
                anyhow::Ok(engine.reschedule()?)
            });
            done?;
            before = taken;
            figures::keep_best(&mut activated, taken);
            let (taken, done) = figures::time(|| engine.step(RENEWAL.due_by(), &mut |_, _| {}));
            done?;
            before += taken;
            figures::keep_best(&mut batch, taken);
            Ok(())
        };
        let rest = bench.tick_after(&providers, active)?;
        figures::keep_best(&mut changed, before + rest);
    }
    let each = |time: Duration| figures::share(time, arguments.due);
    figures::row("with a shadow", each(shadowed), "without", each(alone), Some(1.8));
    let batch_of = format!("one batch of {BATCH_MAX}");
    figures::row("activating a revision, of all", each(activated), &batch_of, each(batch), Some(1.0));
    let longer = each(changed.saturating_sub(alone));
    figures::row(
        "a tick with the change in it, beyond one without",
        longer,
        &batch_of,
        each(batch),
        Some(1.0),
    );
    Ok(())
}

/// Loads the other revision.
fn load_other(providers: &Providers) -> anyhow::Result<Arc<Plugin>> {
    let revisions = providers.revisions().ok_or_else(|| anyhow::anyhow!("the rules are plugins"))?;
    let bundled = revisions.plugins().get(HUAWEI.id).ok_or_else(|| anyhow::anyhow!("Huawei is bundled"))?;
    let mut component = bundled.parts().component.to_vec();
    component.extend(SECTION);
    Ok(revisions.load("other.wasm", PluginParts::of_component(component))?)
}

/// Binds what is loaded, as a host does when it starts, and the other revision for all accounts where it is named.
fn bind(engine: &mut Engine, other: Option<(&Plugin, BindingMode)>) -> anyhow::Result<()> {
    engine.bind_loaded(START)?;
    let Some((plugin, mode)) = other else { return Ok(()) };
    engine.in_transaction(|engine| {
        engine.keep_revision(START, plugin, ("other.wasm", None), AUTHOR)?;
        engine.bind_revision(START, plugin.digest(), (ALL_ACCOUNTS, mode), AUTHOR)
    })?;
    Ok(())
}
