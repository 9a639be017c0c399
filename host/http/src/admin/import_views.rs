//! What an import did, as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::problem::ProblemType;
use perennial_engine::import_report::Change;
use perennial_engine::import_report::FirstTickResource;
use perennial_engine::import_report::ImportReport;
use perennial_engine::import_report::KeptFieldEntry;
use perennial_engine::import_report::ResourceRef;
use perennial_formats::event_view::EventView;

/// The result of an import, or what would be that of a dry run.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportResult {
    /// The number of new accounts.
    accounts: usize,
    /// The number of new resources.
    resources: usize,
    /// The IDs of the new accounts.
    new_accounts: Vec<String>,
    /// The new resources, in the order of the inventory.
    new_resources: Vec<ResourceName>,
    /// The changed fields of existing accounts and resources.
    changes: Vec<ChangedField>,
    /// The fields that stay although the inventory has another value.
    kept: Vec<KeptFieldView>,
    /// The resources that are not in the inventory; they stay.
    missing: Vec<ResourceName>,
    /// How many of the inventory's resources renew themselves within thirty days.
    renewing_within_30_days: usize,
    /// New and changed resources that had expired, and what happens to each at once.
    expired: Vec<FirstTickResourceView>,
    /// New and changed resources that had not expired, and to which something happens at once.
    due: Vec<FirstTickResourceView>,
}

/// A changed field.
#[derive(Serialize, ToSchema)]
struct ChangedField {
    /// The account's ID.
    account: String,
    /// The resource's ID; null for a field of the account.
    resource: Option<String>,
    /// The field, such as `price` or `tags.env`.
    field: String,
    /// The value before; null when it had none.
    from: Option<String>,
    /// The value after.
    to: Option<String>,
}

/// A field that stays.
#[derive(Serialize, ToSchema)]
struct KeptFieldView {
    /// The account's ID.
    account: String,
    /// The resource's ID; null for a field of the account.
    resource: Option<String>,
    /// The field, such as `expires_at`.
    field: String,
    /// The value that stays.
    here: Option<String>,
    /// The inventory's value.
    there: Option<String>,
    /// Why the value is kept.
    reason: String,
}

/// A resource and its account.
#[derive(Serialize, ToSchema)]
struct ResourceName {
    /// The account's ID.
    account: String,
    /// The resource's ID.
    resource: String,
}

/// A resource, and what happens to it at the first tick.
#[derive(Serialize, ToSchema)]
#[schema(as = FirstTickResource)]
struct FirstTickResourceView {
    /// The account's ID.
    account: String,
    /// The resource's ID.
    resource: String,
    /// The instant at which it expires, before that.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// What happens to it at once, in order.
    events: Vec<EventView>,
}

impl ImportResult {
    /// As the engine reports it.
    pub(super) fn new(report: &ImportReport) -> ImportResult {
        ImportResult {
            accounts: report.accounts.len(),
            resources: report.resources.len(),
            new_accounts: report.accounts.clone(),
            new_resources: report.resources.iter().map(resource_name).collect(),
            changes: report.changes.iter().map(changed_field).collect(),
            kept: report.kept.iter().map(kept_field).collect(),
            missing: report.missing.iter().map(resource_name).collect(),
            renewing_within_30_days: report.renewing_soon,
            expired: report.expired.iter().map(first_tick_resource).collect(),
            due: report.due.iter().map(first_tick_resource).collect(),
        }
    }

    /// The problem of an import that would lose something and was not told to.
    pub(super) fn refused(self) -> Problem {
        let detail =
            "resources are released or lose a stage at once; correct their expiry, or set `accept_expired`";
        let problem = Problem::field(ProblemType::InvalidFields, "accept_expired", detail);
        let lists = [("expired", &self.expired), ("due", &self.due)];
        lists.into_iter().fold(problem, |problem, (name, list)| match serde_json::to_value(list) {
            Ok(list) => problem.with(name, list),
            Err(_) => problem,
        })
    }
}

fn changed_field(change: &Change) -> ChangedField {
    ChangedField {
        account: change.account.clone(),
        resource: change.resource.clone(),
        field: change.change.field.clone(),
        from: change.change.from.clone(),
        to: change.change.to.clone(),
    }
}

fn kept_field(kept: &KeptFieldEntry) -> KeptFieldView {
    KeptFieldView {
        account: kept.account.clone(),
        resource: kept.resource.clone(),
        field: kept.field.field.clone(),
        here: kept.field.here.clone(),
        there: kept.field.there.clone(),
        reason: kept.field.reason.clone(),
    }
}

fn resource_name(named: &ResourceRef) -> ResourceName {
    ResourceName { account: named.account.clone(), resource: named.resource.clone() }
}

fn first_tick_resource(resource: &FirstTickResource) -> FirstTickResourceView {
    let account = &resource.named.account;
    FirstTickResourceView {
        account: account.clone(),
        resource: resource.named.resource.clone(),
        expires_at: resource.expires_at.map(|at| at.to_string()),
        events: resource.events.iter().map(|event| EventView::new(event, Some(account))).collect(),
    }
}
