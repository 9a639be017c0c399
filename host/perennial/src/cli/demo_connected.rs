//! `perennial demo --connected`: a season of a broker whose account a cloud keeps, with faults between them.
//!
//! Two hosts run in this process on virtual time: one is the clouds, as `perennial sandbox` serves them, and the other one is
//! the broker, which calls them over loopback as it would call the real ones. Knows what happens in the season; the hosts are
//! in `hosts`, what is told of it in `story`.

mod faults;
mod hosts;
pub(super) mod season;
mod story;

use std::path::Path;
use std::path::PathBuf;

use perennial_domain::timestamp::Timestamp;
use perennial_formats::inventory::Inventory;
use serde_json::json;

use crate::cli::Context;
use crate::cli::demo_connected::hosts::Pair;
use crate::cli::demo_connected::hosts::text;
use crate::cli::demo_connected::season::FROM;
use crate::cli::demo_connected::season::Season;
use crate::cli::demo_connected::season::UNTIL;
use crate::cli::demo_connected::story::Story;
use crate::cli::demo_saved;
use crate::cli::input;
use crate::cli::inventory_file;
use crate::cli::output::Output;
use perennial_picture::Detail;
use perennial_picture::History;
use perennial_picture::history::Frame;
use perennial_picture::history::TRACKS_MAX;
use perennial_picture::html;

/// What the clouds have when the season begins.
pub(super) const INVENTORY: &str = include_str!("../../demo/connected-inventory.json");
/// How often the clocks are moved where nothing is due before, in seconds: three hours.
const STEP: i64 = 3 * 3_600;
/// How often the broker reads the clouds' inventories again, in seconds: a week.
const SYNC_EVERY: i64 = 7 * 86_400;

/// The files that `--save` writes, with their contents.
pub(super) fn files(seed: u64) -> [(&'static str, String); 2] {
    [
        ("demo-connected-inventory.json", INVENTORY.to_owned()),
        ("demo-connected-faults.json", faults::file(seed)),
    ]
}

/// Plays a season, tells it and draws it.
///
/// # Errors
///
/// When a host cannot run, or something was paid twice or lost.
pub(super) fn play(context: &Context, season: &Season<'_>) -> anyhow::Result<()> {
    let providers = context.providers_with_policies()?;
    let inventory = inventory_file::inventory(Path::new("the demo's inventory"), INVENTORY, &providers)?;
    let saved = season.save.map(|folder| files(season.seed).map(|(name, _)| folder.join(name)));
    if let Some(folder) = season.save {
        for (name, text) in files(season.seed) {
            let mut file = Output::open(Some(&folder.join(name)))?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.finish()?;
        }
    }
    let saved = saved.into_iter().flatten().collect::<Vec<_>>();
    let mut picture = Output::open_beside(Some(season.out), saved.iter().map(PathBuf::as_path))?;
    let pair = Pair::start(&providers, &inventory, FROM, season.seed)?;
    take_over(&pair, &inventory)?;
    run(context, &pair, &inventory)?;
    let story = Story::read(&pair)?;
    let frame =
        Frame { from: FROM, until: UNTIL, detail: Detail::Picture, tracks_max: TRACKS_MAX, drawn: None };
    let mut history = History::new(
        frame,
        &inventory.accounts,
        inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle)),
        providers.values().map(|rules| rules.manifest()),
    );
    for (account, event) in pair.broker.events(FROM)? {
        history.record(&account, &event);
    }
    html::write(&history, &mut picture)?;
    picture.finish()?;
    if !input::is_standard(season.out) {
        let mut out = Output::standard();
        story.write(season, context.stdout_style(), &mut out)?;
        demo_saved::tell("The inventory and the faults", &saved, context.stdout_style(), &mut out)?;
        out.finish()?;
    }
    pair.stop()?;
    story.check()
}

/// The broker's first hour: the accounts are connected, read and driven, and what is to be renewed is said here.
fn take_over(pair: &Pair, inventory: &Inventory) -> anyhow::Result<()> {
    for account in &inventory.accounts {
        let id = &account.id;
        pair.connect(id, &account.provider)?;
        sync(pair, id)?;
        pair.broker.ask("POST", &format!("/v1/connections/{id}:drive"), &json!({ "driver": "host" }))?;
    }
    for imported in &inventory.bundles {
        let path = format!("/v1/resources/{}", imported.bundle.primary().id);
        // What the cloud renews has a rule there already, which this host takes over.
        if text(&pair.broker.ask("GET", &path, &json!({}))?, "on_expiry") != "renew" {
            pair.broker.ask("POST", &format!("{path}:set-auto-renew"), &json!({}))?;
        }
    }
    Ok(())
}

/// Reads an inventory to its end. A step that fails is made again: faults come between reads, too.
fn sync(pair: &Pair, account: &str) -> anyhow::Result<()> {
    let path = format!("/v1/connections/{account}:sync");
    for _ in 0..200 {
        let answer = pair.broker.try_ask("POST", &path, &json!({}))?;
        if answer.is_ok_and(|view| view["sync"]["state"] == "done") {
            return Ok(());
        }
    }
    anyhow::bail!("the inventory of `{account}` is not read to its end: the cloud fails too often")
}

/// Moves both clocks through the season, never further than to what is due next.
fn run(context: &Context, pair: &Pair, inventory: &Inventory) -> anyhow::Result<()> {
    let mut progress = context.progress("a season of a cloud", FROM, UNTIL);
    let (mut now, mut next_sync) = (FROM, FROM + SYNC_EVERY);
    while now < UNTIL {
        let step = Timestamp::from_second((now.as_second() / STEP + 1) * STEP);
        let due = pair.broker.next_call()?.filter(|due| *due > now);
        now = due.map_or(step, |due| due.min(step)).min(UNTIL);
        pair.advance(now)?;
        pair.broker.settle(now)?;
        if now >= next_sync {
            next_sync = next_sync + SYNC_EVERY;
            for account in &inventory.accounts {
                sync(pair, &account.id)?;
            }
        }
        progress.reach(now);
    }
    progress.finish();
    Ok(())
}
