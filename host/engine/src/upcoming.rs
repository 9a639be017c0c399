//! What lies ahead of bundles, for those who only look: the timelines that the clock will walk along.
//!
//! Asks the rules and writes nothing, so any connection will do.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::account_settings;
use perennial_domain::account_settings::OnUndecided;
use perennial_domain::approval::State;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::plan::Cause;
use perennial_domain::policy::deferral;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::AccountKey;

use crate::error::EngineError;
use crate::rules::Providers;
use crate::set_back;
use perennial_sandbox::TimelineRequest;
use perennial_store::accounts::StoredAccount;
use perennial_store::approvals::StoredApproval;
use perennial_store::bundles::StoredBundle;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

/// Everything that happens to each bundle from `at` on if nobody does anything; a bundle comes with the row of its
/// account. One to which nothing ever happens is not asked about.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read. A bundle whose plugin gave no usable answer has an error of its own.
pub fn upcoming_timelines(
    db: &dyn EngineReads,
    providers: &Providers,
    at: Timestamp,
    bundles: &[(AccountKey, &Bundle)],
) -> Result<Vec<Result<Vec<Occurrence>, EngineError>>, StoreError> {
    let providers = providers.as_bound(db)?;
    let mut loaded = BTreeMap::<AccountKey, StoredAccount>::new();
    let mut by_revision = BTreeMap::<(String, Option<String>), Vec<usize>>::new();
    for (index, (row, bundle)) in bundles.iter().enumerate() {
        if !loaded.contains_key(row) {
            loaded.insert(*row, db.account(*row)?);
        }
        if bundle.is_live() {
            let Account { id, provider, .. } = &loaded[row].account;
            let digest = providers.of_account(id, provider).map(|rules| rules.digest().to_owned());
            by_revision.entry((provider.clone(), digest)).or_default().push(index);
        }
    }
    let mut ahead = bundles.iter().map(|_| Ok(Vec::new())).collect::<Vec<_>>();
    for ((provider, _), indexes) in by_revision {
        let first = &loaded[&bundles[indexes[0]].0].account;
        let Some(rules) = providers.of_account(&first.id, &provider) else {
            for index in indexes {
                let account = loaded[&bundles[index].0].account.id.clone();
                ahead[index] = Err(EngineError::NoPlugin { account, provider: provider.clone() });
            }
            continue;
        };
        let rows = indexes.iter().map(|index| bundles[*index].0).collect::<BTreeSet<_>>();
        let rows = rows.into_iter().collect::<Vec<_>>();
        let in_question = rows.iter().map(|row| &loaded[row].account).collect::<Vec<_>>();
        let requests = indexes.iter().map(|index| {
            let (row, bundle) = bundles[*index];
            let account = rows.binary_search(&row).expect("every bundle's account is among them");
            TimelineRequest { after: at - 1, account: AccountIndex::new(account), bundle }
        });
        let requests = requests.collect::<Vec<_>>();
        for (index, answer) in indexes.into_iter().zip(rules.timelines(&in_question, &requests)) {
            ahead[index] = answer.map_err(EngineError::from);
        }
    }
    Ok(ahead)
}

/// Everything that happens to a stored bundle from `at` on if nobody does anything, with its tries as the host makes them: put
/// off by a policy, or made where an approval ends undecided.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read; within, why the rules gave no usable answer.
pub fn timeline_as_made(
    db: &dyn EngineReads,
    providers: &Providers,
    stored: &StoredBundle,
    at: Timestamp,
) -> Result<Result<Vec<Occurrence>, EngineError>, StoreError> {
    let ahead = upcoming_timelines(db, providers, at, &[(stored.account, &stored.bundle)])?.pop();
    let timeline = match ahead.expect("one request has one timeline") {
        Ok(timeline) => timeline,
        Err(error) => return Ok(Err(error)),
    };
    let deferrals = db.deferrals(&stored.rows)?;
    let settings = db.account(stored.account)?.account.settings;
    let mut undecided = Vec::new();
    if account_settings::on_undecided(&settings) == OnUndecided::Renew {
        for (member, row) in stored.rows.iter() {
            let expiry = stored.bundle[member].expires_at;
            let waits = |approval: &StoredApproval| {
                let is_renewal = approval.cause == Cause::Auto && approval.expires_before == expiry;
                approval.state == State::Pending && is_renewal && !set_back::requires(&approval.required)
            };
            let pending = db.approvals(row)?.into_iter().filter(waits);
            undecided.extend(pending.map(|approval| (member, approval.expires_at)));
        }
    }
    Ok(Ok(deferral::tries_as_made(&timeline, &stored.bundle, &deferrals, &undecided).into_owned()))
}
