//! Revisions that nothing refers to are deleted in time; those that decided, decide or are gone back to are not.

use perennial_domain::revision::BindingMode;
use perennial_engine::Engine;
use perennial_engine::EngineTx;
use perennial_engine::replay;
use perennial_store::error::StoreError;
use perennial_store::keys::PluginRevisionKey;
use perennial_store::keys::RowKey;
use perennial_store::plugin_revisions;

use crate::world::AUTHOR;
use crate::world::TABLE;
use crate::world::account;
use crate::world::at;
use crate::world::bundle;
use crate::world::install;
use crate::world::late_table;
use crate::world::narrow_table;
use crate::world::open;

const FROM: &str = "2026-01-20T00:00:00Z";

fn is_kept(engine: &Engine, digest: &str) -> bool {
    let kept = plugin_revisions::list(engine.db(), None, PluginRevisionKey::before_all(), 1_000).unwrap();
    kept.iter().any(|revision| revision.digest == digest)
}

/// Cleans up as a host does that runs, until nothing is left to do at `now`.
fn clean_up(engine: &mut Engine, now: &str) {
    for _ in 0..20 {
        engine.delete_old_records(at(now)).unwrap();
    }
}

#[test]
fn a_revision_that_nothing_refers_to_is_deleted_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open(&folder.path().join("db"), at(FROM));
    let bundle = bundle("ecs", "2026-02-10");
    engine.import(at(FROM), &[account("vol", &[])], [("vol", &bundle)]).unwrap();
    let bundled = engine.providers().loaded()["volcengine"].digest().to_owned();
    let late = install(&mut engine, at(FROM), &late_table());
    let narrow = install(&mut engine, at(FROM), &narrow_table());
    let unused = install(&mut engine, at(FROM), &format!("{TABLE}\n# never bound\n"));
    let bind = |engine: &mut Engine, digest: &str, now: &str| {
        let work = |engine: &mut EngineTx<'_>| {
            engine.bind_revision(at(now), digest, ("vol", BindingMode::Active), AUTHOR)
        };
        engine.in_transaction(work).unwrap();
    };
    bind(&mut engine, &late, FROM);
    engine.reschedule().unwrap();
    engine.run_to(at("2026-02-09T00:00:00Z"), &mut |_, _| {}).unwrap();
    bind(&mut engine, &narrow, "2026-02-09T00:00:00Z");
    bind(&mut engine, &bundled, "2026-02-10T00:00:00Z");
    engine.reschedule().unwrap();
    engine.run_to(at("2026-04-19T00:00:00Z"), &mut |_, _| {}).unwrap();

    clean_up(&mut engine, "2026-04-19T00:00:00Z");
    assert!(is_kept(&engine, &unused), "somebody may still bind it");
    clean_up(&mut engine, "2026-04-25T00:00:00Z");
    assert!(!is_kept(&engine, &unused));
    assert!(is_kept(&engine, &late), "what it decided can be asked again");
    assert!(is_kept(&engine, &narrow), "it is what a roll-back leads to");
    let providers = engine.providers().clone();
    let tally = replay::replay_all::<StoreError>(engine.db(), &providers, &mut |_, _| Ok(())).unwrap();
    assert!(tally.matching > 0 && tally.different == 0 && tally.not_replayable.is_empty(), "{tally:?}");

    engine.run_to(at("2026-06-01T00:00:00Z"), &mut |_, _| {}).unwrap();
    clean_up(&mut engine, "2026-06-01T00:00:00Z");
    assert!(!is_kept(&engine, &late), "its decisions are deleted, and nothing goes back to it");
    assert!(is_kept(&engine, &narrow) && is_kept(&engine, &bundled));
}
