//! A provider's inventory as bundles: what belongs together, and what is assumed where the provider does not say.
//!
//! Knows no pages and no database. A link to something that is not there, or that leads in a circle, is no link.

use std::collections::BTreeMap;

use crate::bundle::Bundle;
use crate::bundle::Charging;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::connector::CloudResource;
use crate::index::MemberIndex;
use crate::inventory_diff;
use crate::inventory_diff::ResourceDiff;
use crate::term::Term;
use crate::term::TermUnit;
use crate::timestamp::Timestamp;

/// The term of a prepaid resource whose provider does not say for how long it was bought: a month. Its forecast and its
/// price are those of this term.
pub fn assumed_term() -> Term {
    Term::new(1, TermUnit::Month).expect("one month is some time")
}

/// The bundles that an inventory makes: each primary with what is attached to it, directly or through one another. Days are
/// `offset_minutes` ahead of UTC.
pub fn bundles(resources: &[CloudResource], offset_minutes: i16) -> Vec<Bundle> {
    let by_id = resources.iter().enumerate().map(|(place, resource)| (resource.id.as_str(), place));
    let by_id = by_id.collect::<BTreeMap<_, _>>();
    let parents = parents(resources, &by_id);
    let mut children = vec![Vec::new(); resources.len()];
    for (place, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent {
            children[*parent].push(place);
        }
    }
    let primaries = (0..resources.len()).filter(|place| parents[*place].is_none());
    primaries.map(|primary| bundle(resources, &children, primary, offset_minutes)).collect()
}

/// What each resource is attached to, by place.
fn parents(resources: &[CloudResource], by_id: &BTreeMap<&str, usize>) -> Vec<Option<usize>> {
    let named = |place: usize| {
        let parent = resources[place].attached_to.as_deref()?;
        by_id.get(parent).copied().filter(|parent| *parent != place)
    };
    let leads_home = |place: usize| {
        let way = std::iter::successors(named(place), |above| named(*above));
        way.take(resources.len()).any(|above| above == place)
    };
    (0..resources.len()).map(|place| named(place).filter(|_| !leads_home(place))).collect()
}

fn bundle(
    resources: &[CloudResource],
    children: &[Vec<usize>],
    primary: usize,
    offset_minutes: i16,
) -> Bundle {
    let mut members = vec![resource(&resources[primary], offset_minutes)];
    let mut places = vec![primary];
    let mut next = 0;
    while let Some(above) = places.get(next).copied() {
        for child in &children[above] {
            let attached_to = Some(MemberIndex::new(next));
            members.push(Resource { attached_to, ..resource(&resources[*child], offset_minutes) });
            places.push(*child);
        }
        next += 1;
    }
    Bundle { members }
}

/// A resource of its own as this host keeps it.
fn resource(there: &CloudResource, offset_minutes: i16) -> Resource {
    let is_prepaid = there.charging == Charging::Prepaid;
    let expires_at = there.expires_at.filter(|_| is_prepaid);
    Resource {
        id: there.id.clone(),
        kind: there.kind.clone(),
        region: there.region.clone(),
        charging: there.charging,
        stage: there.stage,
        started_at: there.started_at.or(expires_at).unwrap_or(Timestamp::from_second(0)),
        expires_at,
        anchor_day: expires_at.map(|at| at.day_of_month(offset_minutes)),
        term: is_prepaid.then(|| there.term.unwrap_or_else(assumed_term)),
        price: there.price.filter(|_| is_prepaid),
        on_expiry: on_expiry(there).unwrap_or_default(),
        renewals_left: there.renewals_left,
        renewal_term: there.renewal_term,
        has_unpaid_order: false,
        attributes: there.attributes.clone(),
        tags: there.tags.clone(),
        ..Resource::default()
    }
}

/// What happens on expiry as the provider shows it: no automatic renewal that is not allowed any more. `None` where it does not
/// say.
pub fn on_expiry(there: &CloudResource) -> Option<OnExpiry> {
    match (there.on_expiry, there.renewals_left) {
        (Some(OnExpiry::Renew), Some(0)) => Some(OnExpiry::Lapse),
        (on_expiry, _) => on_expiry,
    }
}

/// What becomes of the resource that is `here` when the provider is believed; what it does not say stays.
pub fn adoption(here: &Resource, there: &CloudResource, offset_minutes: i16) -> ResourceDiff {
    let mut diff = inventory_diff::between(here, after(here, there, offset_minutes));
    diff.take_named("attributes", &there.attributes, |it| &mut it.attributes);
    diff.take_named("tags", &there.tags, |it| &mut it.tags);
    diff
}

/// What becomes of a resource that the provider does not have any more at `at`.
pub fn departure(here: &Resource, at: Timestamp) -> ResourceDiff {
    let has_expired = here.expires_at.is_some_and(|expires_at| expires_at <= at);
    let stage = if has_expired { Stage::Released } else { Stage::Unsubscribed };
    inventory_diff::between(here, Resource { stage, ..here.clone() })
}

fn after(here: &Resource, there: &CloudResource, offset_minutes: i16) -> Resource {
    let fresh = resource(there, offset_minutes);
    let is_anchored = here
        .anchor_day
        .zip(fresh.expires_at)
        .is_some_and(|(day, expires_at)| expires_at.is_anchored_to(day, offset_minutes));
    let mut after = Resource {
        region: fresh.region,
        charging: fresh.charging,
        stage: fresh.stage,
        expires_at: fresh.expires_at,
        anchor_day: if is_anchored { here.anchor_day } else { fresh.anchor_day },
        term: there.term.or(here.term).or(fresh.term),
        price: there.price.or(here.price),
        on_expiry: on_expiry(there).unwrap_or(here.on_expiry),
        renewals_left: there.renewals_left.or(here.renewals_left),
        renewal_term: there.renewal_term.or(here.renewal_term),
        ..here.clone()
    };
    if there.charging == Charging::Postpaid {
        if here.charging == Charging::Prepaid {
            (after.stage, after.on_expiry) = (Stage::Converted, OnExpiry::Lapse);
        }
        (after.term, after.price, after.renewal_term, after.renewals_left) = (None, None, None, None);
    }
    if after.on_expiry != OnExpiry::Renew {
        after.renewals_left = None;
    }
    after
}
