//! `perennial plugin backtest NEW --until T`: the same time played twice, with the revisions that are bound and with another one.
//!
//! What is counted and how it is listed is that of `perennial simulate --compare`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::forecast;
use perennial_engine::parallel;
use perennial_engine::policy_comparison::Outcome;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_engine::simulation::parts::Play;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_sandbox::Plugin;
use perennial_store::ReadTx;
use perennial_store::memory::MemoryStore;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::compare;
use crate::cli::compare::Sides;
use crate::cli::database;
use crate::cli::input;
use crate::cli::inventory_file::InventoryFile;
use crate::cli::playing;
use crate::cli::validate;
use crate::report::listing::ListFormat;

/// What is played with both revisions, if it is played at all.
#[derive(Debug, clap::Args)]
pub(super) struct AheadArguments {
    /// Plays from the present, or from `--from`, until this instant, once with the revision that is bound and once with this one,
    /// in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::clock_instant)]
    pub(super) until: Option<Timestamp>,
    /// The first instant of an inventory that is played.
    #[arg(long, value_name = "T", value_parser = input::clock_instant, requires = "inventory")]
    from: Option<Timestamp>,
    /// Plays this inventory instead of what the database has at present, in JSON or CSV; `-` is the standard input.
    #[arg(long, value_name = "FILE", requires_all = ["until", "from"])]
    inventory: Option<PathBuf>,
    /// The accounts of an inventory in CSV: a table with an account a line.
    #[arg(long, value_name = "FILE", requires = "inventory")]
    accounts: Option<PathBuf>,
}

impl AheadArguments {
    /// Whether an inventory is played.
    pub(super) fn has_inventory(&self) -> bool {
        self.inventory.is_some()
    }
}

/// What both plays begin with.
enum Beginning {
    /// An inventory, with the money that it says.
    Inventory(Inventory),
    /// What the database has at present, with money enough, as in a forecast.
    Database(Box<MemoryStore>),
}

/// Lists what comes otherwise with `plugin`, until `until`.
pub(super) fn backtest(
    context: &Context,
    (arguments, until): (&AheadArguments, Timestamp),
    plugin: Arc<Plugin>,
    account: Option<&str>,
    format: ListFormat,
) -> anyhow::Result<()> {
    let rules: Arc<dyn Rules> = plugin;
    let bound = bound(context, arguments.inventory.is_none())?;
    let (beginning, from) = beginning(context, arguments, &bound, account)?;
    if until < from {
        let message = format!("`--until {until}` is before {from}, at which the play begins");
        return Err(UserError::Argument(message).into());
    }
    let currencies = beginning.currencies()?;
    let currencies =
        currencies.iter().map(|(id, currency)| (id.as_str(), currency.as_str())).collect::<BTreeMap<_, _>>();
    let mut played = Vec::new();
    for providers in [bound.clone(), bound.with_instead(&rules)] {
        let mut outcome = Outcome::default();
        let play = Play {
            providers: &providers,
            scenario: &[],
            from,
            until,
            cores: parallel::cores(),
            grants_approvals: true,
        };
        let store = beginning.store(&providers, from)?;
        let failures =
            playing::play(context, &play, store, &mut |account, event| outcome.record(account, event))?;
        played.push((outcome, failures));
    }
    if let [(one, failures), (other, more)] = &played[..] {
        let nothing = "nothing: the same is renewed and paid with both";
        context.write_list(&compare::listing(Sides::Revisions, one, other, &currencies), format, nothing)?;
        failures.check()?;
        more.check()?;
    }
    Ok(())
}

/// The rules of every provider as they are bound in the database, if there is one; of what it has, with its policies.
fn bound(context: &Context, with_policies: bool) -> anyhow::Result<Providers> {
    let providers = if with_policies { context.providers_with_policies()? } else { context.providers()? };
    if !context.db.exists() {
        return Ok(providers);
    }
    Ok(providers.as_bound(&ReadTx::open(&context.db)?)?)
}

/// What both plays begin with, and when.
fn beginning(
    context: &Context,
    arguments: &AheadArguments,
    bound: &Providers,
    account: Option<&str>,
) -> anyhow::Result<(Beginning, Timestamp)> {
    let (Some(file), Some(from)) = (&arguments.inventory, arguments.from) else {
        let db = ReadTx::open(&context.db)?;
        validate::check_account(&db, account)?;
        let only = account.map(|account| BTreeSet::from([account.to_owned()]));
        let now = database::now(&db)?;
        let store = db.snapshot(|db| MemoryStore::load(db, only.as_ref()))??;
        return Ok((Beginning::Database(Box::new(store)), now));
    };
    let inventory = InventoryFile::read(file, arguments.accounts.as_deref())?;
    let mut inventory = inventory.document(ImportOptions::default(), bound, &NoRecords)?.inventory;
    if let Some(only) = account {
        inventory.accounts.retain(|account| account.id == only);
        inventory.bundles.retain(|imported| imported.account == only);
        if inventory.accounts.is_empty() {
            let message = format!("the inventory has no account `{only}`");
            return Err(UserError::Argument(message).into());
        }
    }
    Ok((Beginning::Inventory(inventory), from))
}

impl Beginning {
    /// The currency of each account, by its id.
    fn currencies(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let of = |account: &Account| (account.id.clone(), account.currency.clone());
        Ok(match self {
            Beginning::Inventory(inventory) => inventory.accounts.iter().map(of).collect(),
            Beginning::Database(store) => {
                forecast::accounts(store)?.iter().map(|stored| of(&stored.account)).collect()
            }
        })
    }

    /// A store of it for one play, in which `providers` are asked about everything from `from` on.
    fn store(&self, providers: &Providers, from: Timestamp) -> anyhow::Result<MemoryStore> {
        match self {
            Beginning::Inventory(inventory) => {
                let mut engine = Engine::new(MemoryStore::default(), providers.clone(), Retention::State);
                let bundles =
                    inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
                engine.import(from, &inventory.accounts, bundles)?;
                Ok(engine.into_store())
            }
            Beginning::Database(store) => {
                let mut copy = MemoryStore::clone(store);
                forecast::provide_ample_money(&mut copy)?;
                copy.ask_anew(from);
                Ok(copy)
            }
        }
    }
}
