//! The `call_gate` and `sending_pause` tables: what quotas and breakers are at, and whether all sending is paused.

use perennial_domain::connected::dispatch::Api;
use perennial_domain::connected::dispatch::Gate;
use perennial_domain::connected::dispatch::Obstacle;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Writes what the calls of an account to `api` are at.
pub fn set(db: &WriteTx, account: AccountKey, api: Api, gate: &Gate) -> Result<(), StoreError> {
    let (level_at, level) = gate.level.unzip();
    let (obstacle, closed_until) = gate.closed_until.unzip();
    db.connection()
        .prepare_cached(
            "insert into call_gate (account, api, level_at, level, failures, obstacle, closed_until)
             values (:account, :api, :level_at, :level, :failures, :obstacle, :closed_until)
             on conflict (account, api) do update set level_at = :level_at, level = :level, failures = :failures,
                 obstacle = :obstacle, closed_until = :closed_until",
        )?
        .execute(named_params! {
            ":account": account,
            ":api": api.code(),
            ":level_at": level_at.map(Timestamp::as_second),
            ":level": level,
            ":failures": gate.failures,
            ":obstacle": obstacle.map(Obstacle::code),
            ":closed_until": closed_until.map(Timestamp::as_second),
        })?;
    Ok(())
}

/// What the calls of an account to `api` were at; `None` before the first.
pub fn get(db: &ReadTx, account: AccountKey, api: Api) -> Result<Option<Gate>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select level_at, level, failures, obstacle, closed_until from call_gate where account = ?1 and api = ?2",
    )?;
    let found = statement.query_row((account, api.code()), |row| {
        let obstacle: Option<i64> = row.get(3)?;
        let level: Option<i64> = row.get(1)?;
        let gate =
            Gate { level: codec::instant(row, 0)?.zip(level), failures: row.get(2)?, closed_until: None };
        Ok((gate, obstacle, codec::instant(row, 4)?))
    });
    let Some((gate, obstacle, until)) = found.optional()? else { return Ok(None) };
    let obstacle = obstacle.map(|code| codec::coded(Obstacle::from_code, code, "why nothing is sent"));
    Ok(Some(Gate { closed_until: obstacle.transpose()?.zip(until), ..gate }))
}

/// Since when nothing is sent to any provider, and which token said so; `None` while calls are sent.
pub fn paused(db: &ReadTx) -> Result<Option<(Timestamp, String)>, StoreError> {
    let mut statement = db.connection().prepare_cached("select paused_at, paused_by from sending_pause")?;
    let found = statement.query_row([], |row| Ok((Timestamp::from_second(row.get(0)?), row.get(1)?)));
    Ok(found.optional()?)
}

/// Pauses all sending, or resumes it: `None`.
pub fn set_paused(db: &WriteTx, pause: Option<(Timestamp, &str)>) -> Result<(), StoreError> {
    match pause {
        Some((at, by)) => db
            .connection()
            .prepare_cached(
                "insert into sending_pause (id, paused_at, paused_by) values (1, ?1, ?2) on conflict (id) do nothing",
            )?
            .execute((at.as_second(), by))?,
        None => db.connection().prepare_cached("delete from sending_pause")?.execute([])?,
    };
    Ok(())
}
