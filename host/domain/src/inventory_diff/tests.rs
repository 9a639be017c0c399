//! What a newer inventory changes, a line for each field: `~` is another then, `!` stays although the inventory says so.

use std::fmt::Write;

use expect_test::expect;

use super::GivenFields;
use super::diff;
use crate::bundle::Charging;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::sample::at;
use crate::sample::money;
use crate::sample::months;
use crate::sample::package;
use crate::sample::resource;

fn all() -> GivenFields {
    GivenFields::new(|_| true)
}

/// What an inventory gives in any case.
fn required() -> GivenFields {
    GivenFields::new(|name| ["kind", "charging", "started_at", "expires_at", "term", "price"].contains(&name))
}

fn shown(here: &Resource, there: &Resource, given: GivenFields) -> String {
    let diff = diff(here, there, given, 480);
    let text = |value: &Option<String>| value.clone().unwrap_or("none".to_owned());
    let mut shown = String::new();
    for change in &diff.changes {
        writeln!(shown, "~ {} {} to {}", change.field, text(&change.from), text(&change.to)).unwrap();
    }
    for kept in &diff.kept {
        let (here, there) = (text(&kept.here), text(&kept.there));
        writeln!(shown, "! {} {here} not {there}: {}", kept.field, kept.reason).unwrap();
    }
    shown
}

/// Every field another than in the sample.
fn other() -> Resource {
    Resource {
        kind: "rds".to_owned(),
        region: "eu".to_owned(),
        stage: Stage::Grace,
        started_at: at("2026-01-11"),
        expires_at: Some(at("2026-04-30T15:59:59")),
        anchor_day: Some(31),
        term: Some(months(3)),
        price: Some(money("80")),
        on_expiry: OnExpiry::Renew,
        renewals_left: Some(3),
        renewal_term: Some(months(1)),
        attributes: [("status".to_owned(), "stopped".to_owned())].into(),
        tags: [("env".to_owned(), "prod".to_owned())].into(),
        ..resource("ecs")
    }
}

#[test]
fn each_field_is_changed_or_kept_with_a_reason() {
    expect![[r#"
        ~ region cn to eu
        ~ expires_at 2026-03-10T00:00:00Z to 2026-04-30T15:59:59Z
        ~ anchor_day 10 to 31
        ~ term 1 month to 3 months
        ~ price 30.00 to 80.00
        ~ on_expiry lapse to renew
        ~ renewals_left none to 3
        ~ renewal_term none to 1 month
        ~ attributes.status none to stopped
        ~ tags.env none to prod
        ! kind ecs not rds: an import does not change it
        ! started_at 2026-01-10T00:00:00Z not 2026-01-11T00:00:00Z: an import does not change it
        ! stage active not grace: the clock finds out by itself
    "#]]
    .assert_eq(&shown(&resource("ecs"), &other(), all()));
}

#[test]
fn what_is_the_same_or_left_out_is_no_change() {
    assert_eq!(shown(&other(), &other(), all()), "");
    let defaults = Resource {
        region: String::new(),
        stage: Stage::Active,
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        attributes: [].into(),
        tags: [].into(),
        anchor_day: Some(30),
        ..other()
    };
    assert_eq!(shown(&other(), &defaults, required()), "");
}

#[test]
fn an_expiry_moves_forward_only_and_what_was_renewed_stays_so() {
    let here = Resource { stage: Stage::Grace, renewals_left: Some(2), ..resource("ecs") };
    let later = Resource { expires_at: Some(at("2026-04-10")), stage: Stage::Active, ..here.clone() };
    expect![[r#"
        ~ stage grace to active
        ~ expires_at 2026-03-10T00:00:00Z to 2026-04-10T00:00:00Z
    "#]]
    .assert_eq(&shown(&here, &later, all()));
    let older =
        Resource { renewals_left: Some(3), anchor_day: Some(9), term: Some(months(2)), ..here.clone() };
    let older = Resource { expires_at: Some(at("2026-02-10")), stage: Stage::Active, ..older };
    expect![[r#"
        ! expires_at 2026-03-10T00:00:00Z not 2026-02-10T00:00:00Z: an import moves no expiry back: it may have been renewed here since
        ! renewals_left 2 not 3: it goes with the expiry, which stays
    "#]].assert_eq(&shown(&here, &older, all()));
}

#[test]
fn auto_renew_that_its_last_renewal_ended_is_not_turned_on_again() {
    let here = Resource { renewals_left: Some(0), ..resource("ecs") };
    let older = Resource {
        expires_at: Some(at("2026-02-10")),
        on_expiry: OnExpiry::Renew,
        renewals_left: Some(1),
        ..here.clone()
    };
    expect![[r#"
        ! expires_at 2026-03-10T00:00:00Z not 2026-02-10T00:00:00Z: an import moves no expiry back: it may have been renewed here since
        ! on_expiry lapse not renew: no automatic renewal is left of those that were allowed
        ! renewals_left 0 not 1: it goes with the expiry, which stays
    "#]].assert_eq(&shown(&here, &older, all()));
    let more = Resource { expires_at: here.expires_at, ..older };
    expect![[r#"
        ~ on_expiry lapse to renew
        ~ renewals_left 0 to 1
    "#]]
    .assert_eq(&shown(&here, &more, all()));
}

#[test]
fn an_anchor_day_that_is_left_out_stays_as_long_as_it_fits() {
    let anchored = |day, expires_at| Resource {
        anchor_day: Some(day),
        expires_at: Some(at(expires_at)),
        ..resource("ecs")
    };
    let here = anchored(31, "2026-02-28T15:59:59");
    for (there, day) in
        [("2026-04-30T15:59:59", 31), ("2026-03-31T15:59:59", 31), ("2026-04-12T15:59:59", 12)]
    {
        let after = diff(&here, &anchored(day.min(30), there), required(), 480).after;
        assert_eq!(after.anchor_day, Some(day), "{there}");
    }
}

#[test]
fn what_came_to_its_end_here_stays_there_whatever_a_file_says() {
    let here = Resource { stage: Stage::Released, ..resource("ecs") };
    let there = Resource { expires_at: Some(at("2027-03-10")), ..resource("ecs") };
    expect![[r#"
        ! stage released not active: it has come to its end here
    "#]]
    .assert_eq(&shown(&here, &there, all()));
}

#[test]
fn billing_modes_and_use_are_changed_by_commands_only() {
    let postpaid = Resource {
        charging: Charging::Postpaid,
        expires_at: None,
        anchor_day: None,
        term: None,
        price: None,
        ..resource("ecs")
    };
    expect![[r#"
        ! charging prepaid not postpaid: a change of billing mode is a command
    "#]]
    .assert_eq(&shown(&resource("ecs"), &postpaid, all()));
    let mut used = package("pkg");
    used.package.as_mut().unwrap().used = money("70");
    expect![[r#"
        ! used 40.00 not 70.00: use is recorded, not imported
    "#]]
    .assert_eq(&shown(&package("pkg"), &used, all()));
}
