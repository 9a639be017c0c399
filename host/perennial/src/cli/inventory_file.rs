//! The files of an inventory: JSON, or a table with its accounts beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use perennial_engine::rules::Providers;
use perennial_formats::inventory;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ExistingRecords;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_formats::inventory::Source;
use serde_json::Value;

use crate::cli::UserError;
use crate::cli::input::is_standard;
use crate::cli::input::read_up_to;
use crate::cli::input::shown;

/// The largest inventory, in bytes: a million resources are half of that.
const INVENTORY_MAX: u64 = 1 << 30;

/// An inventory's file or files, as text.
pub(super) struct InventoryFile {
    path: PathBuf,
    text: String,
    is_csv: bool,
    accounts: Option<String>,
}

impl InventoryFile {
    /// Reads the file, which is a table when its name ends in `.csv`, and that of the accounts that go with a table.
    pub(super) fn read(path: &Path, accounts: Option<&Path>) -> Result<InventoryFile, UserError> {
        let is_named_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        // The standard input has no name: with accounts in a file of their own, it is a table.
        let is_csv = is_named_csv || (accounts.is_some() && is_standard(path));
        if is_standard(path) && accounts.is_some_and(is_standard) {
            let message = "the inventory and `--accounts` cannot both be the standard input";
            return Err(UserError::Argument(message.to_owned()));
        }
        if accounts.is_some() && !is_csv {
            let message = format!(
                "`--accounts` goes with an inventory in CSV, whose name ends in `.csv`, and that of {} does not; a JSON file has \
                 its accounts in `accounts`",
                shown(path)
            );
            return Err(UserError::Argument(message));
        }
        let text = read_up_to(path, INVENTORY_MAX)?;
        let accounts = accounts.map(|path| read_up_to(path, INVENTORY_MAX)).transpose()?;
        Ok(InventoryFile { path: path.to_owned(), text, is_csv, accounts })
    }

    /// Whether it is a table.
    pub(super) fn is_csv(&self) -> bool {
        self.is_csv
    }

    /// The file, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds as JSON, unchecked, which is what a host takes.
    pub(super) fn to_json(&self) -> Result<Value, UserError> {
        let wrong =
            |why: &str| UserError::Argument(format!("{} cannot be sent to a host: {why}", shown(&self.path)));
        let json = match self.is_csv {
            true => inventory::json_of_tables(&self.text, self.accounts.as_deref())
                .map_err(|problems| UserError::File { path: self.path.clone(), problems })?,
            false => serde_json::from_str(&self.text).map_err(|error| {
                wrong(&format!("it is not JSON ({error}); a table has a name that ends in `.csv`"))
            })?,
        };
        match json.is_object() {
            true => Ok(json),
            false => Err(wrong("it is not an inventory, which is an object")),
        }
    }

    /// What it holds, for these providers and beside the records that exist already.
    pub(super) fn document(
        &self,
        options: ImportOptions,
        providers: &Providers,
        existing: &dyn ExistingRecords,
    ) -> Result<Document, UserError> {
        let source = match self.is_csv {
            true => Source::Csv { resources: &self.text, accounts: self.accounts.as_deref() },
            false => Source::Json(&self.text),
        };
        document(&self.path, source, options, providers, existing)
    }
}

/// Reads an inventory for providers, beside the records that exist already.
fn document(
    path: &Path,
    source: Source<'_>,
    options: ImportOptions,
    providers: &Providers,
    existing: &dyn ExistingRecords,
) -> Result<Document, UserError> {
    let check =
        |provider: &str, settings: &BTreeMap<String, String>| providers.settings_problems(provider, settings);
    inventory::read_from(source, options, &providers.manifests(), &check, existing)
        .map_err(|problems| UserError::File { path: path.to_owned(), problems })
}

/// Reads an inventory in JSON, where no records exist yet.
pub(super) fn inventory(path: &Path, text: &str, providers: &Providers) -> Result<Inventory, UserError> {
    let document = document(path, Source::Json(text), ImportOptions::default(), providers, &NoRecords)?;
    Ok(document.inventory)
}
