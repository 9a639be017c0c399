//! Accounts as clients see them, the versions of what they see, and lookups within the access of the caller.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header;
use perennial_domain::account::Mode;
use perennial_domain::connector::Driver;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::rules::Providers;
use perennial_store::ReadTx;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::deciding_revision::DecidingRevisionView;
use crate::problem::Problem;
use perennial_service::admin_tokens::Caller;

use crate::auth::require_account;
use perennial_store::accounts;
use perennial_store::accounts::LimitRaise;
use perennial_store::accounts::StoredAccount;
use perennial_store::connections;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

/// An account with its balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    /// Unique among all accounts.
    id: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// Who keeps the account: `managed` by this host, or `connected`, by its provider.
    mode: &'static str,
    /// The currency, such as `CNY`.
    currency: String,
    /// The available balance, a decimal; of a connected account what its provider said last, less what this host paid
    /// since, and null before that.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    balance: Option<String>,
    /// The money on hold, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    held: String,
    /// The settings of the provider's rules, and the host's own: `on_policy_failure` and `on_undecided`.
    settings: BTreeMap<String, String>,
    /// Plans that cost more than this, a decimal, need an approval; null is no limit.
    approval_above: Option<String>,
    /// What may be spent in a month of the provider's, a decimal, for policies to look at; null is no budget.
    budget: Option<String>,
    /// What of the budget has been spent since the provider's month began, a decimal, as policies are told; null without a budget.
    budget_spent: Option<String>,
    /// What of the budget is left for that month, a decimal; negative when more was spent, and null without a budget.
    budget_left: Option<String>,
    /// A raise of `approval_above` that waits for a second person; null if there is none.
    limit_raise: Option<LimitRaiseView>,
    /// The revision of the provider's plugin that decides for the account; null where the provider has no plugin.
    revision: Option<DecidingRevisionView>,
}

/// A raise of an account's approval limit that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LimitRaise)]
pub(crate) struct LimitRaiseView {
    /// The limit that is requested, a decimal; null is no limit.
    approval_above: Option<String>,
    /// The ID of the token that requested it.
    requested_by: String,
    /// When it was requested.
    requested_at: String,
}

impl From<LimitRaise> for LimitRaiseView {
    fn from(raise: LimitRaise) -> LimitRaiseView {
        LimitRaiseView {
            approval_above: to_text(raise.approval_above),
            requested_by: raise.requested_by,
            requested_at: raise.requested_at.to_string(),
        }
    }
}

impl AccountView {
    /// The account at an instant as `caller` sees it, with what the provider of a connected one said of its balance; `providers`
    /// are those that are bound.
    pub(crate) fn read(
        db: &ReadTx,
        caller: &Caller,
        stored: StoredAccount,
        (providers, at): (&Providers, Timestamp),
    ) -> Result<AccountView, StoreError> {
        let account = stored.account;
        let rules = providers.of_account(&account.id, &account.provider);
        let month = at.month_start(rules.map_or(0, |rules| rules.manifest().utc_offset_minutes));
        let spent = account.budget.map(|_| db.spent_since(stored.row, month)).transpose()?;
        let left = account.budget.zip(spent).map(|(budget, spent)| budget - spent);
        let balance = match account.mode {
            Mode::Managed => Some(account.balance.available()),
            Mode::Connected => {
                let connection = connections::get(db, &account.id)?;
                let driver = connection.as_ref().map(|connection| connection.connection.driver);
                let said = connection.and_then(|connection| connection.balance).map(|(balance, _)| balance);
                let said = said.filter(|balance| balance.currency == account.currency);
                // Where this host pays, its ledger has what the provider said, less what was paid since.
                match driver {
                    None | Some(Driver::Watch) => said.map(|balance| balance.available),
                    Some(Driver::Provider | Driver::Host) => said.map(|_| account.balance.available()),
                }
            }
        };
        let whose = (account.id.as_str(), account.provider.as_str());
        let revision = DecidingRevisionView::read(db, caller, providers, whose)?;
        Ok(AccountView {
            revision,
            id: account.id,
            provider: account.provider,
            mode: account.mode.name(),
            currency: account.currency,
            balance: to_text(balance),
            held: account.balance.held().to_string(),
            settings: account.settings,
            approval_above: to_text(account.approval_above),
            budget: to_text(account.budget),
            budget_spent: to_text(spent),
            budget_left: to_text(left),
            limit_raise: stored.limit_raise.map(LimitRaiseView::from),
        })
    }
}

/// The text of an optional value.
pub(crate) fn to_text(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The view of the account `id` at an instant, if the caller can access it; `providers` are those that are bound.
pub(crate) fn account_view(
    db: &ReadTx,
    caller: &Caller,
    id: &str,
    (providers, at): (&Providers, Timestamp),
) -> Result<AccountView, Problem> {
    Ok(AccountView::read(db, caller, visible_account(db, caller, id)?, (providers, at))?)
}

/// Finds the account `id`, if the caller can access it.
pub(crate) fn visible_account(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredAccount, Problem> {
    require_account(caller, id)?;
    accounts::get(db, id)?.ok_or_else(|| Problem::not_found("account", id))
}

/// Refuses accounts that there are not, or that the caller cannot access.
pub(crate) fn check_accounts<'a>(
    db: &ReadTx,
    caller: &Caller,
    ids: impl IntoIterator<Item = &'a String>,
) -> Result<(), Problem> {
    ids.into_iter().try_for_each(|id| visible_account(db, caller, id).map(drop))
}

/// The `ETag` of a view: equal as long as the view is.
pub(crate) fn etag(view: &impl Serialize) -> String {
    let text = serde_json::to_string(view).expect("views have text as keys");
    let digest = Sha256::digest(text);
    format!("\"{}\"", hex::encode(&digest[..16]))
}

/// Whether `If-None-Match` has this version: RFC 9110, section 13.1.2, compares weakly.
pub(crate) fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// Percent-encodes an ID for a path.
pub(crate) fn path_segment(id: &str) -> String {
    let mut segment = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                segment.push(char::from(byte))
            }
            byte => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}
