//! Raises of an account's approval limit: they take two people, unless the configuration says that one will do.
//!
//! The first request waits at the account, and the same request of another person makes the change. What lets less pass is
//! done at once.

use perennial_domain::approval::is_raise;
use perennial_domain::micros::Micros;
use perennial_engine::persist::RecordedEvent;
use perennial_store::accounts;
use perennial_store::accounts::LimitRaise;
use perennial_store::accounts::StoredAccount;
use perennial_store::people;

use crate::problem::Problem;
use crate::write::WriteContext;

/// What became of a requested limit.
pub(super) enum LimitChange {
    /// It is the limit now.
    Done(Vec<RecordedEvent>),
    /// It waits for a second person.
    Waits,
}

/// Sets the approval limit of `account` to `limit`, or requests that, if it takes `people` and this is the first.
pub(super) fn change_limit(
    work: &mut WriteContext<'_>,
    account: &StoredAccount,
    limit: Option<Micros>,
    people: usize,
) -> Result<LimitChange, Problem> {
    let caller = &work.request.caller;
    if people > 1 && is_raise(account.account.approval_above, limit) {
        let has_second = match account.limit_raise.as_ref().filter(|raise| raise.approval_above == limit) {
            Some(raise) => people::person_of(work.db(), &raise.requested_by)? != *caller.owner,
            None => false,
        };
        if !has_second {
            let raise = LimitRaise {
                approval_above: limit,
                requested_by: caller.id.to_string(),
                requested_at: work.at,
            };
            accounts::set_limit_raise(work.tx(), account.row, Some(&raise))?;
            return Ok(LimitChange::Waits);
        }
    }
    accounts::set_limit_raise(work.tx(), account.row, None)?;
    Ok(LimitChange::Done(work.engine.set_approval_above(work.at, &account.account.id, limit)?))
}
