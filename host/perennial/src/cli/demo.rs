//! `perennial demo`: a year of renewals of an invented broker, reported by month and drawn, or served with the console.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use perennial_domain::timestamp::Timestamp;
use perennial_formats::language::Language;
use perennial_formats::time_zone::ZoneChoice;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::demo_connected;
use crate::cli::demo_connected::season::Season;
use crate::cli::demo_host;
use crate::cli::demo_host::Year;
use crate::cli::demo_saved;
use crate::cli::input;
use crate::cli::inventory_file;
use crate::cli::output::Output;
use crate::cli::simulate::SimulationRun;
use crate::report;
use crate::report::columns;
use crate::report::style::Tone;
use perennial_picture::Detail;
use perennial_picture::html;

/// Plays a year over about fifty resources of a made-up broker, tells it month by month, and draws it.
///
/// Nothing is read and nothing is kept but the picture. The inventory and the scenario are written out with `--save`,
/// as files to begin your own with: demo-inventory.json and demo-scenario.json. Files of these names that say something
/// else are left as they are, and nothing is done, unless `--force` is given.
///
/// With `--connected` a season of three months is played on virtual time, in which a broker renews on two clouds over loopback,
/// and some of its calls are lost, cut, refused or answered with nonsense. It ends with 1 if anything was paid twice or lapsed.
///
/// With `--serve` the year is played into a database that is deleted afterwards, and the console is served on it. Its clock
/// stands where the year was left, and is moved on the page of the clock.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial demo
  perennial demo --out /tmp/year.html
  perennial demo --save .
  perennial demo --serve
  perennial demo --connected --seed 11")]
pub(super) struct Arguments {
    /// Where to write the picture; `-` is the standard output, which then has nothing else. By default perennial-demo.html
    /// and, with `--connected`, perennial-demo-connected.html.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Also write the inventory and the scenario into this folder.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// With `--save`, also write over files that were changed.
    #[arg(long, requires = "save")]
    force: bool,
    /// Serve the console on the year that was played, instead of drawing it.
    #[arg(long, conflicts_with_all = ["out", "save"])]
    serve: bool,
    /// Play a season of accounts that clouds keep instead: a broker and the clouds side by side, with faults between them.
    #[arg(long, conflicts_with = "serve")]
    connected: bool,
    /// What the faults follow from, with `--connected`.
    #[arg(long, value_name = "N", default_value_t = 7, requires = "connected",
        value_parser = input::whole::<u64>(0..))]
    seed: u64,
    /// Where the console listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8420", requires = "serve")]
    listen: SocketAddr,
    /// How far the year is played for the console, in RFC 3339: by default until a morning on which something is about to be lost.
    #[arg(long, value_name = "T", value_parser = input::clock_instant, default_value = "2026-08-17T01:00:00Z", requires = "serve")]
    until: Timestamp,
}

/// What the made-up broker has.
const INVENTORY: &str = include_str!("../../demo/inventory.json");
/// What its people and the world do in a year.
const SCENARIO: &str = include_str!("../../demo/scenario.json");
/// The year: 2026 in UTC.
const FROM: Timestamp = Timestamp::from_second(1_767_225_600);
const UNTIL: Timestamp = Timestamp::from_second(1_798_761_599);

/// The files that `--save` writes, with their contents.
const FILES: [(&str, &str); 2] = [("demo-inventory.json", INVENTORY), ("demo-scenario.json", SCENARIO)];

/// Refuses to write over a file that somebody has changed.
fn check_unchanged(folder: &Path, files: &[(&str, String)]) -> Result<(), UserError> {
    let is_changed = |(name, text): &&(&str, String)| {
        let there = std::fs::read(folder.join(name));
        // One that cannot be read is found out when it is written.
        there.is_ok_and(|there| there != text.as_bytes())
    };
    let changed = files.iter().filter(is_changed);
    let changed = changed.map(|(name, _)| format!("`{}`", folder.join(name).display())).collect::<Vec<_>>();
    if changed.is_empty() {
        return Ok(());
    }
    let (files, verb) = (changed.join(" and "), if changed.len() == 1 { "says" } else { "say" });
    let message = format!(
        "{files} {verb} something else than the demo, and nothing was written; name another folder with `--save`, or \
         write over what is there with `--force`"
    );
    Err(UserError::Argument(message))
}

/// Writes the inventory and the scenario; a file that is the same already stays as it is.
fn save(folder: &Path, force: bool) -> anyhow::Result<()> {
    for (name, text) in FILES {
        let path = folder.join(name);
        if !force && path.exists() {
            continue;
        }
        let mut file = Output::open(Some(&path))?;
        file.write_all(text.as_bytes())?;
        file.finish()?;
    }
    Ok(())
}

pub(super) fn demo(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.connected {
        if let Some(folder) = arguments.save.as_deref().filter(|_| !arguments.force) {
            check_unchanged(folder, &demo_connected::files(arguments.seed))?;
        }
        let out = arguments.out.as_deref().unwrap_or(Path::new("perennial-demo-connected.html"));
        let save = arguments.save.as_deref();
        return demo_connected::play(context, &Season { seed: arguments.seed, out, save });
    }
    let providers = context.providers()?;
    let inventory = inventory_file::inventory(Path::new("the demo's inventory"), INVENTORY, &providers)?;
    let scenario = input::scenario(Path::new("the demo's scenario"), SCENARIO, &inventory)?;
    if arguments.serve {
        let until = arguments.until;
        if !(FROM..=UNTIL).contains(&until) {
            let message =
                format!("`--until {until}` is not in the demo's year, which is from {FROM} to {UNTIL}");
            return Err(UserError::Argument(message).into());
        }
        let year = Year { inventory: &inventory, scenario: &scenario, from: FROM, until };
        return demo_host::serve(context, &year, arguments.listen);
    }
    if let Some(folder) = arguments.save.as_deref().filter(|_| !arguments.force) {
        check_unchanged(folder, &FILES.map(|(name, text)| (name, text.to_owned())))?;
    }
    // Before the work, so that a folder that cannot be written to is known at once.
    let saved =
        arguments.save.iter().flat_map(|folder| FILES.map(|(name, _)| folder.join(name))).collect::<Vec<_>>();
    if let Some(folder) = &arguments.save {
        save(folder, arguments.force)?;
    }
    let path = arguments.out.as_deref().unwrap_or(Path::new("perennial-demo.html"));
    let mut picture = Output::open_beside(Some(path), saved.iter().map(PathBuf::as_path))?;
    let zone = ZoneChoice::UTC;
    let play = SimulationRun {
        inventory: &inventory,
        scenario: &scenario,
        from: FROM,
        until: UNTIL,
        grants_approvals: false,
        zone,
        language: Language::English,
    };
    let (history, failures) = play.history(context, providers, Detail::Picture)?;
    html::write(&history, &mut picture)?;
    picture.finish()?;
    if !input::is_standard(path) {
        let mut out = Output::standard();
        report::months::write(&history, context.stdout_style(), &mut out)?;
        writeln!(out)?;
        let text = format!("The picture of the year is in `{}`: open it in a browser.", path.display());
        columns::paragraph(&text, ("", ""), Tone::Plain, context.stdout_style(), &mut out)?;
        demo_saved::tell("The inventory and the scenario", &saved, context.stdout_style(), &mut out)?;
        out.finish()?;
    }
    failures.check()
}
