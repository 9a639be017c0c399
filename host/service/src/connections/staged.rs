//! What a sync has read of a resource, as JSON, until everything was read.

use std::collections::BTreeMap;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::connector::CloudResource;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use serde::Deserialize;
use serde::Serialize;

/// A resource, with its enumerations by their stored numbers.
#[derive(Serialize, Deserialize)]
struct StagedResource {
    id: String,
    kind: String,
    name: String,
    attached_to: Option<String>,
    region: String,
    charging: i64,
    stage: i64,
    started_at: Option<i64>,
    expires_at: Option<i64>,
    term: Option<(u32, i64)>,
    on_expiry: Option<i64>,
    renewals_left: Option<u32>,
    renewal_term: Option<(u32, i64)>,
    price: Option<i64>,
    has_unpaid_order: Option<bool>,
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// A resource as JSON.
pub(crate) fn write(resource: &CloudResource) -> String {
    let term = |term: Term| (term.count.get(), term.unit.code());
    let staged = StagedResource {
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        attached_to: resource.attached_to.clone(),
        region: resource.region.clone(),
        charging: resource.charging.code(),
        stage: resource.stage.code(),
        started_at: resource.started_at.map(Timestamp::as_second),
        expires_at: resource.expires_at.map(Timestamp::as_second),
        term: resource.term.map(term),
        on_expiry: resource.on_expiry.map(OnExpiry::code),
        renewals_left: resource.renewals_left,
        renewal_term: resource.renewal_term.map(term),
        price: resource.price.map(Micros::as_micros),
        has_unpaid_order: resource.has_unpaid_order,
        attributes: resource.attributes.clone(),
        tags: resource.tags.clone(),
    };
    serde_json::to_string(&staged).expect("texts and numbers are JSON")
}

/// The resource of [`write()`]; `None` for anything else.
pub(crate) fn read(json: &str) -> Option<CloudResource> {
    let staged = serde_json::from_str::<StagedResource>(json).ok()?;
    let term = |(count, unit): (u32, i64)| Term::new(count, TermUnit::from_code(unit)?);
    Some(CloudResource {
        id: staged.id,
        kind: staged.kind,
        name: staged.name,
        attached_to: staged.attached_to,
        region: staged.region,
        charging: Charging::from_code(staged.charging)?,
        stage: Stage::from_code(staged.stage)?,
        started_at: staged.started_at.map(Timestamp::from_second),
        expires_at: staged.expires_at.map(Timestamp::from_second),
        term: staged.term.and_then(term),
        on_expiry: staged.on_expiry.and_then(OnExpiry::from_code),
        renewals_left: staged.renewals_left,
        renewal_term: staged.renewal_term.and_then(term),
        price: staged.price.map(Micros::new),
        has_unpaid_order: staged.has_unpaid_order,
        attributes: staged.attributes,
        tags: staged.tags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_staged_is_read_back_whole() {
        let term = Term::new(3, TermUnit::Month);
        let resource = CloudResource {
            id: "ecs-1".to_owned(),
            kind: "ecs".to_owned(),
            name: "web".to_owned(),
            attached_to: Some("x".to_owned()),
            region: "cn-north-4".to_owned(),
            charging: Charging::Postpaid,
            stage: Stage::Retention,
            started_at: Some(Timestamp::from_second(1)),
            expires_at: Some(Timestamp::from_second(2)),
            term,
            on_expiry: Some(OnExpiry::Convert),
            renewals_left: Some(7),
            renewal_term: term,
            price: Some(Micros::new(-5)),
            has_unpaid_order: Some(true),
            attributes: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            tags: BTreeMap::from([("c".to_owned(), "d".to_owned())]),
        };
        assert_eq!(read(&write(&resource)), Some(resource));
        assert_eq!(read("{}"), None);
    }
}
