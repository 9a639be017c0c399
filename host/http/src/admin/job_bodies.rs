//! The bodies of jobs.

use perennial_domain::bundle::Stage;
use perennial_domain::plan::Command;
use perennial_store::keys::JobKey;
use perennial_store::resource_query::ResourceFilter;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::job_views::parse_id;
use crate::admin::resources;
use crate::input::Body;
use perennial_formats::body;
use perennial_formats::body::FieldValue;
use perennial_formats::body::Fields;
use perennial_formats::body::JsonCursor;

/// A new job: a command, and exactly one of `ids`, `filter` and `from_dry_run` to choose its resources.
#[derive(ToSchema)]
#[schema(as = NewJob)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `JobBody` is read from")]
pub(super) struct JobSchema {
    /// The command, as in scenarios: `{"renew": {"term": …}}` or `"cancel_auto_renew"`; see FORMATS.md. Leave it out
    /// with `from_dry_run`.
    command: Option<Value>,
    /// The IDs of 1 to 10,000 resources, unless the configuration says otherwise, in the order in which the job processes
    /// them.
    #[schema(min_items = 1, max_items = 10_000)]
    ids: Option<Vec<String>>,
    /// The filter that selects from the present resources; the job takes the first 10,000 in the order in which they
    /// were added.
    filter: Option<JobFilter>,
    /// Return plans and apply nothing.
    dry_run: Option<bool>,
    /// The ID of a dry run. The job applies its command to each of its resources whose plan is still the same.
    from_dry_run: Option<String>,
}

/// The filters of the list of resources, at least one of them.
#[derive(ToSchema)]
#[schema(min_properties = 1)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a filter is read from")]
struct JobFilter {
    /// Only of this account.
    account: Option<String>,
    /// Only of this provider.
    provider: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
    /// Only at this stage, such as `grace`.
    stage: Option<String>,
    /// Only with this tag: `name`, or `name=value`.
    tag: Option<String>,
    /// Only resources that expire at this instant or later.
    expires_from: Option<String>,
    /// Only resources that expire before this instant.
    expires_before: Option<String>,
}

/// The body of a new job.
pub(super) enum JobBody {
    /// A command for the resources of a target.
    Command { command: Command, target: JobTarget, is_dry_run: bool },
    /// The command and resources of the dry run with this row.
    FromDryRun(JobKey),
}

/// The resources of a job.
pub(super) enum JobTarget {
    /// The resources with these IDs.
    Ids(Vec<String>),
    /// The resources that pass a filter.
    Filter(Box<ResourceFilter>),
}

impl Body for JobBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<JobBody> {
        let fields = cursor.object(&["command", "ids", "filter", "dry_run", "from_dry_run"])?;
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag());
        let targets = ["ids", "filter", "from_dry_run"].into_iter().filter(|name| has_field(&fields, name));
        let targets = targets.collect::<Vec<_>>();
        let [target] = targets.as_slice() else {
            cursor.report("give exactly one of `ids`, `filter` and `from_dry_run`");
            return None;
        };
        if *target == "from_dry_run" {
            for name in ["command", "dry_run"].into_iter().filter(|name| has_field(&fields, name)) {
                fields.get(name)?.report("leave it out: the dry run says what is done");
            }
            return fields.required("from_dry_run", dry_run_job).map(JobBody::FromDryRun);
        }
        let command = fields.required("command", body::command);
        let target = match *target {
            "ids" => fields.required("ids", ids).map(JobTarget::Ids),
            _ => fields.required("filter", filter).map(|filter| JobTarget::Filter(Box::new(filter))),
        };
        Some(JobBody::Command { command: command?, target: target?, is_dry_run: dry_run.or(false)? })
    }
}

fn has_field(fields: &Fields<'_, '_>, name: &str) -> bool {
    !matches!(fields.optional(name, |_| Some(())), FieldValue::Absent)
}

fn dry_run_job(cursor: JsonCursor<'_, '_>) -> Option<JobKey> {
    let row = parse_id(cursor.text()?);
    if row.is_none() {
        cursor.report("it is not the id of a job");
    }
    row
}

fn ids(cursor: JsonCursor<'_, '_>) -> Option<Vec<String>> {
    cursor.list_of_some("name at least one", |_, id| id.id().map(str::to_owned))
}

fn filter(cursor: JsonCursor<'_, '_>) -> Option<ResourceFilter> {
    let fields =
        cursor.object(&["account", "provider", "kind", "stage", "tag", "expires_from", "expires_before"])?;
    let text = |name| fields.optional(name, |cursor| cursor.text().map(str::to_owned)).option();
    let instant = |name| fields.optional(name, |cursor| cursor.instant()).option();
    let (account, provider, kind, tag) = (text("account"), text("provider"), text("kind"), text("tag"));
    let stage = fields.optional("stage", |cursor| cursor.one_of(&Stage::ALL, Stage::name)).option();
    let (expires_from, expires_before) = (instant("expires_from"), instant("expires_before"));
    let (tag, tag_value) = resources::split_tag(tag?);
    let filter = ResourceFilter {
        account: account?,
        provider: provider?,
        kinds: kind?.into_iter().collect(),
        stages: stage?.into_iter().collect(),
        tag,
        tag_value,
        expires_from: expires_from?,
        expires_before: expires_before?,
        ..ResourceFilter::default()
    };
    if filter == ResourceFilter::default() {
        cursor.report("it would choose every resource; give at least one criterion, such as `account`");
        return None;
    }
    Some(filter)
}
