//! A shadow is asked about uses of packages, too: one that takes another package, and one that fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::expect;
use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::PackageIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::revision::BindingMode;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Rules;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;
use perennial_sandbox::Trust;
use perennial_store::Store;
use perennial_store::events;
use perennial_store::keys::RevisionDifferenceKey;
use perennial_store::keys::RowKey;
use perennial_store::revision_differences;
use perennial_test_support::plugins;

use crate::world::AUTHOR;
use crate::world::TABLE;
use crate::world::account;
use crate::world::at;
use crate::world::install;

const NOW: &str = "2026-01-20T00:00:00Z";

/// The rules of a revision, which take uses from the oldest package, from the newest, or fail.
struct Taking {
    rules: Arc<dyn Rules>,
}

impl Taking {
    /// Which package it takes, by the comment at the end of its table.
    fn package(&self, packages: usize) -> Option<usize> {
        match self.rules.digest() {
            digest if digest == revision("newest") => Some(packages - 1),
            digest if digest == revision("none") => None,
            _ => Some(0),
        }
    }
}

/// The table that is bundled with a comment, which makes it another revision.
fn commented(comment: &str) -> String {
    format!("{TABLE}\n# {comment}\n")
}

/// The digest of that revision.
fn revision(comment: &str) -> String {
    let parts = perennial_sandbox::PluginParts::of_table(commented(comment).into_bytes());
    parts.digest()
}

impl Rules for Taking {
    fn manifest(&self) -> &Manifest {
        self.rules.manifest()
    }

    fn digest(&self) -> &str {
        self.rules.digest()
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        self.rules.check_settings(settings)
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        self.rules.timelines(accounts, requests)
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        self.rules.make_plans(accounts, requests)
    }

    fn allocate(
        &self,
        _: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        let answer = |consumption: &Consumption| match self.package(consumption.packages.len()) {
            Some(package) => {
                let package = PackageIndex::new(package);
                Ok(vec![Allocation { package, amount: consumption.amount, alert: Alert::None }])
            }
            None => {
                let (plugin, reason) = (self.manifest().id.clone(), "wasm `unreachable`".to_owned());
                Err(PluginError::Crashed { plugin, function: "allocate", reason })
            }
        };
        consumptions.iter().map(|(_, consumption)| answer(consumption)).collect()
    }
}

/// A package of a hundred hours, which was bought at the start of that day.
fn package(id: &str, bought: &str) -> Bundle {
    let package = Package {
        quota: "100".parse().unwrap(),
        used: Micros::ZERO,
        unit: "hour".to_owned(),
        resource_type: "cpu".to_owned(),
        bought_at: at(&format!("{bought}T00:00:00Z")),
    };
    let resource = Resource {
        id: id.to_owned(),
        kind: "ecs".to_owned(),
        region: "cn-beijing".to_owned(),
        started_at: at(&format!("{bought}T00:00:00Z")),
        expires_at: Some(at("2026-06-30T15:59:59Z")),
        term: Term::new(6, TermUnit::Month),
        price: Some("10".parse().unwrap()),
        on_expiry: OnExpiry::Lapse,
        package: Some(package),
        ..Resource::default()
    };
    Bundle { members: vec![resource] }
}

#[test]
fn a_shadow_that_takes_another_package_or_fails_is_seen_and_not_followed() {
    let providers =
        plugins::trusting(Trust::default()).map(|rules| Arc::new(Taking { rules }) as Arc<dyn Rules>);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::scratch(&folder.path().join("db")).unwrap();
    let mut engine = Engine::new(store, providers, Retention::Everything);
    engine.bind_loaded(at(NOW)).unwrap();
    let packages = [package("old", "2026-01-01"), package("new", "2026-01-10")];
    let imported = packages.iter().map(|package| ("vol", package));
    engine.import(at(NOW), &[account("vol", &[])], imported).unwrap();
    let bundled = engine.providers().loaded()["volcengine"].digest().to_owned();
    let mut seen = String::new();
    for comment in ["newest", "none"] {
        let shadow = install(&mut engine, at(NOW), &commented(comment));
        assert_eq!(shadow, revision(comment));
        engine
            .in_transaction(|engine| {
                engine.bind_revision(at(NOW), &shadow, ("vol", BindingMode::Shadow), AUTHOR)
            })
            .unwrap();
        for amount in ["30", "5"] {
            engine.record_use(at(NOW), "vol", "cpu", amount.parse().unwrap()).unwrap();
        }
        let trials = revision_differences::trials(engine.db(), &shadow).unwrap();
        let trial = &trials[0];
        assert_eq!((trials.len(), &trial.followed), (1, &bundled));
        seen += &format!(
            "{comment}: {} asked, {} differ, {} failed\n",
            trial.asked, trial.differed, trial.failed
        );
        let first = RevisionDifferenceKey::before_all();
        for one in revision_differences::list(engine.db(), &shadow, None, first, 10).unwrap() {
            seen += &format!(
                "{} of {} {}, {} times: {} | {}\n",
                one.question,
                one.resource_id,
                one.kind.name(),
                one.times,
                one.followed_answer,
                one.answer
            );
        }
    }
    expect![[r#"
        newest: 2 asked, 2 differ, 0 failed
        use of old usage, 2 times: old take 5.00 | new take 5.00
        none: 2 asked, 2 differ, 2 failed
        use of old failed, 2 times: old take 5.00 | plugin `volcengine` crashed in `allocate`: wasm `unreachable`; report the input of the call to its author
    "#]].assert_eq(&seen);
    // What is followed is taken, once for each use.
    let mut told = events::list(engine.db(), &events::Filter::default(), u32::MAX).unwrap();
    told.retain(|event| event.kind == "package_used");
    assert_eq!(told.iter().map(|event| event.resource.as_deref()).collect::<Vec<_>>(), [Some("old"); 4]);
}
