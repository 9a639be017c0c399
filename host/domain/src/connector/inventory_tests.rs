//! Inventories as bundles, and every difference between what was known and what a provider says.

use std::collections::BTreeMap;

use expect_test::expect;

use crate::bundle::Charging;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::connector::CloudResource;
use crate::connector::adoption;
use crate::connector::assumed_term;
use crate::connector::bundles;
use crate::connector::departure;
use crate::connector::drift;
use crate::sample::at;
use crate::sample::money;
use crate::sample::years;

fn cloud(id: &str, attached_to: Option<&str>) -> CloudResource {
    CloudResource {
        id: id.to_owned(),
        kind: "server".to_owned(),
        name: String::new(),
        attached_to: attached_to.map(str::to_owned),
        region: String::new(),
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: Some(at("2026-01-10T02:00:00")),
        expires_at: Some(at("2026-03-31T15:59:59")),
        term: None,
        on_expiry: Some(OnExpiry::Lapse),
        renewals_left: None,
        renewal_term: None,
        price: None,
        has_unpaid_order: None,
        attributes: BTreeMap::new(),
        tags: BTreeMap::new(),
    }
}

#[test]
fn an_inventory_is_bundles_whatever_is_attached_to_what() {
    let resources = [
        cloud("disk-of-ip", Some("ip")),
        cloud("ip", Some("server")),
        cloud("server", None),
        cloud("alone", Some("not-listed")),
        cloud("self", Some("self")),
        cloud("a", Some("b")),
        cloud("b", Some("a")),
        cloud("c", Some("b")),
    ];
    let made = bundles(&resources, 480);
    let shown = made.iter().map(|bundle| {
        let member = |member: &Resource| match member.attached_to {
            Some(to) => format!("{} on {}", member.id, bundle[to].id),
            None => member.id.clone(),
        };
        bundle.members.iter().map(member).collect::<Vec<_>>().join(", ")
    });
    expect![[r#"
        server, ip on server, disk-of-ip on ip
        alone
        self
        a
        b, c on b"#]]
    .assert_eq(&shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_a_provider_does_not_say_is_assumed_once_and_then_kept() {
    let there = cloud("server", None);
    let here = bundles(std::slice::from_ref(&there), 480)[0].members[0].clone();
    assert_eq!((here.term, here.anchor_day, here.price), (Some(assumed_term()), Some(31), None));
    let here = Resource { term: Some(years(1)), price: Some(money("99.00")), ..here };
    let renewed = CloudResource { expires_at: Some(at("2026-04-30T15:59:59")), ..there };
    let after = adoption(&here, &renewed, 480).after;
    assert_eq!((after.term, after.price), (here.term, here.price));
    assert_eq!(after.anchor_day, Some(31), "a short month does not move the anchor");
}

/// The kinds of drift, and what changes of the resource then.
fn changed(here: &Resource, change: impl FnOnce(&mut CloudResource)) -> String {
    let mut there = cloud("server", None);
    change(&mut there);
    let kinds = drift(here, &there, (None, there.attached_to.as_deref()));
    let kinds = kinds.iter().map(|drift| drift.kind.name()).collect::<Vec<_>>().join(" ");
    let changes = adoption(here, &there, 480).changes;
    let changes = changes.iter().map(|change| change.field.clone()).collect::<Vec<_>>().join(" ");
    format!("[{kinds}] changes {changes}\n")
}

#[test]
fn every_difference_has_its_kind_and_is_gone_once_it_was_taken_over() {
    let here = bundles(&[cloud("server", None)], 480)[0].members[0].clone();
    let renewing = Resource { on_expiry: OnExpiry::Renew, ..here.clone() };
    let later = Some(at("2026-04-30T15:59:59"));
    let mut table = String::new();
    table += &changed(&here, |_| {});
    table += &changed(&here, |there| there.expires_at = later);
    table += &changed(&renewing, |there| {
        (there.expires_at, there.on_expiry) = (later, Some(OnExpiry::Renew));
    });
    table += &changed(&here, |there| there.expires_at = Some(at("2026-02-28T15:59:59")));
    table += &changed(&here, |there| there.on_expiry = Some(OnExpiry::Renew));
    table += &changed(&renewing, |_| {});
    table += &changed(&here, |there| there.on_expiry = Some(OnExpiry::Convert));
    table += &changed(&here, |there| {
        (there.on_expiry, there.renewals_left) = (Some(OnExpiry::Renew), Some(0));
    });
    table += &changed(&here, |there| there.stage = Stage::Retention);
    table += &changed(&here, |there| {
        (there.charging, there.expires_at) = (Charging::Postpaid, None);
    });
    table += &changed(&here, |there| there.attached_to = Some("rack".to_owned()));
    table += &changed(&here, |there| (there.on_expiry, there.price) = (None, Some(money("5.00"))));
    expect![[r#"
        [] changes 
        [renewed] changes expires_at
        [renewed_by_provider] changes expires_at
        [shortened] changes expires_at
        [auto_renew_on] changes on_expiry
        [auto_renew_off] changes on_expiry
        [on_expiry_changed] changes on_expiry
        [] changes 
        [stage_changed] changes stage
        [converted] changes charging stage expires_at anchor_day term
        [primary_changed] changes 
        [] changes price
    "#]]
    .assert_eq(&table);
    let gone = |now| departure(&here, at(now)).after.stage;
    assert_eq!(gone("2026-03-01T00:00:00"), Stage::Unsubscribed);
    assert_eq!(gone("2026-05-01T00:00:00"), Stage::Released);
}
