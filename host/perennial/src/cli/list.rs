//! What the commands that list have in common: the format, the time zone, and the limit.

use std::collections::BTreeMap;

use perennial_formats::time_zone::TimeZone;
use perennial_formats::time_zone::ZoneChoice;
use perennial_store::ReadTx;
use perennial_store::accounts;

use crate::cli::Context;
use crate::cli::output::Output;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;

/// How a list is written.
#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// What to write.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(super) format: ListFormat,
    #[command(flatten)]
    pub(super) zone: ZoneArguments,
}

/// Where instants are written.
#[derive(Debug, clap::Args)]
pub(super) struct ZoneArguments {
    /// The time zone of what is written: one of the IANA's, such as Asia/Shanghai, an offset, such as +08:00, or
    /// `provider` for each provider's own days.
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    pub(super) time_zone: ZoneChoice,
}

/// Where the instants of each row are written.
pub(super) struct Zones {
    choice: ZoneChoice,
    by_provider: BTreeMap<String, TimeZone>,
}

impl Zones {
    /// `offsets` are each provider's days, in minutes ahead of UTC.
    pub(super) fn new<'a>(choice: ZoneChoice, offsets: impl Iterator<Item = (&'a str, i16)>) -> Zones {
        let by_provider =
            offsets.map(|(id, minutes)| (id.to_owned(), TimeZone::from_offset_minutes(minutes)));
        Zones { choice, by_provider: by_provider.collect() }
    }

    /// The zone of a row about this provider; UTC when it is about none, or its plugin is not loaded.
    pub(super) fn of(&self, provider: Option<&str>) -> TimeZone {
        match self.choice {
            ZoneChoice::Zone(zone) => zone,
            ZoneChoice::Provider => {
                provider.and_then(|provider| self.by_provider.get(provider)).copied().unwrap_or_default()
            }
        }
    }
}

impl Context {
    /// Where instants are written; loads plugins only if their days are asked for.
    pub(super) fn zones(&self, choice: ZoneChoice) -> anyhow::Result<Zones> {
        if choice != ZoneChoice::Provider {
            return Ok(Zones::new(choice, std::iter::empty()));
        }
        let providers = self.providers()?;
        let offsets = providers.iter().map(|(id, rules)| (id.as_str(), rules.manifest().utc_offset_minutes));
        Ok(Zones::new(choice, offsets))
    }

    /// Writes a list to the standard output; `nothing` is what people read when it is empty.
    pub(super) fn write_list(
        &self,
        listing: &Listing<'_>,
        format: ListFormat,
        nothing: &str,
    ) -> anyhow::Result<()> {
        let mut out = Output::standard();
        listing.write(format, nothing, self.stdout_style(), &mut out)?;
        Ok(out.finish()?)
    }
}

/// What people read when a list is empty: that nothing fits the conditions, or `none` if there are no conditions.
pub(super) fn nothing(has_conditions: bool, none: &'static str) -> &'static str {
    if has_conditions { "nothing matches" } else { none }
}

/// What the rows of a list need to know of their accounts: provider and currency, by id.
pub(super) fn account_facts(db: &ReadTx) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let accounts = accounts::list(db)?.into_iter().map(|stored| stored.account);
    Ok(accounts.map(|account| (account.id, (account.provider, account.currency))).collect())
}

/// Cuts a list off at `limit`, and warns if there was more: one more than `limit` was asked for.
pub(super) fn cut_off<T>(listed: &mut Vec<T>, limit: u32) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if listed.len() > limit {
        listed.truncate(limit);
        match limit {
            1 => tracing::warn!("only the first is shown; see `--limit`"),
            limit => tracing::warn!("only the first {limit} are shown; see `--limit`"),
        }
    }
}
