//! What a revision is granted: kept beside it, told in an event, and followed from the next batch on.

use perennial_domain::event::EventKind;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_domain::revision::BindingMode;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_sandbox::PluginParts;
use perennial_sandbox::Trust;
use perennial_store::Store;
use perennial_store::plugin_bindings;
use perennial_store::plugin_revisions;
use perennial_test_support::plugins;
use perennial_tests::guests;

use crate::world::AUTHOR;
use crate::world::PROVIDERS;
use crate::world::at;
use crate::world::open;

/// Keeps the guest that imports WASI with this grant; returns its digest, and what the event says that it is granted.
fn install(engine: &mut Engine, providers: &Providers, grant: &str) -> (String, Vec<Option<String>>) {
    let granted = PluginLimits::read(grant).unwrap();
    let parts = PluginParts { granted, ..PluginParts::of_component(guests::SYSTEM) };
    let plugin = providers.revisions().unwrap().load("system.wasm", parts).unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let events = engine
        .in_transaction(|engine| engine.keep_revision(now, &plugin, ("system.wasm", None), AUTHOR))
        .unwrap();
    let granted = events.iter().map(|recorded| {
        let EventKind::RevisionInstalled { granted, .. } = &recorded.event.what else {
            panic!("{recorded:?}")
        };
        granted.clone()
    });
    (plugin.digest().to_owned(), granted.collect())
}

#[test]
fn a_grant_is_kept_beside_its_revision_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let mut engine = open(&folder.path().join("db"), now);
    let wasi = Some("wasi".to_owned());
    let (digest, told) = install(&mut engine, &PROVIDERS, "wasi");
    assert_eq!(told, std::slice::from_ref(&wasi));
    assert!(install(&mut engine, &PROVIDERS, "wasi").1.is_empty(), "it is kept already");
    engine
        .in_transaction(|engine| engine.bind_revision(now, &digest, ("*", BindingMode::Active), AUTHOR))
        .unwrap();
    let store = engine.into_store();
    let bound = plugin_bindings::set_digest(store.db()).unwrap();
    let mut engine = Engine::new(store, PROVIDERS.clone(), Retention::Everything);
    let more = Some("memory=48MiB,wasi".to_owned());
    assert_eq!(install(&mut engine, &PROVIDERS, "wasi,memory=48MiB"), (digest.clone(), vec![more.clone()]));
    let store = engine.into_store();
    assert_eq!(plugin_revisions::get(store.db(), &digest).unwrap().unwrap().granted, more);
    assert_ne!(plugin_bindings::set_digest(store.db()).unwrap(), bound, "the next batch looks again");
    let mut engine = Engine::new(store, PROVIDERS.clone(), Retention::Everything);
    install(&mut engine, &PROVIDERS, "wasi");
    let store = engine.into_store();
    assert_eq!(plugin_bindings::set_digest(store.db()).unwrap(), bound, "and back");
}

#[test]
fn a_host_that_starts_again_loads_a_revision_with_its_grant() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    let now = at("2026-01-01T00:00:00Z");
    let mut engine = open(&db, now);
    let (digest, _) = install(&mut engine, &PROVIDERS, "wasi");
    drop(engine);
    let providers = plugins::trusting(Trust::default());
    let mut engine = Engine::new(Store::open(&db).unwrap(), providers, Retention::Everything);
    // Binding loads it, which fails without the grant: it imports WASI.
    let bound = engine
        .in_transaction(|engine| engine.bind_revision(now, &digest, ("*", BindingMode::Active), AUTHOR));
    assert_eq!(bound.unwrap().changes.len(), 1);
}
