//! Whether a revision knows the kinds that resources have: a plugin is only ever asked about kinds of its manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::manifest::Manifest;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::kinds_in_use;
use perennial_store::kinds_in_use::KindInUse;

use crate::error::MissingKinds;
use crate::revisions::short;
use crate::rules::Providers;
use crate::rules::Rules;

/// The most kinds of which a message says what is wrong.
const KINDS_MAX: usize = 10;

/// What resources that are still there need and `manifest` has not, in words; `None` when it has everything.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn missing(db: &ReadTx, manifest: &Manifest) -> Result<Option<String>, StoreError> {
    let in_use = kinds_in_use::list(db)?;
    Ok(faults(manifest, in_use.iter().filter(|used| used.provider == manifest.id)))
}

/// What the revisions lack that decide, and those that are asked beside them, each with its digest. `is_checked` says for which
/// resources.
pub(crate) fn check(
    db: &ReadTx,
    providers: &Providers,
    is_checked: impl Fn(&KindInUse) -> bool,
) -> Result<Vec<(String, MissingKinds)>, StoreError> {
    let providers = providers.as_bound(db)?;
    let mut in_use = kinds_in_use::list(db)?;
    in_use.retain(is_checked);
    let mut asked = BTreeMap::<&str, (&Arc<dyn Rules>, Vec<&KindInUse>)>::new();
    for used in &in_use {
        let (account, provider) = (used.account.as_str(), used.provider.as_str());
        let (active, shadow) =
            (providers.of_account(account, provider), providers.shadow_of(account, provider));
        for rules in active.into_iter().chain(shadow) {
            asked.entry(rules.digest()).or_insert_with(|| (rules, Vec::new())).1.push(used);
        }
    }
    let mut found = Vec::new();
    for (digest, (rules, used)) in asked {
        if let Some(problems) = faults(rules.manifest(), used.into_iter()) {
            let revision = format!("the revision {} of `{}`", short(digest), rules.manifest().id);
            found.push((digest.to_owned(), MissingKinds { revision, problems }));
        }
    }
    Ok(found)
}

fn faults<'u>(manifest: &Manifest, in_use: impl Iterator<Item = &'u KindInUse>) -> Option<String> {
    let mut wrong = BTreeMap::<String, (u64, &str)>::new();
    for used in in_use {
        let fault = match (manifest.kinds.get(&used.kind), &used.attached_to) {
            (None, _) => format!("it no longer has the kind `{}`", used.kind),
            (Some(kind), Some(parent)) if !kind.attaches_to.contains(parent) => {
                format!("it no longer attaches `{}` to `{parent}`", used.kind)
            }
            (Some(_), _) => continue,
        };
        let entry = wrong.entry(fault).or_insert((0, used.example.as_str()));
        entry.0 += used.count;
    }
    let mut problems = wrong
        .into_iter()
        .map(|(fault, (count, example))| {
            let (resources, have) = if count == 1 { ("resource", "has") } else { ("resources", "have") };
            let such = if count == 1 { format!("`{example}`") } else { format!("`{example}` is one") };
            format!("{fault}, which {count} {resources} {have} ({such})")
        })
        .collect::<Vec<_>>();
    let more = problems.len().saturating_sub(KINDS_MAX);
    problems.truncate(KINDS_MAX);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}
