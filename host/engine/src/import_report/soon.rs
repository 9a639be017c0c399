//! How many of the resources that an import brings are renewed within thirty days. Knows their providers' tries; pays nothing.

use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::inventory::ImportedBundle;
use perennial_formats::inventory::Inventory;
use perennial_sandbox::TimelineRequest;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::error::StoreError;

use crate::Engine;
use crate::error::EngineError;
use crate::persist::RecordedEvent;
use crate::rules::Rules;

/// How soon is soon, in seconds: thirty days.
const SOON: i64 = 30 * 86_400;
/// How many bundles are asked about at once.
const BATCH: usize = 512;

/// How many resources of `inventory`, which was taken in, are renewed by themselves within thirty days of `at`: by the first tick,
/// whose events these are, or at a try of their provider's that lies ahead.
pub(crate) fn count(
    engine: &Engine,
    at: Timestamp,
    inventory: &Inventory,
    events: &[RecordedEvent],
) -> Result<usize, EngineError> {
    let settled = events.iter().filter(|one| matches!(one.event.what, EventKind::RenewalSettled { .. }));
    let mut soon = settled.filter_map(|one| one.event.resource.clone()).collect::<BTreeSet<_>>();
    let bound = engine.bound()?;
    for of_account in inventory.bundles.chunk_by(|one, next| one.account == next.account) {
        let Some(stored) = accounts::get(engine.db(), &of_account[0].account)? else { continue };
        let account = &stored.account;
        // Of what no plugin answers about, nothing is known.
        let Some(rules) = bound.of_account(&account.id, &account.provider) else { continue };
        for batch in of_account.chunks(BATCH) {
            add_tried(engine.db(), at, (account, rules.as_ref()), batch, &mut soon)?;
        }
    }
    let members = inventory.bundles.iter().flat_map(|imported| &imported.bundle.members);
    Ok(members.filter(|member| soon.contains(&member.id)).count())
}

/// Adds those of one account's bundles that are tried within thirty days of `at`.
fn add_tried(
    db: &ReadTx,
    at: Timestamp,
    (account, rules): (&Account, &dyn Rules),
    batch: &[ImportedBundle],
    soon: &mut BTreeSet<String>,
) -> Result<(), StoreError> {
    let mut known = Vec::new();
    for imported in batch {
        let found = bundles::find_by_resource(db, &imported.bundle.primary().id)?;
        known.extend(found.map(|(stored, _)| stored.bundle));
    }
    let request = |bundle| TimelineRequest { after: at, account: AccountIndex::new(0), bundle };
    let requests = known.iter().map(request).collect::<Vec<_>>();
    for (bundle, timeline) in known.iter().zip(rules.timelines(&[account], &requests)) {
        let Ok(timeline) = timeline else { continue };
        let tried = bundle.iter().filter(|(index, _)| is_tried(bundle, *index, &timeline, at + SOON));
        soon.extend(tried.map(|(_, member)| member.id.clone()));
    }
    Ok(())
}

/// Whether a member renews itself and is tried by `until`: by itself or, where it has no tries of its own, along with what it
/// is attached to and ends with.
fn is_tried(bundle: &Bundle, index: MemberIndex, timeline: &[Occurrence], until: Timestamp) -> bool {
    let member = &bundle[index];
    let first_try = |of: MemberIndex| {
        let is_its = |next: &&Occurrence| next.member == of && next.action == Action::TryRenewal;
        timeline.iter().find(is_its).map(|next| next.at).filter(|at| bundle[of].expires_at >= Some(*at))
    };
    let along = || {
        let mut above = std::iter::successors(member.attached_to, |above| bundle[*above].attached_to);
        above.find_map(|above| first_try(above).filter(|_| member.expires_at <= bundle[above].expires_at))
    };
    member.renews_itself() && first_try(index).or_else(along).is_some_and(|at| at <= until)
}
