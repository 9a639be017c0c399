//! What must be so of a database and of what happened, whatever the world was: each function is one promise.

use std::collections::BTreeMap;

use perennial_domain::micros::Micros;
use perennial_store::accounts;
use perennial_store::ledger;
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use crate::host::Host;

/// What a check comes to.
pub type Checked = Result<(), TestCaseError>;

fn none_of(host: &Host, what: &str, sql: &str) -> Checked {
    let found = host.rows(sql);
    proptest::prop_assert!(found.is_empty(), "{what}: {found:#?}");
    Ok(())
}

/// No period of a resource is paid for twice.
pub fn no_period_is_paid_twice(host: &Host) -> Checked {
    none_of(
        host,
        "two orders that were not refunded overlap",
        "select r.id, one.id, other.id, one.starts_at, one.ends_at, other.starts_at, other.ends_at
         from orders one join orders other on other.resource = one.resource and other.row > one.row
         join resource r on r.row = one.resource
         where one.refunded_at is null and other.refunded_at is null
           and one.starts_at < other.ends_at and other.starts_at < one.ends_at",
    )?;
    none_of(
        host,
        "a period lasts no time",
        "select id, starts_at, ends_at from orders where ends_at <= starts_at",
    )?;
    none_of(
        host,
        "a renewal was paid for and has no settled attempt, although nothing that was renewed with it was refunded",
        "select o.id from orders o where o.is_renewal and o.refunded_at is null and not exists
             (select 1 from attempt a join resource r on r.row = a.resource
              where a.state = 'settled' and o.id like r.id || '/%')
           and not exists (select 1 from orders along where along.id = o.id and along.refunded_at is not null)",
    )?;
    let mut seen = BTreeMap::<(String, String), u32>::new();
    for settled in host.events("renewal_settled") {
        *seen.entry((text(&settled, "resource"), text(&settled, "expires_before"))).or_default() += 1;
    }
    let refunded = host.rows(
        "select r.id from orders o join resource r on r.row = o.resource where o.refunded_at is not null",
    );
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
    none_of(
        host,
        "a bundle with a live prepaid member has no wake",
        "select r.id from schedule h join resource r on r.row = h.resource
         where h.resource = h.bundle and h.wake_at is null and exists
             (select 1 from schedule m where m.bundle = h.bundle and m.charging = 0 and m.stage <= 2)",
    )?;
    let overdue = format!(
        "select r.id, h.wake_at from schedule h join resource r on r.row = h.resource where h.wake_at <= {until}"
    );
    none_of(host, "something that was due is not done", &overdue)?;
    none_of(
        host,
        "a resource expired and is still active",
        &format!(
            "select r.id, h.expires_at from schedule h join resource r on r.row = h.resource
             where h.stage = 0 and h.charging = 0 and h.expires_at + 86400 < {until}"
        ),
    )
}

/// A resource with auto-renew that expired was tried: it has an attempt, an approval or a reason.
pub fn what_lapsed_despite_auto_renew_has_a_reason(host: &Host) -> Checked {
    let mut declined = BTreeMap::<String, Vec<String>>::new();
    for event in host.events("renewal_declined") {
        declined.entry(text(&event, "resource")).or_default().push(text(&event, "at"));
    }
    let renewing = host.rows(
        "select r.id from schedule h join resource r on r.row = h.resource join schedule p on p.resource = h.bundle
         where h.on_expiry = 1 and h.stage in (1, 2, 3) and h.resource = h.bundle",
    );
    for change in host.events("stage_changed").iter().filter(|change| change["from"] == "active") {
        let id = text(change, "resource");
        let is_renewing = renewing.contains(&id);
        // What had expired when it was imported had its tries before.
        let had_tries = at(change) > crate::world::FROM + 8 * crate::world::DAY;
        let set_late = host.events("setting_changed").iter().any(|event| text(event, "resource") == id);
        let tried =
            declined.get(&id).is_some_and(|tries| tries.iter().any(|tried| *tried <= text(change, "at")));
        // After an outage somebody is asked when it is too late already.
        let held = host.rows(&format!(
            "select p.id from approval p join resource r on r.row = p.resource
             where r.id = '{id}' and p.cause = 'auto' and p.expires_before between {0} - 86400 and {0}",
            at(change)
        ));
        proptest::prop_assert!(
            !is_renewing || !had_tries || set_late || tried || !held.is_empty(),
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

fn entries_never_overdraw(host: &Host, row: i64, id: &str) -> Checked {
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
fn events_tell_the_balance(host: &Host, id: &str, row: i64) -> Checked {
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
    let paid = host
        .rows("select coalesce(sum(paid), 0) from orders where is_renewal or id like 'purchase/package-%.%'");
    let spent =
        host.rows("select coalesce(sum(amount), 0) from ledger_entry where from_book = 1 and to_book = 3");
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
        let second = perennial_domain::timestamp::Timestamp::as_second(expiry.parse().unwrap());
        let behind = format!(
            "select r.id, h.expires_at from schedule h join resource r on r.row = h.resource
             where r.id = '{resource}' and h.expires_at < {second}"
        );
        none_of(host, "an expiry moved back", &behind)?;
    }
    Ok(())
}

/// What is held waits for somebody, or has ended, and is told of; nothing dear is paid for that nobody approved of.
pub fn what_is_dear_is_held(host: &Host, until: i64) -> Checked {
    none_of(
        host,
        "an attempt awaits an approval that is not open",
        "select r.id, a.changed_at from attempt a join resource r on r.row = a.resource
         where a.state = 'awaiting_approval' and not exists
             (select 1 from approval p where p.attempt = a.row and p.state = 'pending')",
    )?;
    none_of(
        host,
        "an approval is open and its attempt does not await it",
        "select p.id, a.state from approval p join attempt a on a.row = p.attempt
         where p.state = 'pending' and a.state <> 'awaiting_approval'",
    )?;
    none_of(
        host,
        "an approval is open and there is nothing to decide on",
        &format!(
            "select p.id from approval p join schedule h on h.resource = p.resource
             where p.state = 'pending'
               and (p.expires_at <= {until} or h.stage > 2 or h.expires_at is not p.expires_before)"
        ),
    )?;
    none_of(
        host,
        "two approvals of one resource are open for the same",
        "select one.id, other.id from approval one join approval other
         on other.resource = one.resource and other.row > one.row and other.command = one.command
         where one.state = 'pending' and other.state = 'pending'",
    )?;
    none_of(
        host,
        "more was paid at once than may be without an approval",
        "select e.resource, e.at, e.amount, a.approval_above from ledger_entry e join account a on a.row = e.account
         where e.to_book = 3 and e.amount > a.approval_above and not exists
             (select 1 from approval p where p.account = a.row and p.state = 'approved' and p.cost = e.amount)",
    )?;
    let asked = host.rows("select id from approval");
    let told = |kind| host.events(kind).iter().map(|event| text(event, "approval")).collect::<Vec<_>>();
    let (mut requested, ended) =
        (told("approval_requested"), [told("approval_expired"), told("approval_decided")]);
    requested.sort();
    requested.dedup();
    proptest::prop_assert_eq!(requested.len(), asked.len(), "every approval is told of");
    let closed = host.rows("select id from approval where state <> 'pending'");
    let mut ended = ended.concat();
    ended.sort();
    proptest::prop_assert_eq!(&ended, &{
        let mut closed = closed;
        closed.sort();
        closed
    });
    Ok(())
}

/// All of it.
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
