//! The `audit` table: who did what, when and why. Append-only.

use perennial_domain::timestamp::Timestamp;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::AuditKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Something that a person or program did, or tried to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The instant of the change.
    pub at: Timestamp,
    /// The id of the token; `cli` for the command line.
    pub token: String,
    /// What the token was called then.
    pub name: String,
    /// The request's id.
    pub request: String,
    /// The account that it is about; `None` when it is about the host.
    pub account: Option<String>,
    /// The resource that it is about, if any.
    pub resource: Option<String>,
    /// What was asked for, such as `POST /v1/accounts/{id}:top-up`.
    pub operation: String,
    /// Why, if they said.
    pub reason: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// `done`, `dry_run` for a dry run with an idempotency key, or the type of the problem.
    pub outcome: String,
    /// The digest of the plugin's revision that it is about, if it is about one.
    pub revision: Option<String>,
}

/// Adds a record.
pub fn insert(db: &WriteTx, record: &Record) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert into audit (at, api_token, token_name, request_id, account, resource, operation, reason, status, outcome, revision)
         values (:at, :api_token, :token_name, :request_id, :account, :resource, :operation, :reason, :status, :outcome,
                 :revision)",
    )?
    .execute(named_params! {
        ":at": record.at.as_second(),
        ":api_token": record.token,
        ":token_name": record.name,
        ":request_id": record.request,
        ":account": record.account,
        ":resource": record.resource,
        ":operation": record.operation,
        ":reason": record.reason,
        ":status": record.status,
        ":outcome": record.outcome,
        ":revision": record.revision,
    })?;
    Ok(())
}

/// Records below `before` in rows, newest first, at most `limit`; only those about `accounts` unless that is `None`.
pub fn list(
    db: &ReadTx,
    accounts: Option<&str>,
    before: AuditKey,
    limit: u32,
) -> Result<Vec<(AuditKey, Record)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from audit
         where row < :before and (:accounts is null or account in (select value from json_each(:accounts)))
         order by row desc limit :limit",
    )?;
    let records = statement.query_map(
        named_params! { ":accounts": accounts, ":before": before, ":limit": limit },
        |row| {
            let record = Record {
                at: Timestamp::from_second(row.get("at")?),
                token: row.get("api_token")?,
                name: row.get("token_name")?,
                request: row.get("request_id")?,
                account: row.get("account")?,
                resource: row.get("resource")?,
                operation: row.get("operation")?,
                reason: row.get("reason")?,
                status: row.get("status")?,
                outcome: row.get("outcome")?,
                revision: row.get("revision")?,
            };
            Ok((row.get("row")?, record))
        },
    )?;
    Ok(records.collect::<Result<_, _>>()?)
}
