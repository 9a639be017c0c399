//! The column `required` of the `approval` table: the policies that require one, and who gave it.

use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;

use crate::error::StoreError;
use crate::keys::ApprovalKey;
use crate::tx::WriteTx;

/// Writes what a pending approval waits for, which of it was given, and until when.
pub(crate) fn set(
    db: &WriteTx,
    row: ApprovalKey,
    required: &[RequiredApproval],
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update approval set required = ?2, expires_at = ?3 where row = ?1 and state = 'pending'",
        )?
        .execute((row, to_text(required), expires_at.as_second()))?;
    Ok(())
}

/// Adds this approval to those that every pending approval of something that is paid for waits for, or puts it in the place of
/// the one of the same policy.
pub(crate) fn require_of_pending(db: &WriteTx, approval: &RequiredApproval) -> Result<(), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select row, required, expires_at from approval where state = 'pending' and cost > 0 order by row",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, of_row(row), row.get(2)?)))?;
    let pending = rows.collect::<Result<Vec<(ApprovalKey, _, i64)>, _>>()?;
    for (row, required, expires_at) in pending {
        let mut required = required?;
        required.retain(|one| one.policy != approval.policy);
        required.insert(0, approval.clone());
        set(db, row, &required, Timestamp::from_second(expires_at))?;
    }
    Ok(())
}

/// The list as JSON: for each its policy, label and words, the token that gave it, and the policy's version.
pub(crate) fn to_text(required: &[RequiredApproval]) -> String {
    let items = required.iter().map(|one| (&one.policy, &one.by, &one.reason, &one.given_by, &one.version));
    let items = items.collect::<Vec<_>>();
    serde_json::to_string(&items).expect("texts are JSON")
}

pub(crate) fn of_row(row: &Row<'_>) -> Result<Vec<RequiredApproval>, StoreError> {
    let text: String = row.get("required")?;
    let items: Vec<Vec<Option<String>>> = serde_json::from_str(&text)?;
    // Schema 8 did not keep who gave one, and what is older than versions has none.
    let one = |item: Vec<Option<String>>| {
        let mut parts = item.into_iter();
        let mut next = || parts.next().flatten();
        let (policy, by, reason) = (next(), next(), next());
        RequiredApproval {
            policy: policy.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            by,
            given_by: next(),
            version: next(),
        }
    };
    Ok(items.into_iter().map(one).collect())
}
