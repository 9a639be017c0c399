//! Accounts and resources as clients see them, their versions, and lookups within the access of the caller.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header;
use perennial_store::ReadTx;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::problem::Problem;
use perennial_service::admin_tokens::Caller;

use crate::auth::require_account;
use perennial_formats::plan::TermView;
use perennial_service::lookup;
use perennial_service::lookup::ResolvedResource;
use perennial_store::accounts;
use perennial_store::accounts::LimitRaise;
use perennial_store::accounts::StoredAccount;
use perennial_store::error::StoreError;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    /// Unique among all accounts.
    id: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// `managed`.
    mode: &'static str,
    /// The currency, such as `CNY`.
    currency: String,
    /// The available balance, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    balance: String,
    /// The money on hold, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    held: String,
    /// The settings of the provider's rules, and the host's own: `on_policy_failure` and `on_undecided`.
    settings: BTreeMap<String, String>,
    /// Plans that cost more than this, a decimal, need an approval; null is no limit.
    approval_above: Option<String>,
    /// What may be spent in a month of the provider's, a decimal, for policies to look at; null is no budget.
    budget: Option<String>,
    /// A raise of `approval_above` that waits for a second person; null if there is none.
    limit_raise: Option<LimitRaiseView>,
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

impl From<StoredAccount> for AccountView {
    fn from(stored: StoredAccount) -> AccountView {
        let account = stored.account;
        AccountView {
            id: account.id,
            provider: account.provider,
            mode: account.mode.name(),
            currency: account.currency,
            balance: account.balance.available().to_string(),
            held: account.balance.held().to_string(),
            settings: account.settings,
            approval_above: to_text(account.approval_above),
            budget: to_text(account.budget),
            limit_raise: stored.limit_raise.map(LimitRaiseView::from),
        }
    }
}

/// The fields of a resource package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PackageContents)]
pub(crate) struct PackageView {
    /// The type of resource whose usage it covers.
    resource_type: String,
    /// The quota, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    quota: String,
    /// The used part of the quota, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    used: String,
    /// The rest of the quota, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    left: String,
    /// The unit of the quota.
    unit: String,
    /// The instant of its payment.
    #[schema(format = DateTime)]
    bought_at: String,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Resource)]
pub(crate) struct ResourceView {
    /// Unique among all resources.
    id: String,
    /// The account's ID.
    account: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// One of the plugin's kinds.
    kind: String,
    /// The provider's name of the region.
    region: String,
    /// The ID of the primary that it is attached to.
    attached_to: Option<String>,
    /// `prepaid` or `postpaid`.
    charging: &'static str,
    /// `active`, `grace`, `retention`, `released`, `unsubscribed` or `converted`.
    stage: &'static str,
    /// When it was bought, or takes effect.
    #[schema(format = DateTime)]
    started_at: String,
    /// When the paid period ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The day of the month that periods are counted from.
    anchor_day: Option<u8>,
    /// The term that it was bought for.
    term: Option<TermView>,
    /// The price of one term, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    price: Option<String>,
    /// The account's currency.
    currency: String,
    /// `lapse`, `renew`, `convert` or `release`.
    on_expiry: &'static str,
    /// The automatic renewals left; null is no limit.
    renewals_left: Option<u32>,
    /// The term of an automatic renewal; null is the same as `term`.
    renewal_term: Option<TermView>,
    /// The fields of a resource package; null for other resources.
    package: Option<PackageView>,
    /// Attributes that the provider's rules may read.
    attributes: BTreeMap<String, String>,
    /// Tags, for people.
    tags: BTreeMap<String, String>,
    /// When the clock next acts on its bundle; null when it never does, and while what was imported waits for the clock.
    #[schema(format = DateTime)]
    next_wake_at: Option<String>,
    /// The last failure of its plugin, until the plugin succeeds.
    problem: Option<String>,
}

impl ResourceView {
    /// The view of a member of a bundle.
    pub(crate) fn new(resolved: &ResolvedResource, problem: Option<String>) -> ResourceView {
        let bundle = &resolved.stored.bundle;
        let resource = resolved.resource();
        let package = resource.package.as_ref().map(|package| PackageView {
            resource_type: package.resource_type.clone(),
            quota: package.quota.to_string(),
            used: package.used.to_string(),
            left: package.left().to_string(),
            unit: package.unit.clone(),
            bought_at: package.bought_at.to_string(),
        });
        ResourceView {
            id: resource.id.clone(),
            account: resolved.account.account.id.clone(),
            provider: resolved.account.account.provider.clone(),
            kind: resource.kind.clone(),
            region: resource.region.clone(),
            attached_to: resource.attached_to.map(|primary| bundle[primary].id.clone()),
            charging: resource.charging.name(),
            stage: resource.stage.name(),
            started_at: resource.started_at.to_string(),
            expires_at: to_text(resource.expires_at),
            anchor_day: resource.anchor_day,
            term: resource.term.map(TermView::from),
            price: to_text(resource.price),
            currency: resolved.account.account.currency.clone(),
            on_expiry: resource.on_expiry.name(),
            renewals_left: resource.renewals_left,
            renewal_term: resource.renewal_term.map(TermView::from),
            package,
            attributes: resource.attributes.clone(),
            tags: resource.tags.clone(),
            next_wake_at: to_text(resolved.stored.schedule.known_wake()),
            problem,
        }
    }
}

/// The text of an optional value.
pub(crate) fn to_text(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The view of a resource, with the last failure of its plugin.
pub(crate) fn resource_view(db: &ReadTx, resolved: &ResolvedResource) -> Result<ResourceView, StoreError> {
    Ok(ResourceView::new(resolved, lookup::plugin_problem(db, resolved)?))
}

/// Finds the account `id`, if the caller can access it.
pub(crate) fn visible_account(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredAccount, Problem> {
    require_account(caller, id)?;
    accounts::get(db, id)?.ok_or_else(|| Problem::not_found("account", id))
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
