//! A host that starts with another revision than the one before: it is followed, tried in shadow, or not bound at all.

use std::path::Path;
use std::path::PathBuf;

use expect_test::expect;
use perennial_domain::event::EventKind;
use perennial_domain::revision::BindingMode;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::revisions::Upgrade;
use perennial_engine::rules::Providers;
use perennial_store::Store;
use perennial_store::audit;
use perennial_store::decisions;
use perennial_store::keys::AuditKey;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::PluginBindingChangeKey;
use perennial_store::keys::RowKey;
use perennial_store::plugin_bindings;
use perennial_store::revision_differences;
use perennial_test_support::plugins;
use tempfile::TempDir;

use crate::world::AUTHOR;
use crate::world::account;
use crate::world::at;
use crate::world::bundle;
use crate::world::late_table;
use crate::world::table_with;

const FROM: &str = "2026-01-20T00:00:00Z";

/// A database, and what two versions of a host bring.
struct World {
    folder: TempDir,
    before: Providers,
    after: Providers,
}

impl World {
    /// A version that brings this table for Volcengine, and one that brings the bundled one.
    fn new(table: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let before = with_table(folder.path(), table);
        World { folder, before, after: plugins::bundled() }
    }

    /// Starts a version of the host; returns what happened in words, too.
    fn start(&self, providers: &Providers) -> (Engine, String) {
        let store = Store::open(&self.folder.path().join("db")).unwrap();
        let mut engine = Engine::new(store, providers.clone(), Retention::Everything);
        let events = engine.bind_loaded(at(FROM)).unwrap();
        engine.reschedule().unwrap();
        let told = events.iter().map(|recorded| self.told(recorded)).collect();
        (engine, told)
    }

    /// An event of a binding, with the version that brought each revision.
    fn told(&self, recorded: &RecordedEvent) -> String {
        let what = &recorded.event.what;
        let (subject, before, after, by) =
            if let EventKind::RevisionBound { provider, accounts, mode, digest, digest_before, changed_by } =
                what
            {
                ([provider, accounts, mode], digest_before.as_deref(), Some(digest), changed_by)
            } else if let EventKind::RevisionUnbound { provider, accounts, mode, digest_before, changed_by } =
                what
            {
                ([provider, accounts, mode], Some(digest_before.as_str()), None, changed_by)
            } else {
                panic!("{what:?}")
            };
        let before = before.map_or("none", |digest| self.version(digest));
        let after = after.map_or("none", |digest| self.version(digest));
        format!("{}: {before} to {after} by {by}\n", subject.map(String::as_str).join(" "))
    }

    /// What the history of bindings at Volcengine has and, beside it, the audit log.
    fn history(&self, engine: &Engine) -> (String, String) {
        let changes =
            plugin_bindings::changes(engine.db(), PluginBindingChangeKey::before_all(), 100).unwrap();
        let changes = changes.iter().filter(|change| change.subject.provider == "volcengine").map(|change| {
            let version = |digest: &Option<String>| digest.as_deref().map_or("none", |it| self.version(it));
            let (before, after) = (version(&change.before), version(&change.after));
            format!("{}: {before} to {after} by {}\n", change.subject.mode.name(), change.changed_by)
        });
        let records = audit::list(engine.db(), None, AuditKey::after_all(), 100).unwrap();
        let records = records.iter().rev().map(|(_, record)| {
            let version = record.revision.as_deref().map_or("none", |digest| self.version(digest));
            format!("{} {}: {version} {}\n", record.token, record.operation, record.outcome)
        });
        (changes.collect(), records.collect())
    }

    fn version(&self, digest: &str) -> &'static str {
        match [&self.before, &self.after].map(|brought| brought.loaded()["volcengine"].digest() == digest) {
            [true, _] => "old",
            [_, true] => "new",
            [false, false] => "unknown",
        }
    }

    /// What is bound at Volcengine.
    fn bound(&self, engine: &Engine) -> String {
        let bound = plugin_bindings::list(engine.db()).unwrap().into_iter();
        let bound = bound.filter(|held| held.subject.provider == "volcengine").map(|held| {
            let version = self.version(&held.digest);
            format!(
                "{} {} {version} {}\n",
                held.subject.accounts,
                held.subject.mode.name(),
                held.origin.name()
            )
        });
        bound.collect()
    }

    /// The versions that decided, each at its instant.
    fn decided(&self, engine: &Engine) -> String {
        let decided = decisions::list(engine.db(), DecisionKey::before_all(), u32::MAX).unwrap();
        decided.iter().map(|one| format!("{} {}\n", one.at, self.version(&one.digest))).collect()
    }
}

/// The bundled plugins, with this table for Volcengine.
fn with_table(folder: &Path, table: &str) -> Providers {
    let file = folder.join("brought.toml");
    std::fs::write(&file, table).unwrap();
    plugins::load(vec![PathBuf::from(&file)])
}

/// The first version has the account and a server that expires on 10 February.
fn started(world: &World, settings: &[(&str, &str)]) {
    let (mut engine, told) = world.start(&world.before);
    assert_eq!(told, "", "what is bound first is no news");
    let server = bundle("ecs", "2026-02-10");
    engine.import(at(FROM), &[account("vol", settings)], [("vol", &server)]).unwrap();
    engine.run_to(at("2026-01-21T00:00:00Z"), &mut |_, _| {}).unwrap();
    assert_eq!(world.bound(&engine), "* active old loaded\n");
}

#[test]
fn another_revision_of_the_host_is_followed_from_its_start_on() {
    let world = World::new(&late_table());
    started(&world, &[]);
    let (mut engine, told) = world.start(&world.after.clone().with_upgrade(Upgrade::Follow));
    assert_eq!(told, "volcengine * active: old to new by host\n");
    assert_eq!(world.bound(&engine), "* active new loaded\n");
    engine.run_to(at("2026-02-10T00:00:00Z"), &mut |_, _| {}).unwrap();
    // Seven days before the expiry, and not three.
    assert_eq!(world.decided(&engine), "2026-02-03T02:00:00Z new\n");
    drop(engine);
    assert_eq!(world.start(&world.after).1, "", "the same again is no news");
}

#[test]
fn another_revision_of_the_host_is_tried_in_shadow_where_that_is_wanted() {
    let world = World::new(&late_table());
    started(&world, &[]);
    let after = world.after.clone().with_upgrade(Upgrade::Shadow);
    let (mut engine, told) = world.start(&after);
    assert_eq!(told, "volcengine * shadow: none to new by host\n");
    assert_eq!(world.bound(&engine), "* active old loaded\n* shadow new loaded\n");
    engine.run_to(at("2026-02-10T00:00:00Z"), &mut |_, _| {}).unwrap();
    assert_eq!(world.decided(&engine), "2026-02-07T02:00:00Z old\n");
    let new = after.loaded()["volcengine"].digest();
    let trials = revision_differences::trials(engine.db(), new).unwrap();
    assert_eq!((trials.len(), trials[0].failed), (1, 0), "{trials:?}");
    assert!(trials[0].differed > 0 && world.version(&trials[0].followed) == "old", "{trials:?}");
    drop(engine);
    let (mut engine, told) = world.start(&after);
    assert_eq!(told, "", "the same again is no news");
    let promoted = engine
        .in_transaction(|engine| engine.promote_revision(at(FROM), ("volcengine", "*"), AUTHOR))
        .unwrap();
    assert_eq!(promoted.changes.len(), 2);
    assert_eq!(world.bound(&engine), "* active new loaded\n", "it is what the host brings, and no pin");
    drop(engine);
    assert_eq!(world.start(&after).1, "");
}

#[test]
fn a_trial_that_the_host_ends_is_in_its_history_and_the_audit_log() {
    let world = World::new(&late_table());
    started(&world, &[]);
    drop(world.start(&world.after.clone().with_upgrade(Upgrade::Shadow)));
    // What it brings decides now, so nothing is left to try.
    let (engine, told) = world.start(&world.after.clone().with_upgrade(Upgrade::Follow));
    expect![[r#"
        volcengine * shadow: new to none by host
        volcengine * active: old to new by host
    "#]]
    .assert_eq(&told);
    assert_eq!(world.bound(&engine), "* active new loaded\n");
    let (history, records) = world.history(&engine);
    expect![[r#"
        active: none to old by host
        shadow: none to new by host
        shadow: new to none by host
        active: old to new by host
    "#]]
    .assert_eq(&history);
    expect![[r#"
        host host plugin bind: new done
        host host plugin unbind: new done
        host host plugin bind: new done
    "#]]
    .assert_eq(&records);
}

#[test]
fn a_trial_ends_when_the_host_goes_back_to_what_decides() {
    let world = World::new(&late_table());
    started(&world, &[]);
    drop(world.start(&world.after.clone().with_upgrade(Upgrade::Shadow)));
    let (engine, told) = world.start(&world.before);
    assert_eq!(told, "volcengine * shadow: new to none by host\n");
    assert_eq!(world.bound(&engine), "* active old loaded\n");
}

#[test]
fn what_an_operator_pinned_stays_whatever_the_host_brings() {
    for (accounts, told, bound) in [
        ("*", "", "* active old operator\n"),
        (
            "vol",
            "volcengine * active: old to new by host\n",
            "* active new loaded\nvol active old operator\n",
        ),
    ] {
        let world = World::new(&late_table());
        started(&world, &[]);
        let (mut engine, _) = world.start(&world.before);
        let old = world.before.loaded()["volcengine"].digest().to_owned();
        engine
            .in_transaction(|engine| {
                engine.bind_revision(at(FROM), &old, (accounts, BindingMode::Active), AUTHOR)
            })
            .unwrap();
        drop(engine);
        let (mut engine, said) = world.start(&world.after);
        assert_eq!((said.as_str(), world.bound(&engine).as_str()), (told, bound), "{accounts}");
        engine.run_to(at("2026-02-10T00:00:00Z"), &mut |_, _| {}).unwrap();
        assert_eq!(world.decided(&engine), "2026-02-07T02:00:00Z old\n", "{accounts}");
    }
}

#[test]
fn a_revision_that_does_not_take_an_accounts_settings_is_not_followed() {
    let without = table_with("try_hour = \"The hour of the tries, unconfirmed\"\n", "");
    let mut world = World::new(&without);
    // The older version has the setting.
    std::mem::swap(&mut world.before, &mut world.after);
    started(&world, &[("try_hour", "9")]);
    for upgrade in Upgrade::ALL {
        let (mut engine, told) = world.start(&world.after.clone().with_upgrade(upgrade));
        assert_eq!((told.as_str(), world.bound(&engine).as_str()), ("", "* active old loaded\n"));
        engine.run_to(at("2026-02-10T00:00:00Z"), &mut |_, _| {}).unwrap();
        assert_eq!(world.decided(&engine), "2026-02-03T01:00:00Z old\n");
    }
    // Nor does anybody bind it by hand, until the setting is gone.
    let (mut engine, _) = world.start(&world.after);
    let new = world.after.loaded()["volcengine"].digest().to_owned();
    let bind = |engine: &mut Engine| {
        engine
            .in_transaction(|engine| engine.bind_revision(at(FROM), &new, ("*", BindingMode::Active), AUTHOR))
    };
    let refused = bind(&mut engine).unwrap_err().to_string();
    assert!(refused.contains("`vol`: `try_hour` is not a setting"), "{refused}");
}
