//! The `deferral` table: renewals that a policy put off.

use perennial_domain::policy::deferral::Deferral;
use perennial_domain::timestamp::Timestamp;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::MemberKeys;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// The rows of the accounts that have renewals put off, in order.
pub(crate) fn accounts(db: &ReadTx) -> Result<Vec<AccountKey>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select distinct account from deferral order by account")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was put off of a bundle whose members are at `rows`.
pub(crate) fn list(db: &ReadTx, rows: &MemberKeys) -> Result<Vec<Deferral>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from deferral where resource = ?1")?;
    let mut found = Vec::new();
    for (member, row) in rows.iter() {
        let mut deferrals = statement.query([row])?;
        while let Some(row) = deferrals.next()? {
            found.push(Deferral {
                member,
                expires_before: codec::instant(row, "expires_before")?,
                until: Timestamp::from_second(row.get("until")?),
                policy: row.get("policy")?,
                reason: row.get("reason")?,
            });
        }
    }
    Ok(found)
}

/// Puts these renewals of a bundle off, instead of those that were.
pub(crate) fn replace(
    db: &WriteTx,
    account: AccountKey,
    members: &MemberKeys,
    deferrals: &[Deferral],
) -> Result<(), StoreError> {
    for (_, resource) in members.iter() {
        db.connection().prepare_cached("delete from deferral where resource = ?1")?.execute([resource])?;
    }
    for deferral in deferrals {
        db.connection()
            .prepare_cached(
                "insert into deferral (resource, account, expires_before, until, policy, reason)
                 values (:resource, :account, :expires_before, :until, :policy, :reason)",
            )?
            .execute(named_params! {
                ":resource": members[deferral.member],
                ":account": account,
                ":expires_before": deferral.expires_before.map(Timestamp::as_second),
                ":until": deferral.until.as_second(),
                ":policy": deferral.policy,
                ":reason": deferral.reason,
            })?;
    }
    Ok(())
}

/// Has the renewals that `policy` put off, or any policy did, asked about again at `at` instead of later: their bundles wake
/// then. What a bundle has decided on at `at` already is asked about a second later.
pub fn ask_again(db: &WriteTx, policy: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
    let parameters = named_params! { ":policy": policy, ":at": at.as_second() };
    db.connection()
        .prepare_cached(
            "update deferral set until = max(:at, (select p.cursor_at + 1 from schedule m join schedule p on p.resource = m.bundle
                 where m.resource = deferral.resource))
             where until > :at and (:policy is null or policy = :policy)",
        )?
        .execute(parameters)?;
    db.connection()
        .prepare_cached(
            "update schedule set wake_at = max(:at, cursor_at + 1)
             where wake_at > :at and consecutive_failures = 0 and resource in (
                 select m.bundle from deferral d join schedule m on m.resource = d.resource
                 join schedule p on p.resource = m.bundle
                 where d.until <= max(:at, p.cursor_at + 1) and (:policy is null or d.policy = :policy))",
        )?
        .execute(parameters)?;
    Ok(())
}
