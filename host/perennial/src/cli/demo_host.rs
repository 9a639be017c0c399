//! `perennial demo --serve`: the made-up broker's year in a database of its own, with the console on it. Knows how the year
//! gets there; the demo says what is in it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_engine::simulation;
use perennial_formats::inventory::Inventory;
use perennial_formats::scenario::ScenarioEntry;
use perennial_service::admin_tokens;
use perennial_service::admin_tokens::CreateToken;
use perennial_service::admin_tokens::Role;
use perennial_store::Store;
use perennial_store::api_tokens;
use perennial_store::clock::ClockKind;

use crate::cli::Context;
use crate::cli::host_process;
use crate::cli::output;
use crate::config::Config;

/// Those who may sign in: one who runs the place, and another person who approves of what the first one asks for.
const PEOPLE: [(&str, Role); 2] = [("operator", Role::Admin), ("approver", Role::Approver)];

/// What waits for an approval at the end: the account, the resource, and the cost above which its account asks.
const WAITS: (&str, &str, Micros) = ("larkspur-books", "lark-web", Micros::new(400_000_000));

/// The made-up broker and its year.
pub(super) struct Year<'a> {
    /// What the broker has at its beginning.
    pub(super) inventory: &'a Inventory,
    /// What people and the world do.
    pub(super) scenario: &'a [ScenarioEntry],
    /// When it begins.
    pub(super) from: Timestamp,
    /// Until when it is played; the clock stands there until somebody moves it.
    pub(super) until: Timestamp,
}

/// Plays the year into a database that is deleted afterwards, and serves it until it is told to stop.
pub(super) fn serve(context: &Context, year: &Year<'_>, listen: SocketAddr) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder for the database of the demo")?;
    let db = folder.path().join("demo.db");
    let providers = context.providers_with_policies()?;
    let mut store = play(&db, providers.clone(), year)?;
    let mut tokens = Vec::new();
    for (name, role) in PEOPLE {
        let spec = CreateToken {
            name: name.to_owned(),
            role,
            accounts: None,
            expires_at: None,
            owner: Some(name.to_owned()),
            approves: [].into(),
        };
        let issued = admin_tokens::issue(spec, admin_tokens::COMMAND_LINE, year.until)?;
        store.write(|tx| api_tokens::insert(tx, &issued.stored))?;
        tokens.push((name, issued.secret));
    }
    let config = Config { listen, ..Config::DEFAULT };
    host_process::serve_store(&db, store, config, providers, year.until + 1, &|address| {
        output::line(format_args!(
            "The console is at http://{address}/ on virtual time; sign in with a token:"
        ))?;
        for (name, secret) in &tokens {
            output::line(format_args!("  {name:<9} {secret}"))?;
        }
        output::line(format_args!("Nothing is kept: Ctrl-C ends it."))
    })
}

fn play(db: &Path, providers: Providers, year: &Year<'_>) -> anyhow::Result<Store> {
    let store = Store::open(db)?;
    let mut engine = Engine::new(store, providers, Retention::Everything).with_clock(ClockKind::Virtual);
    let bundles = year.inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(year.from, &year.inventory.accounts, bundles)?;
    simulation::run_scenario(&mut engine, year.scenario, year.from, year.until, &mut |_| {})?;
    // Something that the approver finds.
    let (account, resource, limit) = WAITS;
    engine.set_approval_above(year.until, account, Some(limit))?;
    let renewal = Renewal { term: None, cause: Cause::Command, options: BTreeMap::new() };
    engine.command(year.until, None, resource, &Command::Renew(renewal))?;
    Ok(engine.into_store())
}
