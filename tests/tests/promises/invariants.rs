//! What must be so of a database and of what happened, whatever the world was: each function is one promise.

use std::collections::BTreeMap;

use perennial_domain::approval::State;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::timestamp::Timestamp;
use perennial_store::accounts;
use perennial_store::approvals;
use perennial_store::approvals::Filter;
use perennial_store::bundles;
use perennial_store::integrity;
use perennial_store::keys::AccountKey;
use perennial_store::keys::RowKey;
use perennial_store::ledger;
use perennial_store::testing;
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use crate::host::Host;

/// What a check comes to.
pub type Checked = Result<(), TestCaseError>;

fn none_of(what: &str, found: &[String]) -> Checked {
    proptest::prop_assert!(found.is_empty(), "{what}: {found:#?}");
    Ok(())
}

/// The database keeps every promise that [`integrity`] checks.
fn intact(host: &Host) -> Checked {
    let violations = integrity::check(host.db()).unwrap();
    none_of("the database is damaged", &violations.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// No period of a resource is paid for twice.
pub fn no_period_is_paid_twice(host: &Host) -> Checked {
    intact(host)?;
    let mut seen = BTreeMap::<(String, String), u32>::new();
    for settled in host.events("renewal_settled") {
        *seen.entry((text(&settled, "resource"), text(&settled, "expires_before"))).or_default() += 1;
    }
    let refunded = testing::refunded(host.db());
    for ((resource, before), times) in seen {
        let was_refunded = refunded.contains(&resource);
        proptest::prop_assert!(
            times == 1 || was_refunded,
            "`{resource}` was renewed {times} times from {before}"
        );
    }
    Ok(())
}

/// Every live resource has a wake, and whatever is due has been done.
pub fn everything_live_has_a_wake(host: &Host, until: i64) -> Checked {
    intact(host)?;
    none_of("something that was due is not done", &integrity::due(host.db(), until).unwrap())?;
    let expired = integrity::expired_but_active(host.db(), until).unwrap();
    none_of("a resource expired and is still active", &expired)
}

/// A resource with auto-renew that expired was tried: it has an attempt, an approval or a reason.
pub fn what_lapsed_despite_auto_renew_has_a_reason(host: &Host) -> Checked {
    let mut declined = BTreeMap::<String, Vec<String>>::new();
    for event in host.events("renewal_declined") {
        declined.entry(text(&event, "resource")).or_default().push(text(&event, "at"));
    }
    let renewing = testing::lapsed_primaries(host.db(), true);
    let held = approvals::list(host.db(), &Filter::default(), RowKey::before_all(), u32::MAX).unwrap();
    for change in host.events("stage_changed").iter().filter(|change| change["from"] == "active") {
        let id = text(change, "resource");
        let is_renewing = renewing.contains(&id);
        // What had expired when it was imported had its tries before.
        let had_tries = at(change) > crate::world::FROM + 8 * crate::world::DAY;
        let set_late = host.events("setting_changed").iter().any(|event| text(event, "resource") == id);
        let tried =
            declined.get(&id).is_some_and(|tries| tries.iter().any(|tried| *tried <= text(change, "at")));
        // After an outage somebody is asked when it is too late already.
        let was_held = held.iter().any(|approval| {
            let before = approval.expires_before.map_or(0, Timestamp::as_second);
            approval.resource_id == id
                && approval.cause == Cause::Auto
                && (at(change) - 86_400..=at(change)).contains(&before)
        });
        proptest::prop_assert!(
            !is_renewing || !had_tries || set_late || tried || was_held,
            "`{id}` lapsed at {} and nobody had tried to renew it",
            change["at"]
        );
    }
    Ok(())
}

/// Debits equal credits, the balance equals the sum of its entries, and nothing is spent that is not there.
pub fn money_adds_up(host: &Host) -> Checked {
    let db = host.engine.db();
    for stored in accounts::list(db).unwrap() {
        let id = &stored.account.id;
        let balance = stored.account.balance;
        proptest::prop_assert_eq!(ledger::balance(db, stored.row).unwrap(), balance, "of `{}`", id);
        proptest::prop_assert!(balance.available() >= Micros::ZERO, "`{}` owes {}", id, balance.available());
        proptest::prop_assert_eq!(balance.held(), Micros::ZERO, "`{}` holds money for nothing", id);
        entries_never_overdraw(host, stored.row, id)?;
        events_tell_the_balance(host, id, stored.row)?;
    }
    orders_are_paid_by_entries(host)
}

fn entries_never_overdraw(host: &Host, row: AccountKey, id: &str) -> Checked {
    let mut entries = Vec::new();
    for entry in ledger::list(host.engine.db(), row).unwrap() {
        entries.push(entry);
        let sofar = perennial_domain::ledger::Balance::of_entries(&entries);
        proptest::prop_assert!(sofar.available() >= Micros::ZERO, "`{id}` had {}", sofar.available());
    }
    Ok(())
}

/// Each change that events tell leads from one balance to the next, and from the opening to what there is. Events of one
/// instant are told in the order of their resources, so any order of those will do.
fn events_tell_the_balance(host: &Host, id: &str, row: AccountKey) -> Checked {
    let opening = ledger::list(host.engine.db(), row).unwrap()[0].amount;
    let mut by_instant = BTreeMap::<String, Vec<(Micros, Micros)>>::new();
    for event in host.events("balance_changed").iter().filter(|event| event["account"] == id) {
        let change = (amount(event, "amount"), amount(event, "balance"));
        by_instant.entry(text(event, "at")).or_default().push(change);
    }
    let mut balance = opening;
    for (at, changes) in by_instant {
        let end = balance + changes.iter().map(|(amount, _)| *amount).sum::<Micros>();
        proptest::prop_assert!(
            is_chain(balance, &changes),
            "from {balance} at {at} there is no way along {changes:?}"
        );
        balance = end;
    }
    let stored = accounts::get(host.engine.db(), id).unwrap().unwrap();
    proptest::prop_assert_eq!(balance, stored.account.balance.available());
    Ok(())
}

/// Whether the changes, in some order, lead from one balance to the next.
fn is_chain(balance: Micros, changes: &[(Micros, Micros)]) -> bool {
    let leads_on = |place: usize| {
        let (amount, after) = changes[place];
        let mut others = changes.to_vec();
        others.remove(place);
        balance + amount == after && is_chain(after, &others)
    };
    changes.is_empty() || (0..changes.len()).any(leads_on)
}

fn orders_are_paid_by_entries(host: &Host) -> Checked {
    let (paid, spent) = testing::paid_and_spent(host.db());
    proptest::prop_assert_eq!(paid, spent, "periods paid for, and money spent");
    Ok(())
}

/// An expiry never moves backwards but by unsubscription or conversion.
pub fn no_expiry_moves_back(host: &Host) -> Checked {
    let mut expiries = BTreeMap::<String, String>::new();
    for line in &host.lines {
        let event = serde_json::from_str::<Value>(line).unwrap();
        let resource = event["resource"].as_str().unwrap_or_default().to_owned();
        if event["type"] == "unsubscribed" || event["type"] == "converted" {
            expiries.remove(&resource);
        }
        if event["type"] == "renewal_settled" {
            let (before, after) = (text(&event, "expires_before"), text(&event, "expires_at"));
            proptest::prop_assert!(before < after, "`{resource}` was renewed from {before} to {after}");
            if let Some(known) = expiries.get(&resource) {
                proptest::prop_assert!(
                    *known <= before,
                    "`{resource}` was paid to {known} and renewed from {before}"
                );
            }
            expiries.insert(resource, after);
        }
    }
    for (resource, expiry) in expiries {
        let (bundle, place) = bundles::find_by_resource(host.db(), &resource).unwrap().unwrap();
        let now = bundle.bundle[place].expires_at;
        let is_behind = now.is_some_and(|now| now < expiry.parse().unwrap());
        proptest::prop_assert!(!is_behind, "`{resource}` was paid to {expiry} and expires at {now:?}");
    }
    Ok(())
}

/// What is held waits for somebody, or has ended, and is told of; nothing dear is paid for that nobody approved of.
pub fn what_is_dear_is_held(host: &Host, until: i64) -> Checked {
    intact(host)?;
    let undecidable = integrity::undecidable_approvals(host.db(), until).unwrap();
    none_of("an approval is open and there is nothing to decide on", &undecidable)?;
    let unapproved = testing::paid_without_approval(host.db());
    none_of("more was paid at once than may be without an approval", &unapproved)?;
    let asked = approvals::list(host.db(), &Filter::default(), RowKey::before_all(), u32::MAX).unwrap();
    let told = |kind| host.events(kind).iter().map(|event| text(event, "approval")).collect::<Vec<_>>();
    let (mut requested, ended) =
        (told("approval_requested"), [told("approval_expired"), told("approval_decided")]);
    requested.sort();
    requested.dedup();
    proptest::prop_assert_eq!(requested.len(), asked.len(), "every approval is told of");
    let closed = asked.iter().filter(|approval| approval.state != State::Pending);
    let closed = closed.map(|approval| approval.id.clone()).collect::<Vec<_>>();
    let mut ended = ended.concat();
    ended.sort();
    proptest::prop_assert_eq!(&ended, &{
        let mut closed = closed;
        closed.sort();
        closed
    });
    Ok(())
}

/// Checks every promise of this file.
pub fn all(host: &Host, until: i64) -> Checked {
    no_period_is_paid_twice(host)?;
    everything_live_has_a_wake(host, until)?;
    what_lapsed_despite_auto_renew_has_a_reason(host)?;
    money_adds_up(host)?;
    what_is_dear_is_held(host, until)?;
    no_expiry_moves_back(host)
}

/// A field that is text.
pub fn text(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap_or_default().to_owned()
}

fn at(event: &Value) -> i64 {
    perennial_domain::timestamp::Timestamp::as_second(text(event, "at").parse().unwrap())
}

fn amount(event: &Value, name: &str) -> Micros {
    text(event, name).parse().unwrap()
}
