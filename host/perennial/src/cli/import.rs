//! `perennial import`: takes an inventory into the database, all of it or nothing.

use std::path::PathBuf;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::output;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_formats::inventory::ExistingRecords;
use perennial_formats::inventory::NoRecords;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::bundles;

/// Takes the accounts and resources of a file into the database, all of them or, if anything is wrong, none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial import inventory.json
  perennial --db broker.db import inventory.json")]
pub(super) struct Arguments {
    /// The inventory, in JSON; `-` is the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn import(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let text = input::read(&arguments.file)?;
    let providers = context.providers()?;
    if !context.db.exists() {
        // Before there is a database, so that a file that cannot be used makes none.
        input::inventory(&arguments.file, &text, &providers, &NoRecords)?;
    }
    let store = Store::open(&context.db)?;
    let inventory = input::inventory(&arguments.file, &text, &providers, &StoredRecords(&store))?;
    let mut engine = Engine::new(store, providers, Retention::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(clock::now(), &inventory.accounts, bundles)?;
    let resources = inventory.bundles.iter().map(|imported| imported.bundle.members.len()).sum::<usize>();
    Ok(output::line(format_args!(
        "imported {} accounts and {resources} resources into `{}`; `perennial run` takes care of them",
        inventory.accounts.len(),
        context.db.display()
    ))?)
}

/// What is in the database already. A database that cannot be read is found out when it is written to.
struct StoredRecords<'a>(&'a Store);

impl ExistingRecords for StoredRecords<'_> {
    fn provider_of(&self, account: &str) -> Option<String> {
        accounts::get(self.0.db(), account).ok().flatten().map(|stored| stored.account.provider)
    }

    fn has_resource(&self, resource: &str) -> bool {
        bundles::exists(self.0.db(), resource).unwrap_or(false)
    }
}
