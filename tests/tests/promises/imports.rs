//! What an import says that the first tick does is what the first tick does, also where money is short.

use std::collections::BTreeMap;

use perennial_domain::event::Event;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::clock::LastActive;
use perennial_engine::import_document::FirstTick;
use perennial_engine::persist::RecordedEvent;
use perennial_formats::event;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ImportOptions;
use perennial_store::Store;
use proptest::prelude::*;

use crate::host::at;
use crate::host::check;
use crate::host::providers;
use crate::host::read;
use crate::world;
use crate::world::FROM;
use crate::world::Money;

/// Events of these resources, in order, as lines.
fn lines<'a>(named: &[String], events: impl Iterator<Item = &'a Event>) -> Vec<String> {
    let is_named = |happened: &&Event| happened.resource.as_ref().is_some_and(|id| named.contains(id));
    let mut lines = events.filter(is_named).map(|happened| event::line(None, happened)).collect::<Vec<_>>();
    lines.sort();
    lines
}

#[test]
fn the_summary_of_an_import_is_the_first_tick() {
    let mut expired = 0;
    for money in [Money::Short, Money::Plenty] {
        let found = std::cell::Cell::new(0);
        check(60, world::quiet(money), |world| {
            let providers = providers();
            let (inventory, _) = read(&world, &providers);
            let options = ImportOptions::default();
            let document = Document { inventory, given: BTreeMap::new(), options };
            let folder = tempfile::tempdir().unwrap();
            let store = Store::scratch(&folder.path().join("host.db")).unwrap();
            let mut engine = Engine::new(store, providers, Retention::Everything);
            let now = at(FROM);
            let said = engine.preview_import(now, &document, FirstTick::OfStart).unwrap();
            engine.import_document(now, &document).unwrap();
            let mut ticked = Vec::new();
            let observe = &mut |recorded: &RecordedEvent| ticked.push(recorded.event.clone());
            clock::tick(&mut engine, now, LastActive::default(), observe).unwrap();
            let named = said.expired.iter().map(|expired| expired.named.resource.clone()).collect::<Vec<_>>();
            let said = said.expired.iter().flat_map(|expired| &expired.events);
            prop_assert_eq!(lines(&named, said), lines(&named, ticked.iter()));
            found.set(found.get() + named.len());
            Ok(())
        });
        expired += found.get();
    }
    assert!(expired > 20, "only {expired} had expired: the worlds prove nothing");
}
