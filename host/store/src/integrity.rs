//! What must be so of every database, checked against the rows themselves.
//!
//! Each rule is a promise of the host; a violation names the rows that break it. Checking reads and changes nothing.

use std::fmt;

use crate::accounts;
use crate::content_digests;
use crate::error::StoreError;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;

use crate::keys::AccountKey;
use crate::ledger;
use crate::tx::ReadTx;

/// A promise that a database breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The promise, such as `no period is paid for twice`.
    pub promise: &'static str,
    /// The rows that break it, in words.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.promise, self.found)
    }
}

/// A promise with a query that finds what breaks it, one text per violation.
struct Rule {
    promise: &'static str,
    violations: &'static str,
}

/// The rules about rows. Stages up to 2 are live, charging 0 is prepaid; an order of state 0 waits to be paid and one of
/// state 1 is paid, kinds up to 1 are purchases and renewals.
const RULES: [Rule; 13] = [
    Rule {
        promise: "the file is whole",
        violations: "select integrity_check from pragma_integrity_check where integrity_check <> 'ok'",
    },
    Rule {
        promise: "no period of a resource is paid for twice",
        violations: "
            with paid as (
                select row, id, resource, starts_at, ends_at,
                    max(ends_at) over (partition by resource order by starts_at, row
                        rows between unbounded preceding and 1 preceding) as paid_until
                from orders where refunded_at is null and state = 1 and kind <= 1)
            select 'the orders ' || min(one.id, other.id) || ' and ' || max(one.id, other.id) || ' of ' || r.id || ' overlap'
            from paid one join orders other on other.resource = one.resource
            join resource r on r.row = one.resource
            where one.starts_at < one.paid_until
              and other.refunded_at is null and other.state = 1 and other.kind <= 1
              and (other.starts_at, other.row) < (one.starts_at, one.row)
              and one.starts_at < other.ends_at and other.starts_at < one.ends_at",
    },
    Rule {
        promise: "every period ends after it starts",
        violations: "select 'the order ' || id from orders where ends_at <= starts_at",
    },
    Rule {
        promise: "every paid renewal has a settled attempt",
        violations: "
            select 'the order ' || o.id from orders o where o.kind = 1 and o.state = 1 and o.refunded_at is null and not exists
                (select 1 from schedule own join schedule along on along.bundle = own.bundle
                 join attempt a on a.resource = along.resource and a.state <> 'void' and a.state = 'settled'
                 join resource r on r.row = a.resource
                 where own.resource = o.resource and substr(o.id, 1, length(r.id) + 1) = r.id || '/')
              and not exists (select 1 from orders along where along.id = o.id and along.refunded_at is not null)",
    },
    Rule {
        promise: "no order of a resource that has ended waits to be paid",
        violations: "
            select 'the order ' || o.id || ' of ' || r.id from orders o join resource r on r.row = o.resource
            join schedule h on h.resource = o.resource where o.state = 0 and h.stage in (3, 4)",
    },
    Rule {
        promise: "every bundle with a live prepaid member has a wake",
        violations: "
            select 'the bundle of ' || r.id from schedule h join resource r on r.row = h.resource
            where h.resource = h.bundle and h.wake_at is null and exists
                (select 1 from schedule m where m.bundle = h.bundle and m.charging = 0 and m.stage <= 2)",
    },
    Rule {
        promise: "every resource has a schedule, and its bundle's primary has one",
        violations: "
            select 'the resource ' || r.id from resource r left join schedule h on h.resource = r.row
            left join schedule p on p.resource = h.bundle where p.resource is null or p.bundle <> p.resource",
    },
    Rule {
        promise: "no two attempts at one renewal got past a decline and an approval",
        violations: "
            select 'the attempts ' || one.row || ' and ' || other.row || ' at ' || r.id from attempt one
            join attempt other on other.resource = one.resource and other.expires_before = one.expires_before
                and other.row > one.row
            join resource r on r.row = one.resource
            where one.state not in ('void', 'declined', 'awaiting_approval')
              and other.state not in ('void', 'declined', 'awaiting_approval')",
    },
    Rule {
        promise: "every attempt that awaits an approval has a pending one",
        violations: "
            select 'an attempt of ' || r.id from attempt a join resource r on r.row = a.resource
            where a.state = 'awaiting_approval' and not exists
                (select 1 from approval p where p.attempt = a.row and p.state = 'pending')",
    },
    Rule {
        promise: "every attempt of a pending approval awaits it",
        violations: "
            select 'the attempt of ' || p.id || ' is ' || a.state from approval p join attempt a on a.row = p.attempt
            where p.state = 'pending' and a.state <> 'awaiting_approval'",
    },
    Rule {
        promise: "no two approvals of a resource are pending for the same command",
        violations: "
            select one.id || ' and ' || other.id from approval one join approval other
                on other.resource = one.resource and other.row > one.row and other.command = one.command
            where one.state = 'pending' and other.state = 'pending'",
    },
    Rule {
        promise: "every approval that is not pending was closed",
        violations: "
            select p.id || ' is ' || p.state from approval p where (p.state = 'pending') = (p.closed_at is not null)",
    },
    Rule {
        promise: "every row refers to rows that are there",
        violations: "
            select 'row ' || coalesce(rowid, '-') || ' of ' || \"table\" || ' refers to a missing row of ' || parent
            from pragma_foreign_key_check",
    },
];

/// Checks every promise in one snapshot; returns what breaks one, none when all is well.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn check(db: &ReadTx) -> Result<Vec<Violation>, StoreError> {
    if db.connection().is_autocommit() { db.snapshot(violations)? } else { violations(db) }
}

fn violations(db: &ReadTx) -> Result<Vec<Violation>, StoreError> {
    let mut violations = Vec::new();
    for account in accounts::list(db)? {
        check_money(db, account.row, &account.account.id, &mut violations)?;
    }
    for rule in &RULES {
        let mut statement = db.connection().prepare(rule.violations)?;
        let found = statement.query_map([], |row| row.get(0))?;
        for found in found {
            violations.push(Violation { promise: rule.promise, found: found? });
        }
    }
    let promise = "every script and component is what its digest says";
    let altered = content_digests::violations(db)?;
    violations.extend(altered.into_iter().map(|found| Violation { promise, found }));
    Ok(violations)
}

/// Checks an account's balance against its entries, and its entries against its orders.
fn check_money(
    db: &ReadTx,
    row: AccountKey,
    id: &str,
    violations: &mut Vec<Violation>,
) -> Result<(), StoreError> {
    let (available, held) = projection(db, row)?;
    let entries = ledger::balance(db, row)?;
    if (entries.available(), entries.held()) != (available, held) {
        let found = format!(
            "`{id}` has {available} and {held} held, and its entries come to {} and {} held",
            entries.available(),
            entries.held()
        );
        violations.push(Violation { promise: "every balance is the sum of its entries", found });
    }
    let in_flight = "select exists(select 1 from attempt a join resource r on r.row = a.resource
        where r.account = ?1 and a.state in ('reserved', 'calling', 'submitted', 'in_doubt'))";
    let is_in_flight: bool = db.connection().prepare_cached(in_flight)?.query_row([row], |row| row.get(0))?;
    if held != Micros::ZERO && !is_in_flight {
        let found = format!("`{id}` holds {held}, and no renewal of it is under way");
        violations.push(Violation { promise: "money is held only for a renewal under way", found });
    }
    let entries = ledger::list(db, row)?;
    let paid_kinds = [
        (OrderKind::Renewal, Reason::Renewal, "renewals cost what was paid for them"),
        (OrderKind::Upgrade, Reason::Upgrade, "upgrades cost what was paid for them"),
    ];
    for (kind, reason, promise) in paid_kinds {
        let cost = "select coalesce(sum(o.cost), 0) from orders o join resource r on r.row = o.resource
            where r.account = ?1 and o.kind = ?2 and o.state = 1";
        let cost: i64 =
            db.connection().prepare_cached(cost)?.query_row((row, kind.code()), |row| row.get(0))?;
        let cost = Micros::new(cost);
        let spent = entries.iter().filter(|entry| entry.to == Book::Spent && entry.reason == reason);
        let spent = spent.map(|entry| entry.amount).sum::<Micros>();
        if cost != spent {
            let found = format!("the {}s of `{id}` cost {cost}, and {spent} was paid", kind.name());
            violations.push(Violation { promise, found });
        }
    }
    Ok(())
}

/// The balance as the account's row has it, also one that no host would write.
fn projection(db: &ReadTx, row: AccountKey) -> Result<(Micros, Micros), StoreError> {
    let mut statement =
        db.connection().prepare_cached("select available, held from account where row = ?1")?;
    Ok(statement.query_row([row], |row| Ok((Micros::new(row.get(0)?), Micros::new(row.get(1)?))))?)
}

/// The ids of primaries whose wake is at or before `until`: their bundles are due.
pub fn due(db: &ReadTx, until: i64) -> Result<Vec<String>, StoreError> {
    ids(
        db,
        "select r.id from schedule h join resource r on r.row = h.resource where h.wake_at <= ?1 order by r.id",
        until,
    )
}

/// The ids of prepaid resources that expired more than a day before `until` and are still active.
pub fn expired_but_active(db: &ReadTx, until: i64) -> Result<Vec<String>, StoreError> {
    ids(
        db,
        "select r.id from schedule h join resource r on r.row = h.resource
         where h.stage = 0 and h.charging = 0 and h.expires_at + 86400 < ?1 order by r.id",
        until,
    )
}

/// The ids of pending approvals that nobody can decide on at `until`: they have expired, or their resource has gone on.
pub fn undecidable_approvals(db: &ReadTx, until: i64) -> Result<Vec<String>, StoreError> {
    ids(
        db,
        "select p.id from approval p join schedule h on h.resource = p.resource
         where p.state = 'pending'
           and (p.expires_at <= ?1 or h.expires_at is not p.expires_before
                or (h.stage > 2 and p.command not like '%subscribe%' and p.command not like '%buy_again%'
                    and p.command not like '%_order%')) order by p.row",
        until,
    )
}

fn ids(db: &ReadTx, sql: &str, until: i64) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare_cached(sql)?;
    let ids = statement.query_map([until], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}
