//! The `policy_difference` table: what shadow policies would have done otherwise than was done.

use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::difference::Effect;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::PolicyDifferenceKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A difference that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPolicyDifference {
    /// When the plan was ruled on.
    pub at: Timestamp,
    /// The shadow policy ...
    pub policy: String,
    /// ... and the digest of its script.
    pub digest: String,
    /// The plan's account.
    pub account: AccountKey,
    /// The resource that was named.
    pub resource: ResourceKey,
    /// The name of the command.
    pub command: &'static str,
    /// The clock or a command.
    pub cause: Cause,
    /// The resource's expiry then.
    pub expires_before: Option<Timestamp>,
    /// What the policy would have done.
    pub ruling: Effect,
    /// The effect of the policies that are followed.
    pub followed: Effect,
    /// The policy's words.
    pub reason: String,
    /// Until when it would have put the plan off.
    pub until: Option<Timestamp>,
    /// What the plan that was followed costs; `None` when nobody knows.
    pub cost: Option<Micros>,
    /// What it would cost as the policy would amend it.
    pub amended_cost: Option<Micros>,
}

/// A difference as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDifference {
    /// Its row; later ones have larger ones.
    pub row: PolicyDifferenceKey,
    /// The digest of the script.
    pub digest: String,
    /// The account's id.
    pub account_id: String,
    /// The currency of its amounts.
    pub currency: String,
    /// The resource's id.
    pub resource_id: String,
    /// The name of the command.
    pub command: String,
    /// The clock or a command.
    pub cause: Cause,
    /// What the policy would have done.
    pub ruling: Effect,
    /// The effect of the policies that are followed.
    pub followed: Effect,
    /// The policy's words.
    pub reason: String,
    /// Until when it would have put the plan off.
    pub until: Option<Timestamp>,
    /// What the plan that was followed costs.
    pub cost: Option<Micros>,
    /// What it would cost as the policy would amend it.
    pub amended_cost: Option<Micros>,
    /// When the plan was first ruled on ...
    pub first_at: Timestamp,
    /// ... and last ...
    pub last_at: Timestamp,
    /// ... and how often.
    pub times: u32,
}

/// The differences of one kind, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceTotal {
    /// What the policy would have done.
    pub ruling: Effect,
    /// The effect of the policies that are followed.
    pub followed: Effect,
    /// The currency of the amount.
    pub currency: String,
    /// The number of plans.
    pub plans: u32,
    /// What they cost as they were followed.
    pub cost: Micros,
    /// What they would cost as the policy would amend them.
    pub amended_cost: Micros,
}

/// Keeps a difference. The same plan, tried again, is the same difference, with what was and would have been done the last time.
pub(crate) fn record(db: &WriteTx, new: &NewPolicyDifference) -> Result<(), StoreError> {
    let values = named_params! {
        ":policy": new.policy,
        ":digest": new.digest,
        ":account": new.account,
        ":resource": new.resource,
        ":command": new.command,
        ":cause": new.cause.name(),
        ":expires_before": new.expires_before.map(Timestamp::as_second),
        ":ruling": new.ruling.name(),
        ":followed": new.followed.name(),
        ":reason": new.reason,
        ":until": new.until.map(Timestamp::as_second),
        ":cost": new.cost.map(Micros::as_micros),
        ":amended_cost": new.amended_cost.map(Micros::as_micros),
        ":at": new.at.as_second(),
    };
    let is_known = db
        .connection()
        .prepare_cached(
            "update or replace policy_difference set account = :account, ruling = :ruling, followed = :followed,
                 reason = :reason, until = :until, cost = :cost, amended_cost = :amended_cost, last_at = :at,
                 times = times + 1
             where policy = :policy and digest = :digest and resource = :resource and command = :command
                 and cause = :cause and coalesce(expires_before, 0) = coalesce(:expires_before, 0)",
        )?
        .execute(values)?
        > 0;
    if is_known {
        return Ok(());
    }
    db.connection()
        .prepare_cached(
            "insert into policy_difference (policy, digest, account, resource, command, cause, expires_before, ruling,
                 followed, reason, until, cost, amended_cost, first_at, last_at, times)
             values (:policy, :digest, :account, :resource, :command, :cause, :expires_before, :ruling, :followed, :reason,
                 :until, :cost, :amended_cost, :at, :at, 1)",
        )?
        .execute(values)?;
    Ok(())
}

/// The differences of a policy that one may see, above the row `after`, in the order in which they were first found, at most
/// `limit`. `accounts` is a JSON list of ids, `digest` that of one version of its script.
pub fn list(
    db: &ReadTx,
    policy: &str,
    (accounts, digest): (Option<&str>, Option<&str>),
    after: PolicyDifferenceKey,
    limit: u32,
) -> Result<Vec<PolicyDifference>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select d.*, a.id as account_id, a.currency, r.id as resource_id from policy_difference d
         join account a on a.row = d.account join resource r on r.row = d.resource
         where d.policy = :policy and d.row > :after and (:digest is null or d.digest = :digest)
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
         order by d.row limit :limit",
    )?;
    let differences = statement.query_and_then(
        named_params! {
            ":policy": policy, ":after": after, ":digest": digest, ":accounts": accounts, ":limit": limit
        },
        stored,
    )?;
    differences.collect()
}

/// The same, by kind and currency, in the order of the words.
pub fn totals(
    db: &ReadTx,
    policy: &str,
    (accounts, digest): (Option<&str>, Option<&str>),
) -> Result<Vec<DifferenceTotal>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select d.ruling, d.followed, a.currency, count(*) as plans, sum(d.cost) as cost, sum(d.amended_cost) as amended_cost
         from policy_difference d join account a on a.row = d.account
         where d.policy = :policy and (:digest is null or d.digest = :digest)
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
         group by d.ruling, d.followed, a.currency order by d.ruling, d.followed, a.currency",
    )?;
    let totals = statement.query_and_then(
        named_params! { ":policy": policy, ":digest": digest, ":accounts": accounts },
        |row| {
            let sum = |name| Ok::<_, StoreError>(row.get::<_, Option<i64>>(name)?.unwrap_or_default());
            Ok(DifferenceTotal {
                ruling: effect(row, "ruling")?,
                followed: effect(row, "followed")?,
                currency: row.get("currency")?,
                plans: row.get("plans")?,
                cost: Micros::new(sum("cost")?),
                amended_cost: Micros::new(sum("amended_cost")?),
            })
        },
    )?;
    totals.collect()
}

/// Whether a difference was last found before an instant.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn has_before(db: &ReadTx, before: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select exists (select 1 from policy_difference where last_at < ?1)")?;
    Ok(statement.query_row([before.as_second()], |row| row.get(0))?)
}

/// Deletes the differences that were last found before `before`, the oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn delete_before(db: &WriteTx, before: Timestamp, limit: u32) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "delete from policy_difference where row in
                 (select row from policy_difference where last_at < ?1 order by last_at limit ?2)",
        )?
        .execute((before.as_second(), limit))?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<PolicyDifference, StoreError> {
    let cause: String = row.get("cause")?;
    let found = Cause::ALL.into_iter().find(|one| one.name() == cause);
    let amount = |name| Ok::<_, StoreError>(row.get::<_, Option<i64>>(name)?.map(Micros::new));
    Ok(PolicyDifference {
        row: row.get("row")?,
        digest: row.get("digest")?,
        account_id: row.get("account_id")?,
        currency: row.get("currency")?,
        resource_id: row.get("resource_id")?,
        command: row.get("command")?,
        cause: found.ok_or(StoreError::Damaged { what: "a difference", found: cause })?,
        ruling: effect(row, "ruling")?,
        followed: effect(row, "followed")?,
        reason: row.get("reason")?,
        until: codec::instant(row, "until")?,
        cost: amount("cost")?,
        amended_cost: amount("amended_cost")?,
        first_at: Timestamp::from_second(row.get("first_at")?),
        last_at: Timestamp::from_second(row.get("last_at")?),
        times: row.get("times")?,
    })
}

fn effect(row: &Row<'_>, column: &str) -> Result<Effect, StoreError> {
    let text: String = row.get(column)?;
    let found = Effect::ALL.into_iter().find(|one| one.name() == text);
    found.ok_or(StoreError::Damaged { what: "a difference", found: text })
}
