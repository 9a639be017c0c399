//! Whatever keeps what the engine decides, it decides the same.

use std::sync::Arc;

use perennial_engine::persist::RecordedEvent;
use perennial_engine::simulation::parts::Play;
use perennial_formats::event;
use proptest::prelude::*;

use crate::host::Host;
use crate::host::at;
use crate::host::check;
use crate::host::providers;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::World;
use crate::world::busy;
use crate::world::careful;

#[test]
fn a_store_in_memory_leads_to_the_same_events_as_the_database() {
    for money in [Money::Short, Money::Plenty] {
        check(30, prop_oneof![busy(money), careful(money)], |world| {
            let mut kept = Host::new(&world);
            kept.play(FROM, UNTIL);
            let mut memory = Host::in_memory(&world);
            memory.play(FROM, UNTIL);
            prop_assert_eq!(memory.lines, kept.lines);
            Ok(())
        });
    }
}

#[test]
fn a_database_loaded_into_memory_on_any_day_goes_on_as_the_database_does() {
    let worlds = (prop_oneof![busy(Money::Short), careful(Money::Plenty)], 1..30_i64);
    check(30, worlds, |(world, days)| {
        let (until, from) = (FROM + days * DAY - 1, FROM + days * DAY);
        let mut kept = Host::new(&world);
        kept.play(FROM, until);
        let mut memory = kept.in_memory_from_here();
        kept.lines.clear();
        kept.play(from, UNTIL);
        memory.play(from, UNTIL);
        prop_assert_eq!(memory.lines, kept.lines);
        Ok(())
    });
}

#[test]
fn a_simulation_says_the_same_on_any_number_of_cores() {
    check(30, prop_oneof![busy(Money::Short), careful(Money::Plenty)], |world| {
        let whole = on_cores(&world, 1);
        for cores in [2, 3, 64] {
            prop_assert_eq!(on_cores(&world, cores), &*whole, "{} cores", cores);
        }
        Ok(())
    });
}

fn on_cores(world: &World, cores: usize) -> Vec<String> {
    let (memory, providers) = (Host::in_memory(world), providers());
    let (from, until) = (at(FROM), at(UNTIL));
    let play = Play { providers: &providers, scenario: &memory.scenario, from, until, cores };
    let mut lines = Vec::new();
    let mut observe = |recorded: RecordedEvent| {
        lines.push(event::line(recorded.account.as_deref(), &recorded.event));
    };
    play.run(memory.engine.into_store(), &Arc::default(), &mut observe).unwrap();
    lines
}
