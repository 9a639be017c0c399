//! A resource as the API shows it: its fields on the present API and on the old one.
//!
//! Sources: Querying Customers' Yearly/Monthly Resources (api_order_00021) and its (Old) page (zh-cn_topic_0084961226).

use std::collections::BTreeMap;

use plugin_sdk::Charging;
use plugin_sdk::Micros;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::request::hexadecimal;
use plugin_sdk::provider_api::rfc3339;
use sha2::Digest;
use sha2::Sha256;

use crate::provider_api::json::Json;
use crate::provider_api::problem::Dialect;
use crate::provider_api::types::attribute;
use crate::provider_api::types::name;
use crate::provider_api::types::named;
use crate::settings::Settings;

/// Each stage with its status in the API.
pub const STATUSES: [(Stage, i64); 6] = [
    (Stage::Active, 2),
    (Stage::Released, 3),
    (Stage::Unsubscribed, 3),
    (Stage::Converted, 3),
    (Stage::Retention, 4),
    (Stage::Grace, 5),
];

/// The stages that a status stands for: 2 in use, 3 closed, 4 frozen, 5 expired.
pub fn stages(status: i64) -> Vec<Stage> {
    STATUSES.iter().filter(|(_, known)| *known == status).map(|(stage, _)| *stage).collect()
}

fn status(stage: Stage) -> i64 {
    STATUSES.iter().find(|(known, _)| *known == stage).map_or(2, |(_, status)| *status)
}

/// Whether a resource is prepaid and not in a final stage, so that the resources attached to it follow it.
pub fn is_live(subject: &ResourceView) -> bool {
    match subject.stage {
        Stage::Active | Stage::Grace | Stage::Retention => subject.charging == Charging::Prepaid,
        Stage::Released | Stage::Unsubscribed | Stage::Converted => false,
    }
}

/// Resources by their ids.
pub type ResourcesById<'a> = BTreeMap<&'a str, &'a ResourceView>;

/// The resources that this one is attached to, the nearest first, as far as `known` has them.
pub fn above<'a>(
    known: &'a ResourcesById<'a>,
    subject: &'a ResourceView,
) -> impl Iterator<Item = &'a ResourceView> {
    let up = |below: &&'a ResourceView| below.attached_to.as_deref().and_then(|id| known.get(id)).copied();
    // No more steps than there are resources: what is attached in a circle is climbed once.
    std::iter::successors(up(&subject), up).take(known.len())
}

/// The action on expiry, as a number: 0 grace, 1 pay-per-use, 2 deletion, 3 automatic renewal, 4 freeze, 5 deletion
/// after a freeze.
pub fn expire_policy(settings: &Settings, subject: &ResourceView) -> i64 {
    match (subject.on_expiry, subject.stage) {
        (OnExpiry::Renew, _) => 3,
        (OnExpiry::Convert, _) => 1,
        (OnExpiry::Release, _) => 2,
        (OnExpiry::Lapse, Stage::Retention) => 5,
        (OnExpiry::Lapse, Stage::Grace) => 4,
        (OnExpiry::Lapse, Stage::Active | Stage::Released | Stage::Unsubscribed | Stage::Converted) => {
            after_expiry(settings, &subject.kind)
        }
    }
}

/// The action on expiry of a resource of this kind that lapses.
fn after_expiry(settings: &Settings, kind: &str) -> i64 {
    let has_grace = settings.grace_seconds > 0;
    let is_kept = has_grace || settings.retention_seconds > 0;
    match kind {
        "package" => 2,
        "codearts-extension" if is_kept => 4,
        _ if has_grace => 0,
        _ if is_kept => 4,
        _ => 2,
    }
}

/// A resource with the fields of one of the two APIs.
pub fn shown(dialect: Dialect, settings: &Settings, known: &ResourcesById, subject: &ResourceView) -> Json {
    let of = named(&subject.kind);
    let (main, service, project, parent, valid, policy) = match dialect {
        Dialect::Present => (
            "is_main_resource",
            "service_type_code",
            "project_id",
            "parent_resource_id",
            "effective_time",
            "expire_policy",
        ),
        Dialect::Old => (
            "is_main_resource",
            "cloud_service_type_code",
            "project_code",
            "main_resource_id",
            "valid_time",
            "next_operation_policy",
        ),
    };
    // What is over is over together with what it was attached to.
    let follows = above(known, subject).find(|above| is_live(above) || !is_live(subject));
    let mut fields = vec![
        ("id", Json::from(subscription(&subject.id))),
        ("resource_id", Json::from(subject.id.as_str())),
        ("resource_name", Json::from(name(subject))),
        ("region_code", Json::from(subject.region.as_str())),
        (service, Json::from(of.map(|of| of.service))),
        ("resource_type_code", Json::from(of.map(|of| of.resource))),
        ("resource_spec_code", Json::from(attribute(subject, "spec"))),
        (project, Json::from(attribute(subject, "project_id"))),
        ("product_id", Json::from(attribute(subject, "product_id"))),
        (parent, Json::from(follows.map(|above| above.id.as_str()))),
        (main, Json::Whole(i64::from(follows.is_none()))),
        ("status", Json::Whole(status(subject.stage))),
        (valid, Json::from(rfc3339::write(subject.started_at))),
        ("expire_time", Json::from(subject.expires_at.map(rfc3339::write))),
        (policy, Json::Whole(policy_in(dialect, expire_policy(settings, subject)))),
    ];
    if dialect == Dialect::Present {
        fields.extend(more(subject));
    }
    Json::Object(fields)
}

/// The action on expiry in one of the two APIs: the old API has no grace, and shows a freeze instead.
fn policy_in(dialect: Dialect, policy: i64) -> i64 {
    match (dialect, policy) {
        (Dialect::Old, 0) => 4,
        (Dialect::Old | Dialect::Present, policy) => policy,
    }
}

/// The fields that only the present API has.
fn more(subject: &ResourceView) -> Vec<(&'static str, Json)> {
    let of = named(&subject.kind);
    let changed_at = subject.last_renewal.map_or(subject.started_at, |renewed| renewed.at);
    let project = attribute(subject, "enterprise_project_id").map(|id| {
        let name = attribute(subject, "enterprise_project_name");
        Json::Object(vec![("id", Json::from(id)), ("name", Json::from(name))])
    });
    let unit = attribute(subject, "spec_size_measure_id").and_then(|unit| unit.parse::<i64>().ok());
    vec![
        ("service_type_name", Json::from(of.map(|of| of.service_name))),
        ("resource_type_name", Json::from(of.map(|of| of.resource_name))),
        ("product_spec_desc", Json::from(attribute(subject, "spec_desc"))),
        ("spec_size", attribute(subject, "spec_size").and_then(amount).map_or(Json::Null, Json::Amount)),
        ("spec_size_measure_id", Json::from(unit)),
        ("update_time", Json::from(rfc3339::write(changed_at))),
        ("enterprise_project", project.unwrap_or(Json::Null)),
    ]
}

/// The id of the subscription, which differs from the resource's id and is always the same for one resource.
fn subscription(resource: &str) -> String {
    hexadecimal(&Sha256::digest(resource)[..16])
}

/// The amount of a decimal number with at most six decimals; `None` for any other text.
fn amount(text: &str) -> Option<Micros> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 6 {
        return None;
    }
    let micros = format!("{decimals:0<6}").parse::<Micros>().ok()?;
    whole.parse::<Micros>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}
