//! What lies ahead of bundles, for those who only look: the timelines that the clock will walk along.
//!
//! Asks the rules and writes nothing, so any connection will do.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::bundle::Bundle;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::error::EngineError;
use crate::engine::rules::Providers;
use crate::sandbox::TimelineRequest;
use crate::store::accounts;
use crate::store::accounts::StoredAccount;
use crate::store::error::StoreError;

/// Everything that happens to each bundle from `at` on if nobody does anything; a bundle comes with the row of its
/// account. One to which nothing ever happens is not asked about.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read. A bundle whose plugin gave no usable answer has an error of its own.
pub fn ahead(
    db: &Connection,
    providers: &Providers,
    at: Timestamp,
    bundles: &[(i64, &Bundle)],
) -> Result<Vec<Result<Vec<Occurrence>, EngineError>>, StoreError> {
    let mut known = BTreeMap::<i64, StoredAccount>::new();
    let mut by_provider = BTreeMap::<String, Vec<usize>>::new();
    for (place, (row, bundle)) in bundles.iter().enumerate() {
        if !known.contains_key(row) {
            known.insert(*row, accounts::at(db, *row)?);
        }
        if bundle.is_live() {
            by_provider.entry(known[row].account.provider.clone()).or_default().push(place);
        }
    }
    let mut ahead = bundles.iter().map(|_| Ok(Vec::new())).collect::<Vec<_>>();
    for (provider, places) in by_provider {
        let Some(rules) = providers.get(&provider) else {
            for place in places {
                let account = known[&bundles[place].0].account.id.clone();
                ahead[place] = Err(EngineError::NoPlugin { account, provider: provider.clone() });
            }
            continue;
        };
        let rows = places.iter().map(|place| bundles[*place].0).collect::<BTreeSet<_>>();
        let rows = rows.into_iter().collect::<Vec<_>>();
        let in_question = rows.iter().map(|row| &known[row].account).collect::<Vec<_>>();
        let requests = places.iter().map(|place| {
            let (row, bundle) = bundles[*place];
            let account = rows.binary_search(&row).expect("every bundle's account is among them");
            TimelineRequest { after: at - 1, account, bundle }
        });
        let requests = requests.collect::<Vec<_>>();
        for (place, answer) in places.into_iter().zip(rules.timelines(&in_question, &requests)) {
            ahead[place] = answer.map_err(EngineError::from);
        }
    }
    Ok(ahead)
}
