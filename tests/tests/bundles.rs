//! Bundles of hundreds, through the real sandbox: everything attached is renewed, and in the end released.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_engine::simulation;
use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Plugins;
use perennial_sandbox::TimelineRequest;
use perennial_sandbox::Trust;
use perennial_store::Store;

const ATTACHED: usize = 200;

fn plugins() -> Plugins {
    let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bundles"));
    Plugins::load(&Options {
        files: Vec::new(),
        cache_dir,
        limits: Limits::DEFAULT,
        trust: Trust::default(),
        grants: Grants::new(package_manifest::limits),
    })
    .unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn account(provider: &str, balance: &str) -> Account {
    Account {
        id: format!("{provider}-account"),
        provider: provider.to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(balance.parse().unwrap(), Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    }
}

/// One to which two hundred are attached; each costs 1.00 a month and expires on 10 March.
fn bundle(id: &str, kind: &str, attached: &str) -> Bundle {
    let resource = |id: String, kind: &str, attached_to, on_expiry| Resource {
        id,
        kind: kind.to_owned(),
        region: "region".to_owned(),
        attached_to,
        started_at: at("2026-01-10T04:00:00Z"),
        expires_at: Some(at("2026-03-10T04:00:00Z")),
        anchor_day: Some(10),
        term: Term::new(1, TermUnit::Month),
        price: Some(Micros::new(1_000_000)),
        on_expiry,
        attributes: BTreeMap::from([("status".to_owned(), "running".to_owned())]),
        ..Resource::default()
    };
    let mut members = vec![resource(id.to_owned(), kind, None, OnExpiry::Renew)];
    let disk =
        |number| resource(format!("{id}-{number:03}"), attached, Some(MemberIndex::new(0)), OnExpiry::Lapse);
    members.extend((0..ATTACHED).map(disk));
    Bundle { members }
}

/// The instance is renewed twice with everything attached to it, which uses the money up, and then all of it lapses.
fn check(provider: &str, bundle: &Bundle) {
    let folder = tempfile::tempdir().unwrap();
    let plugins = plugins();
    let rules: Arc<dyn Rules> = plugins.get(provider).unwrap().clone();
    let providers = Providers::from_iter([(provider.to_owned(), rules)]);
    let mut engine =
        Engine::new(Store::scratch(&folder.path().join("db")).unwrap(), providers, Retention::State);
    let account = account(provider, "402.00");
    let (from, until) = (at("2026-03-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    engine.import(from, std::slice::from_ref(&account), [(account.id.as_str(), bundle)]).unwrap();
    let (mut renewed, mut released) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    simulation::run_scenario(&mut engine, &[], from, until, &mut |recorded| {
        let resource = || recorded.event.resource.clone().unwrap();
        let what = &recorded.event.what;
        assert!(!matches!(what, EventKind::PluginFailed { .. }), "{what:?}");
        if matches!(what, EventKind::RenewalSettled { .. }) {
            *renewed.entry(resource()).or_default() += 1;
        } else if matches!(what, EventKind::StageChanged { to: Stage::Released, .. }) {
            *released.entry(resource()).or_default() += 1;
        }
    })
    .unwrap();
    let ids = bundle.members.iter().map(|member| member.id.clone());
    assert_eq!(renewed, ids.clone().map(|id| (id, 2)).collect(), "renewals of {provider}");
    assert_eq!(released, ids.map(|id| (id, 1)).collect(), "releases of {provider}");
}

#[test]
fn an_ecs_with_two_hundred_disks_lives_and_ends_as_one() {
    check("huawei", &bundle("ecs", "ecs", "evs"));
}

#[test]
fn a_bcc_with_two_hundred_disks_lives_and_ends_as_one() {
    check("baidu", &bundle("bcc", "bcc", "cds"));
}

#[test]
fn many_large_bundles_are_told_of_together() {
    let plugins = plugins();
    for (provider, large) in [("huawei", bundle("ecs", "ecs", "evs")), ("baidu", bundle("bcc", "bcc", "cds"))]
    {
        let account = account(provider, "0");
        let after = at("2026-03-01T00:00:00Z");
        let outlooks = vec![TimelineRequest { after, account: AccountIndex::new(0), bundle: &large }; 300];
        let answers = plugins.get(provider).unwrap().timelines(&[&account], &outlooks);
        assert_eq!(answers.len(), 300);
        for answer in answers {
            let timeline = answer.unwrap();
            assert!(timeline.len() > 512, "{provider} says {} of 201 members", timeline.len());
        }
    }
}
