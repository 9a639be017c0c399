//! Moves a database of an older schema forward, step by step, in one transaction.
//!
//! Each step is a file in `migrations/`, named after the schema that it leads to. The first schema that can be migrated is
//! `OLDEST`. A copy of the file is kept beside it before anything is written, and nothing else knows old schemas.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::SCHEMA_VERSION;
use crate::copies;
use crate::error::StoreError;
use crate::open_read_only;

/// The oldest schema that can be migrated.
pub(crate) const OLDEST: i64 = 3;

/// A step from the schema before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The schema that it leads to.
    pub to: i64,
    /// What changes, in a few words.
    pub summary: &'static str,
    sql: &'static str,
}

/// Every step, in order; each leads to the number after the one before.
const STEPS: [Step; 22] = [
    Step {
        to: 4,
        summary: "tables, columns and stored words get the names of the industry",
        sql: include_str!("migrations/0004_standard_words.sql"),
    },
    Step {
        to: 5,
        summary: "orders get a kind and a state, the clock its kind, calendars an id, and some stored words their names",
        sql: include_str!("migrations/0005_orders_and_clocks.sql"),
    },
    Step {
        to: 6,
        summary: "accounts get budgets, approvals the policies that require them, and renewals can be put off",
        sql: include_str!("migrations/0006_policies.sql"),
    },
    Step {
        to: 7,
        summary: "refunds say their handling fee, wakes the plugin's revision that they are from, and used signatures their request",
        sql: include_str!("migrations/0007_fees_and_revisions.sql"),
    },
    Step {
        to: 8,
        summary: "tokens belong to people, and a raise of an approval limit may wait for a second one",
        sql: include_str!("migrations/0008_people.sql"),
    },
    Step {
        to: 9,
        summary: "policies hold on a running host, with their versions, changes and differences, and tokens get labels",
        sql: include_str!("migrations/0009_running_policies.sql"),
    },
    Step {
        to: 10,
        summary: "decisions say how much fuel they took, and new ones are packed",
        sql: include_str!("migrations/0010_packed_decisions.sql"),
    },
    Step {
        to: 11,
        summary: "refunds say which command they are from",
        sql: include_str!("migrations/0011_refund_numbers.sql"),
    },
    Step {
        to: 12,
        summary: "accounts may be kept by their provider, with connections, syncs and drift",
        sql: include_str!("migrations/0012_connected_accounts.sql"),
    },
    Step {
        to: 13,
        summary: "calls to clouds are written down before they are sent",
        sql: include_str!("migrations/0013_calls.sql"),
    },
    Step {
        to: 14,
        summary: "revisions of plugins are kept with their bytes, and bound to accounts",
        sql: include_str!("migrations/0014_plugin_revisions.sql"),
    },
    Step {
        to: 15,
        summary: "people are told of events through channels, and acknowledge warnings",
        sql: include_str!("migrations/0015_channels.sql"),
    },
    Step {
        to: 16,
        summary: "accounts may be driven: calls keep their history, quotas and pauses are stored",
        sql: include_str!("migrations/0016_driven_accounts.sql"),
    },
    Step {
        to: 17,
        summary: "revisions of plugins may be granted more than every plugin has",
        sql: include_str!("migrations/0017_grants.sql"),
    },
    Step {
        to: 18,
        summary: "plugins that fail have breakers, and bundles that they fail over are parked",
        sql: include_str!("migrations/0018_plugin_breakers.sql"),
    },
    Step {
        to: 19,
        summary: "calls to clouds also carry commands that are no renewals",
        sql: include_str!("migrations/0019_commands_on_clouds.sql"),
    },
    Step {
        to: 20,
        summary: "client tokens of commands say when they run out, and are forgotten then",
        sql: include_str!("migrations/0020_client_tokens.sql"),
    },
    Step {
        to: 21,
        summary: "events are found by their instant",
        sql: include_str!("migrations/0021_event_time.sql"),
    },
    Step {
        to: 22,
        summary: "what an inventory changed is known while its plugin fails, and which changes of bindings are roll-backs",
        sql: include_str!("migrations/0022_changed_bundles.sql"),
    },
    Step {
        to: 23,
        summary: "syncs may be incremental, and say how many requests they took",
        sql: include_str!("migrations/0023_incremental_syncs.sql"),
    },
    Step {
        to: 24,
        summary: "who last changed how a resource renews by itself is known",
        sql: include_str!("migrations/0024_renewal_authors.sql"),
    },
    Step {
        to: 25,
        summary: "sessions that were signed out stay so, and the audit log names revisions of plugins",
        sql: include_str!("migrations/0025_ended_sessions.sql"),
    },
];

/// The schema that the last step leads to: the present one.
pub(crate) const NEWEST: i64 = STEPS[STEPS.len() - 1].to;

/// A migration that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The schema before.
    pub from: i64,
    /// The schema now.
    pub to: i64,
    /// The copy of the database as it was before.
    pub backup: PathBuf,
}

/// The schema of the database behind `connection`; 0 for one without tables.
///
/// # Errors
///
/// [`StoreError::Sqlite`] when the file is not a database or cannot be read.
pub fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("pragma user_version", [], |row| row.get(0))?)
}

/// The schema of the database at `path`, and the steps that a migration of it would take; also while a host runs.
///
/// # Errors
///
/// [`StoreError::Missing`] when there is no database, and those of [`pending`].
pub fn check(path: &Path) -> Result<(i64, &'static [Step]), StoreError> {
    let found = version(&open_read_only(path)?).map_err(|error| error.while_opening(path))?;
    Ok((found, pending(found, path)?))
}

/// The schema of the database at `path`, if it is whole and this version can work with it or migrate it.
///
/// # Errors
///
/// [`StoreError::NotADatabase`] when the file is damaged or was not written by this program, and those of [`check`].
pub fn verify(path: &Path) -> Result<i64, StoreError> {
    let refused = |reason: String| StoreError::NotADatabase { path: path.to_owned(), reason };
    let connection = open_read_only(path)?;
    let found: Result<String, _> = connection.query_row("pragma quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(found) if found == "ok" => {}
        Ok(found) => return Err(refused(format!("it is damaged: {found}"))),
        Err(error) => return Err(refused(error.to_string())),
    }
    let tables =
        "select count(*) from sqlite_master where type = 'table' and name in ('clock', 'account', 'event')";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
    if tables < 3 {
        return Err(refused("it has none of this program's tables".to_owned()));
    }
    let version = version(&connection)?;
    pending(version, path)?;
    Ok(version)
}

/// The steps that lead from the schema `found` of the database at `path` to the present one; none when it has that.
///
/// # Errors
///
/// [`StoreError::SchemaTooNew`] and [`StoreError::SchemaTooOld`] when no steps lead from there to here.
pub fn pending(found: i64, path: &Path) -> Result<&'static [Step], StoreError> {
    static ALL: &[Step] = &STEPS;
    if found > SCHEMA_VERSION {
        return Err(StoreError::SchemaTooNew { path: path.to_owned(), found, newest: SCHEMA_VERSION });
    }
    if found < OLDEST {
        return Err(StoreError::SchemaTooOld { path: path.to_owned(), found, oldest: OLDEST });
    }
    let first = ALL.iter().position(|step| step.to > found).unwrap_or(ALL.len());
    Ok(&ALL[first..])
}

/// Brings the database at `path` to the present schema and returns what was done; `None` when it has that already.
///
/// The caller holds the lock of the database. A copy is kept beside it as `NAME.vN.backup` first; if anything fails, the
/// database is as it was.
///
/// # Errors
///
/// Those of [`pending`], [`StoreError::Backup`] when the copy cannot be made, and [`StoreError::Migration`] when a step
/// fails.
pub fn migrate(connection: &Connection, path: &Path) -> Result<Option<Migration>, StoreError> {
    if pending(version(connection)?, path)?.is_empty() {
        return Ok(None);
    }
    // From here on nobody else writes, so the copy is what the steps begin with.
    connection.execute_batch("begin immediate")?;
    let migrated = steps(connection, path);
    let end = if migrated.is_ok() { "commit" } else { "rollback" };
    match (connection.execute_batch(end), migrated) {
        (Ok(()), migrated) => migrated,
        (Err(_), Err(error)) => Err(error),
        (Err(error), Ok(_)) => {
            // Nothing was committed; what is still open must not stay so.
            if !connection.is_autocommit() {
                connection.execute_batch("rollback")?;
            }
            Err(error.into())
        }
    }
}

/// Copies the database and carries the steps out, in the transaction that is open.
fn steps(connection: &Connection, path: &Path) -> Result<Option<Migration>, StoreError> {
    let from = version(connection)?;
    let pending = pending(from, path)?;
    let Some(last) = pending.last() else { return Ok(None) };
    let backup = copies::free_name(path, &format!("v{from}.backup"));
    copies::copy(path, &backup)?;
    for step in pending {
        let failed = |source| StoreError::Migration {
            path: path.to_owned(),
            to: step.to,
            backup: backup.clone(),
            source,
        };
        connection.execute_batch(step.sql).map_err(failed)?;
        connection.pragma_update(None, "user_version", step.to).map_err(failed)?;
    }
    Ok(Some(Migration { from, to: last.to, backup }))
}
