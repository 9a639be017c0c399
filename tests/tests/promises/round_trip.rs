//! What a host keeps of a run is what a simulation of the same days says.

use perennial_engine::Retention;
use perennial_store::testing;
use proptest::prelude::*;

use crate::host::Host;
use crate::host::check;
use crate::host::providers;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::busy;
use crate::world::quiet;

#[test]
fn a_run_keeps_the_events_that_a_simulation_of_it_shows() {
    check(30, quiet(Money::Short), |world| {
        let mut run = Host::new(&world);
        run.engine.run_to(crate::host::at(UNTIL), &mut |_, _| {}).unwrap();
        let mut simulation = Host::with(&world, providers(), 8_192, Retention::State);
        simulation.play(FROM, UNTIL);
        prop_assert_eq!(run.kept(), &*simulation.lines);
        prop_assert_eq!(run.state(), simulation.state());
        Ok(())
    });
}

#[test]
fn a_simulation_stores_no_events_or_decisions_and_changes_nothing_else() {
    check(15, busy(Money::Short), |world| {
        let mut kept = Host::new(&world);
        kept.play(FROM, UNTIL);
        let mut simulation = Host::with(&world, providers(), 8_192, Retention::State);
        simulation.play(FROM, UNTIL);
        prop_assert_eq!(kept.kept(), &*simulation.lines);
        prop_assert_eq!(kept.state(), simulation.state());
        let kept = ["event", "decision"].map(|table| testing::row_count(simulation.db(), table));
        prop_assert_eq!(kept, [0, 0]);
        Ok(())
    });
}

#[test]
fn every_line_that_is_written_is_read_back_as_it_was() {
    check(15, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        for line in &host.lines {
            let (account, event) = perennial_formats::event::read(line).unwrap();
            prop_assert_eq!(&perennial_formats::event::line(account.as_deref(), &event), line);
        }
        Ok(())
    });
}
