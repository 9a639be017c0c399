//! Checks ids of the command line against what there is, and says what there is when one is unknown.

use std::collections::BTreeSet;

use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::events;
use perennial_store::resource_query;

use crate::cli::Context;
use crate::cli::UserError;

/// How many ids an error lists.
const LISTED_MAX: usize = 20;

/// Refuses an account that the database does not have.
pub(super) fn check_account(db: &ReadTx, account: Option<&str>) -> anyhow::Result<()> {
    let Some(account) = account else { return Ok(()) };
    if accounts::get(db, account)?.is_none() {
        let there = accounts::list(db)?.into_iter().map(|stored| stored.account.id);
        return Err(unknown("account", account, there.collect()).into());
    }
    Ok(())
}

/// Refuses a resource that the database has not and that nothing ever happened to.
pub(super) fn check_resource(db: &ReadTx, resource: Option<&str>) -> anyhow::Result<()> {
    let Some(resource) = resource else { return Ok(()) };
    let filter = events::Filter { resource: Some(resource.to_owned()), ..events::Filter::default() };
    if !bundles::exists(db, resource)? && events::list(db, &filter, 1)?.is_empty() {
        let message =
            format!("there is no resource `{resource}`; `perennial resources` lists those that there are");
        return Err(UserError::Argument(message).into());
    }
    Ok(())
}

/// Refuses a provider that no account and no plugin has. Plugins are loaded only if no account has it.
pub(super) fn check_provider(context: &Context, db: &ReadTx, provider: Option<&str>) -> anyhow::Result<()> {
    let Some(provider) = provider else { return Ok(()) };
    let mut there =
        accounts::list(db)?.into_iter().map(|stored| stored.account.provider).collect::<BTreeSet<_>>();
    if !there.contains(provider) {
        there.extend(context.providers()?.keys().cloned());
    }
    if there.contains(provider) { Ok(()) } else { Err(unknown("provider", provider, there).into()) }
}

/// Refuses a kind that no resource and no plugin has. Plugins are loaded only if no resource has it.
pub(super) fn check_kind(context: &Context, db: &ReadTx, kind: Option<&str>) -> anyhow::Result<()> {
    let Some(kind) = kind else { return Ok(()) };
    let mut there = resource_query::kinds(db)?.into_iter().collect::<BTreeSet<_>>();
    if !there.contains(kind) {
        let providers = context.providers()?;
        there.extend(providers.values().flat_map(|rules| rules.manifest().kinds.keys().cloned()));
    }
    if there.contains(kind) { Ok(()) } else { Err(unknown("kind", kind, there).into()) }
}

fn unknown(what: &str, id: &str, there: BTreeSet<String>) -> UserError {
    let (count, listed) = (there.len(), there.into_iter().take(LISTED_MAX).collect::<Vec<_>>());
    let there = match (count, count.saturating_sub(LISTED_MAX)) {
        (0, _) => "there is none yet".to_owned(),
        (_, 0) => format!("there are {}", listed.join(", ")),
        (_, more) => format!("there are {} and {more} more", listed.join(", ")),
    };
    UserError::Argument(format!("there is no {what} `{id}`; {there}"))
}
