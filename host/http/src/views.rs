//! How accounts, resources and events look in answers, and how one is found that the caller sees.

use std::collections::BTreeMap;

use perennial_store::ReadTx;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::problem::Problem;
use perennial_service::admin_tokens::Caller;

use crate::auth::require_account;
use perennial_formats::plan::TermView;
use perennial_service::lookup::ResolvedResource;
use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles;
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
    /// Such as `CNY`.
    currency: String,
    /// What is free to be spent, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    balance: String,
    /// What is reserved, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    held: String,
    /// What the provider's rules are told.
    settings: BTreeMap<String, String>,
    /// Plans that cost more than this, a decimal, wait until somebody approves them; null: none waits.
    approval_above: Option<String>,
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
        }
    }
}

/// What a resource package adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PackageContents)]
pub(crate) struct PackageView {
    /// The type of resource whose use it covers.
    resource_type: String,
    /// How much it covers, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    quota: String,
    /// How much of that is used, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    used: String,
    /// How much is left, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    left: String,
    /// What is counted.
    unit: String,
    /// When it was paid for.
    #[schema(format = DateTime)]
    bought_at: String,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Resource)]
pub(crate) struct ResourceView {
    /// Unique among all resources.
    id: String,
    /// Whose it is.
    account: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// One of the plugin's kinds.
    kind: String,
    /// Where it runs, in the provider's word.
    region: String,
    /// The primary that it is attached to.
    attached_to: Option<String>,
    /// `prepaid` or `postpaid`.
    charging: &'static str,
    /// `active`, `grace`, `retention`, `released`, `unsubscribed` or `converted`.
    stage: &'static str,
    /// When it was bought, or takes effect.
    #[schema(format = DateTime)]
    started_at: String,
    /// When what was paid for ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The day of the month that periods are counted from.
    anchor_day: Option<u8>,
    /// The period that it was bought for.
    term: Option<TermView>,
    /// What one term costs, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    price: Option<String>,
    /// The account's currency.
    currency: String,
    /// `lapse`, `renew`, `convert` or `release`.
    on_expiry: &'static str,
    /// Automatic renewals still allowed; null is without limit.
    renewals_left: Option<u32>,
    /// The term of an automatic renewal; null is the same as `term`.
    renewal_term: Option<TermView>,
    /// What a resource package adds; null for other resources.
    package: Option<PackageView>,
    /// What the provider's rules may read.
    attributes: BTreeMap<String, String>,
    /// What people sort by.
    tags: BTreeMap<String, String>,
    /// When something next happens to its bundle by itself.
    #[schema(format = DateTime)]
    next_wake_at: Option<String>,
    /// Why its plugin gave no usable answer, while that is so.
    problem: Option<String>,
}

impl ResourceView {
    /// A member of a bundle as clients see it.
    pub(crate) fn new(resolved: &ResolvedResource, problem: Option<String>) -> ResourceView {
        let members = &resolved.stored.bundle.members;
        let resource = &members[resolved.member];
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
            attached_to: resource.attached_to.map(|place| members[place].id.clone()),
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
            next_wake_at: to_text(resolved.stored.schedule.wake_at),
            problem,
        }
    }
}

/// Something as text, if it is there.
pub(crate) fn to_text(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// How clients see a resource.
pub(crate) fn resource_view(db: &ReadTx, resolved: &ResolvedResource) -> Result<ResourceView, StoreError> {
    let problem = match resolved.stored.schedule.failures {
        0 => None,
        _ => bundles::problem(db, resolved.stored.rows[0])?,
    };
    Ok(ResourceView::new(resolved, problem))
}

/// The account called `id`, if the caller sees it.
pub(crate) fn visible_account(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredAccount, Problem> {
    require_account(caller, id)?;
    accounts::get(db, id)?.ok_or_else(|| Problem::not_found("account", id))
}

/// The version of something as clients see it: equal as long as nothing of it changes.
pub(crate) fn etag(view: &impl Serialize) -> String {
    let text = serde_json::to_string(view).expect("answers have text as keys");
    let digest = Sha256::digest(text);
    format!("\"{}\"", hex::encode(&digest[..16]))
}

/// An id as a segment of a path.
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
