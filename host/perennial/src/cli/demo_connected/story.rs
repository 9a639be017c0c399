//! What is told of the season: each month's calls, what went wrong with which, and what the clouds and the broker say of the
//! money. Reads both hosts; changes nothing.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates::Month;
use serde_json::Value;

use crate::cli::demo_connected::hosts::Pair;
use crate::cli::demo_connected::hosts::text;
use crate::cli::demo_connected::season::FROM;
use crate::cli::demo_connected::season::Season;
use crate::cli::input;
use crate::report::columns;
use crate::report::style::Style;
use crate::report::style::Tone;

/// The calls that are told one by one.
const TOLD_MAX: usize = 12;

/// A season as both sides saw it.
pub(super) struct Story {
    months: BTreeMap<Month, Counts>,
    /// The calls that did not go through at once, each in a line.
    troubles: Vec<String>,
    /// How many periods the clouds were paid for, by the broker and by their own auto-renew.
    paid_periods: usize,
    /// What the clouds took for them ...
    taken: Micros,
    /// ... and what the broker's books say that its calls cost.
    spent: Micros,
    /// Periods that the clouds were paid for more than once.
    paid_twice: Vec<String>,
    /// Resources that stopped at the clouds.
    lapsed: Vec<String>,
    /// Calls that have not come to their end.
    open: usize,
}

/// What became of a month's calls.
#[derive(Default)]
struct Counts {
    tried: usize,
    in_doubt: usize,
    declined: usize,
    settled: usize,
    done_already: usize,
}

impl Story {
    /// Reads it from the hosts.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub(super) fn read(pair: &Pair) -> anyhow::Result<Story> {
        let mut story = Story {
            months: BTreeMap::new(),
            troubles: Vec::new(),
            paid_periods: 0,
            taken: Micros::ZERO,
            spent: Micros::ZERO,
            paid_twice: Vec::new(),
            lapsed: Vec::new(),
            open: 0,
        };
        let listed = pair.broker.ask("GET", "/v1/calls?limit=1000", &Value::Null)?;
        for call in listed["items"].as_array().into_iter().flatten() {
            let path = format!("/v1/calls/{}", text(call, "id"));
            story.tell(&pair.broker.ask("GET", &path, &Value::Null)?);
        }
        story.read_clouds(pair)?;
        Ok(story)
    }

    fn tell(&mut self, history: &Value) {
        let call = &history["call"];
        let steps = history["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let at = |step: &Value| text(step, "at").parse::<Timestamp>().unwrap_or(FROM);
        let mut states = Vec::new();
        for step in steps {
            let counts = self.months.entry(Month::of(at(step))).or_default();
            let state = text(step, "state");
            match state {
                "calling" => counts.tried += 1,
                "in_doubt" => counts.in_doubt += 1,
                "declined" => counts.declined += 1,
                "settled" => counts.settled += 1,
                "void" => counts.done_already += 1,
                _ => {}
            }
            let said = step["said"]["code"].as_str().filter(|_| ["in_doubt", "declined"].contains(&state));
            states.push(match said {
                Some(code) => format!("{} ({code})", state.replace('_', " ")),
                None => state.replace('_', " "),
            });
        }
        let state = text(call, "state");
        if state == "settled" {
            self.spent += text(call, "cost").parse::<Micros>().unwrap_or(Micros::ZERO);
        }
        if ["reserved", "calling", "submitted", "in_doubt", "with_person"].contains(&state) {
            self.open += 1;
        }
        let is_trouble = steps.iter().any(|step| ["in_doubt", "declined"].contains(&text(step, "state")));
        if let Some(first) = steps.first().filter(|_| is_trouble) {
            let day = text(first, "at").get(..10).unwrap_or_default();
            let queries = call["queries"].as_u64().unwrap_or_default();
            self.troubles.push(format!(
                "{day} {}: {}; read back {queries} times",
                text(call, "resource"),
                states.join(", ")
            ));
        }
    }

    fn read_clouds(&mut self, pair: &Pair) -> anyhow::Result<()> {
        let mut periods = BTreeMap::new();
        for (_, event) in pair.cloud.events(FROM)? {
            let resource = event.resource.unwrap_or_default();
            if let EventKind::RenewalSettled { cost, expires_before, .. } = event.what {
                self.paid_periods += 1;
                self.taken += cost;
                *periods.entry((resource, expires_before)).or_insert(0) += 1;
            } else if let EventKind::StageChanged { to, .. } = event.what
                && matches!(to, Stage::Grace | Stage::Retention | Stage::Released)
            {
                self.lapsed.push(format!("{resource} on {}", event.at));
            }
        }
        let twice = periods.into_iter().filter(|(_, times)| *times > 1);
        self.paid_twice = twice.map(|((resource, from), _)| format!("{resource} from {from}")).collect();
        Ok(())
    }

    /// Tells it.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub(super) fn write(&self, season: &Season<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "A season of a broker with two clouds, and faults between them (seed {}).",
            season.seed
        )?;
        writeln!(out)?;
        for (month, counts) in &self.months {
            writeln!(
                out,
                "  {:<14}{:>3} tried  {:>3} in doubt  {:>3} declined  {:>3} settled  {:>3} not needed",
                month.title(),
                counts.tried,
                counts.in_doubt,
                counts.declined,
                counts.settled,
                counts.done_already
            )?;
        }
        writeln!(out)?;
        for trouble in self.troubles.iter().take(TOLD_MAX) {
            columns::paragraph(trouble, ("  ", "    "), Tone::Plain, style, out)?;
        }
        if let Some(more) = self.troubles.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
            writeln!(out, "  and {more} more that did not go through at once")?;
        }
        writeln!(out)?;
        let sentence = format!(
            "The clouds were paid {} CNY for {} periods. The broker's books have {} CNY of it: Baidu quotes no renewals, and the \
             clouds' own auto-renew paid some. Paid twice: {}. Lapsed: {}. Still open: {}.",
            self.taken,
            self.paid_periods,
            self.spent,
            self.paid_twice.len(),
            self.lapsed.len(),
            self.open
        );
        columns::paragraph(&sentence, ("", ""), Tone::Plain, style, out)?;
        if !input::is_standard(season.out) {
            let sentence =
                format!("The picture of the season is in `{}`: open it in a browser.", season.out.display());
            columns::paragraph(&sentence, ("", ""), Tone::Plain, style, out)?;
        }
        Ok(())
    }

    /// Whether everything went as it is promised.
    ///
    /// # Errors
    ///
    /// What was paid twice, or lapsed.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if let Some(twice) = self.paid_twice.first() {
            anyhow::bail!("{twice} was paid for more than once: that must not happen, please report it");
        }
        if let Some(lapsed) = self.lapsed.first() {
            anyhow::bail!(
                "{lapsed} lapsed although it was to be renewed: that must not happen, please report it"
            );
        }
        Ok(())
    }
}
