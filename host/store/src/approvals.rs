//! The `approval` table: plans that need an approval, and how each ended.

use perennial_domain::approval::ApprovalSummary;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::Needs;
use perennial_domain::approval::State;
use perennial_domain::attempt::AttemptId;
use perennial_domain::attempt::Key;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::decision;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::ApprovalKey;
use crate::keys::AttemptKey;
use crate::keys::ResourceKey;
use crate::required_approvals;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// An approval as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApproval {
    /// Its row; later ones have larger ones.
    pub row: ApprovalKey,
    /// Public ID, such as `ecs-1~2`.
    pub id: String,
    /// The account's row ...
    pub account: AccountKey,
    /// ... and id.
    pub account_id: String,
    /// The row of the resource that was named ...
    pub resource: ResourceKey,
    /// ... and its id.
    pub resource_id: String,
    /// The state of the approval.
    pub state: State,
    /// The clock or a command.
    pub cause: Cause,
    /// The plan and its price.
    pub priced: PricedRequest,
    /// The attempt, for a renewal.
    pub attempt: Option<AttemptId>,
    /// The resource's expiry then.
    pub expires_before: Option<Timestamp>,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// The token or provider key that requested it; `None` for the clock.
    pub requested_by: Option<String>,
    /// When it expires, or would have expired.
    pub expires_at: Timestamp,
    /// The policies that require it; empty of one that was requested before there were policies.
    pub required: Vec<RequiredApproval>,
    /// How the approval ended; `None` while it is pending.
    pub closing: Option<Resolution>,
}

/// A plan and its price, as it was made last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedRequest {
    /// Equal for equal commands.
    pub command: String,
    /// The version of the provider contract in which request and response are written, such as `0.1`.
    pub contract: String,
    /// The plan request, as [`perennial_formats::decision`] writes it.
    pub request: String,
    /// The plan, as [`perennial_formats::decision`] writes it.
    pub response: String,
    /// The digest of the plugin revision that planned.
    pub revision: String,
    /// Equal as long as the plan does the same for the same money.
    pub plan_hash: String,
    /// What it costs, with what is to be paid later.
    pub cost: Micros,
    /// What the account had then.
    pub available: Micros,
}

/// How an approval ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The instant at which the approval ended.
    pub at: Timestamp,
    /// The token that decided; `None` when nobody did.
    pub by: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// Why it expired, if it did.
    pub expiry_reason: Option<ExpiryReason>,
}

/// An approval that is to be requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApproval {
    /// Public ID, such as `ecs-1~2`.
    pub id: String,
    /// The account's row.
    pub account: AccountKey,
    /// The row of the resource that was named.
    pub resource: ResourceKey,
    /// The clock or a command.
    pub cause: Cause,
    /// The plan and its price.
    pub priced: PricedRequest,
    /// The row of the resource that the renewal names, and the attempt, for a renewal.
    pub attempt: Option<(ResourceKey, AttemptId)>,
    /// The resource's expiry.
    pub expires_before: Option<Timestamp>,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// The token or provider key that requested it; `None` for the clock.
    pub requested_by: Option<String>,
    /// The instant at which it expires undecided.
    pub expires_at: Timestamp,
    /// The policies that require it.
    pub required: Vec<RequiredApproval>,
    /// What became of it at once, if anything did.
    pub closing: Option<(State, Resolution)>,
}

/// Adds a pending approval and returns its key.
pub(crate) fn insert(
    db: &WriteTx,
    new: &NewApproval,
    attempt: Option<AttemptKey>,
) -> Result<ApprovalKey, StoreError> {
    db.connection().prepare_cached(
        "insert into approval (id, account, resource, state, cause, command, contract, request, response, revision, plan_hash, cost,
             available, attempt, expires_before, requested_at, requested_by, expires_at, required)
         values (:id, :account, :resource, 'pending', :cause, :command, :contract, :request, :response, :revision, :plan_hash, :cost,
             :available, :attempt, :expires_before, :requested_at, :requested_by, :expires_at, :required)",
    )?
    .execute(named_params! {
        ":id": new.id,
        ":account": new.account,
        ":resource": new.resource,
        ":cause": new.cause.name(),
        ":command": new.priced.command,
        ":contract": new.priced.contract,
        ":request": new.priced.request,
        ":response": new.priced.response,
        ":revision": new.priced.revision,
        ":plan_hash": new.priced.plan_hash,
        ":cost": new.priced.cost.as_micros(),
        ":available": new.priced.available.as_micros(),
        ":attempt": attempt,
        ":expires_before": new.expires_before.map(Timestamp::as_second),
        ":requested_at": new.requested_at.as_second(),
        ":requested_by": new.requested_by,
        ":expires_at": new.expires_at.as_second(),
        ":required": required_approvals::to_text(&new.required),
    })?;
    Ok(db.last_key())
}

/// Writes the new plan and price of a pending approval, and the attempt that it would be.
pub fn reprice(
    db: &WriteTx,
    row: ApprovalKey,
    priced: &PricedRequest,
    attempt: Option<AttemptKey>,
) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "update approval set contract = :contract, request = :request, response = :response, revision = :revision,
             plan_hash = :plan_hash, cost = :cost,
             available = :available, attempt = :attempt
         where row = :row and state = 'pending'",
    )?
    .execute(named_params! {
        ":row": row,
        ":contract": priced.contract,
        ":request": priced.request,
        ":response": priced.response,
        ":revision": priced.revision,
        ":plan_hash": priced.plan_hash,
        ":cost": priced.cost.as_micros(),
        ":available": priced.available.as_micros(),
        ":attempt": attempt,
    })?;
    Ok(())
}

/// Writes how the pending approval at `row` ended.
pub fn close(db: &WriteTx, row: ApprovalKey, state: State, closing: &Resolution) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "update approval set state = :state, closed_at = :at, decided_by = :by, decision_reason = :reason,
             expiry_reason = :expiry_reason
         where row = :row and state = 'pending'",
    )?
    .execute(named_params! {
        ":row": row,
        ":state": state.name(),
        ":at": closing.at.as_second(),
        ":by": closing.by,
        ":reason": closing.reason,
        ":expiry_reason": closing.expiry_reason.map(ExpiryReason::name),
    })?;
    Ok(())
}

/// The rows of the accounts that have pending approvals.
pub(crate) fn accounts_with_pending(db: &ReadTx) -> Result<Vec<AccountKey>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select distinct account from approval where state = 'pending' order by account")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The first instant at which a pending approval expires, if that comes by `until`.
pub(crate) fn next_expiry(db: &ReadTx, until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let second: Option<i64> = db
        .connection()
        .prepare_cached("select min(expires_at) from approval where state = 'pending' and expires_at <= ?1")?
        .query_row([until.as_second()], |row| row.get(0))?;
    Ok(second.map(Timestamp::from_second))
}

const ALL: &str =
    "select p.*, a.id as account_id, r.id as resource_id, t.expires_before as attempt_expires_before,
        t.term_count, t.term_unit, n.id as attempt_resource
    from approval p join account a on a.row = p.account join resource r on r.row = p.resource
    left join attempt t on t.row = p.attempt left join resource n on n.row = t.resource";

/// The pending approvals that expire at `at`, in the order in which they were requested, at most `limit`.
pub fn expiring(db: &ReadTx, at: Timestamp, limit: u32) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "{ALL} where p.state = 'pending' and p.expires_at = ?1 order by p.row limit ?2"
    ))?;
    let approvals = statement.query_and_then((at.as_second(), limit), stored)?;
    approvals.collect()
}

/// The approval called `id`, if there is one.
pub fn get(db: &ReadTx, id: &str) -> Result<Option<StoredApproval>, StoreError> {
    db.connection()
        .prepare_cached(&format!("{ALL} where p.id = ?1"))?
        .query_row([id], |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// The attempt of an approval, for a renewal.
pub(crate) fn attempt(
    db: &ReadTx,
    approval: ApprovalKey,
) -> Result<Option<(AttemptKey, AttemptId)>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{ALL} where p.row = ?1"))?;
    let mut rows = statement.query_and_then([approval], attempt_of)?;
    rows.next().transpose().map(Option::flatten)
}

/// Every approval, oldest first.
pub(crate) fn all(db: &ReadTx) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{ALL} order by p.row"))?;
    let approvals = statement.query_and_then([], stored)?;
    approvals.collect()
}

/// Every approval that a resource was named in, oldest first.
pub(crate) fn list_for_resource(
    db: &ReadTx,
    resource: ResourceKey,
) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement =
        db.connection().prepare_cached(&format!("{ALL} where p.resource = ?1 order by p.row"))?;
    let approvals = statement.query_and_then([resource], stored)?;
    approvals.collect()
}

/// Which approvals are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these accounts, a JSON list of ids.
    pub accounts: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
}

/// The approvals that pass `filter`, above the row `after`, in the order in which they were requested, at most `limit`.
pub fn list(
    db: &ReadTx,
    filter: &Filter,
    after: ApprovalKey,
    limit: u32,
) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "{ALL} where p.row > :after
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:account is null or a.id = :account) and (:resource is null or r.id = :resource)
           and (:state is null or p.state = :state)
         order by p.row limit :limit"
    ))?;
    let approvals = statement.query_and_then(
        named_params! {
            ":after": after,
            ":accounts": filter.accounts,
            ":account": filter.account,
            ":resource": filter.resource,
            ":state": filter.state.map(State::name),
            ":limit": limit,
        },
        stored,
    )?;
    approvals.collect()
}

impl StoredApproval {
    /// What its command needs of the resource.
    fn needs(&self) -> Needs {
        let command = decision::read_command(&self.priced.command);
        command.map_or(Needs::Prepaid, |command| Needs::of(&command))
    }

    /// Its state and command, as the domain has them; `member` is the resource in its bundle.
    pub fn summary(&self, member: MemberIndex) -> ApprovalSummary {
        ApprovalSummary {
            member,
            cause: self.cause,
            command: self.priced.command.clone(),
            needs: self.needs(),
            expires_before: self.expires_before,
            attempt: self.attempt.clone(),
            state: self.state,
            expiry_reason: self.closing.as_ref().and_then(|closing| closing.expiry_reason),
        }
    }
}

fn stored(row: &Row<'_>) -> Result<StoredApproval, StoreError> {
    let state = named(&State::ALL, State::name, row.get("state")?)?;
    let cause = named(&Cause::ALL, Cause::name, row.get("cause")?)?;
    let expiry_reason: Option<String> = row.get("expiry_reason")?;
    let expiry_reason =
        expiry_reason.map(|reason| named(&ExpiryReason::ALL, ExpiryReason::name, reason)).transpose()?;
    let closing = match codec::instant(row, "closed_at")? {
        Some(at) => Some(Resolution {
            at,
            by: row.get("decided_by")?,
            reason: row.get("decision_reason")?,
            expiry_reason,
        }),
        None => None,
    };
    Ok(StoredApproval {
        row: row.get("row")?,
        id: row.get("id")?,
        account: row.get("account")?,
        account_id: row.get("account_id")?,
        resource: row.get("resource")?,
        resource_id: row.get("resource_id")?,
        state,
        cause,
        priced: PricedRequest {
            command: row.get("command")?,
            contract: row.get("contract")?,
            request: row.get("request")?,
            response: row.get("response")?,
            revision: row.get("revision")?,
            plan_hash: row.get("plan_hash")?,
            cost: Micros::new(row.get("cost")?),
            available: Micros::new(row.get("available")?),
        },
        attempt: attempt_of(row)?.map(|(_, id)| id),
        expires_before: codec::instant(row, "expires_before")?,
        requested_at: Timestamp::from_second(row.get("requested_at")?),
        requested_by: row.get("requested_by")?,
        expires_at: Timestamp::from_second(row.get("expires_at")?),
        required: required_approvals::of_row(row)?,
        closing,
    })
}

fn attempt_of(row: &Row<'_>) -> Result<Option<(AttemptKey, AttemptId)>, StoreError> {
    let Some(attempt) = row.get("attempt")? else { return Ok(None) };
    let damaged = || StoreError::Damaged { what: "an attempt's term", found: "none".to_owned() };
    let term = codec::term(row.get("term_count")?, row.get("term_unit")?)?.ok_or_else(damaged)?;
    let expires_before = Timestamp::from_second(row.get("attempt_expires_before")?);
    let key = Key { resource: row.get("attempt_resource")?, expires_before };
    Ok(Some((attempt, AttemptId { key, term })))
}

fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: String) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|word| name(*word) == text);
    found.ok_or(StoreError::Damaged { what: "a word of an approval", found: text })
}
