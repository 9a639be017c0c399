//! Going back from a revision, once and again, and what cannot be taken away.

use perennial_domain::revision::BindingMode;
use perennial_engine::Engine;
use perennial_engine::bind_error::BindError;
use perennial_store::plugin_bindings;
use perennial_store::plugin_bindings::BindingSubject;
use tempfile::TempDir;

use crate::world::AUTHOR;
use crate::world::account;
use crate::world::at;
use crate::world::bundle;
use crate::world::install;
use crate::world::late_table;
use crate::world::narrow_table;
use crate::world::open;
use crate::world::table_with;

const NOW: &str = "2026-01-20T00:00:00Z";

fn host() -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open(&folder.path().join("db"), at(NOW)), folder)
}

fn bind(engine: &mut Engine, digest: &str) {
    let bind = (at(NOW), digest, ("*", BindingMode::Active), AUTHOR);
    engine.in_transaction(|engine| engine.bind_revision(bind.0, bind.1, bind.2, bind.3)).unwrap();
}

/// The revision that decides for every account of the provider.
fn bound(engine: &Engine, provider: &str) -> Option<String> {
    let subject =
        BindingSubject { provider: provider.to_owned(), accounts: "*".to_owned(), mode: BindingMode::Active };
    plugin_bindings::get(engine.db(), &subject).unwrap().map(|held| held.digest)
}

#[test]
fn going_back_twice_goes_back_twice_and_never_to_what_was_taken_back() {
    let (mut engine, _folder) = host();
    let bundled = bound(&engine, "volcengine").unwrap();
    let [late, narrow] = [late_table(), narrow_table()].map(|table| install(&mut engine, at(NOW), &table));
    let go_back = |engine: &mut Engine| {
        engine.in_transaction(|engine| engine.roll_back_revision(at(NOW), ("volcengine", "*"), AUTHOR))
    };
    bind(&mut engine, &late);
    bind(&mut engine, &narrow);
    for expected in [&late, &bundled] {
        go_back(&mut engine).unwrap();
        assert_eq!(bound(&engine, "volcengine").as_ref(), Some(expected));
    }
    let refused = go_back(&mut engine).unwrap_err();
    assert!(matches!(refused, BindError::NothingBefore(_)), "{refused}");
    assert_eq!(bound(&engine, "volcengine"), Some(bundled.clone()));
    // What somebody binds once more can be taken back once more.
    bind(&mut engine, &narrow);
    go_back(&mut engine).unwrap();
    assert_eq!(bound(&engine, "volcengine"), Some(bundled));
}

#[test]
fn the_only_revision_of_a_provider_that_accounts_have_is_not_taken_away() {
    let (mut engine, _folder) = host();
    let table = table_with("id = \"volcengine\"", "id = \"cumulus\"");
    let only = install(&mut engine, at(NOW), &table);
    bind(&mut engine, &only);
    let subject = BindingSubject {
        provider: "cumulus".to_owned(),
        accounts: "*".to_owned(),
        mode: BindingMode::Active,
    };
    let mut cumulus = account("acme", &[]);
    cumulus.provider = "cumulus".to_owned();
    let server = bundle("ecs", "2026-02-10");
    engine.import(at(NOW), &[cumulus], [("acme", &server)]).unwrap();
    let refused = engine
        .in_transaction(|engine| engine.unbind_revision(at(NOW), &subject, AUTHOR))
        .unwrap_err()
        .to_string();
    assert_eq!(
        refused,
        "no revision of `cumulus` would decide for `acme`; bind another revision in its place"
    );
    assert_eq!(bound(&engine, "cumulus"), Some(only), "nothing has changed");
}

fn go_back(engine: &mut Engine, accounts: &str) -> Option<String> {
    engine
        .in_transaction(|engine| engine.roll_back_revision(at(NOW), ("volcengine", accounts), AUTHOR))
        .unwrap();
    bound_to(engine, accounts)
}

fn bound_to(engine: &Engine, accounts: &str) -> Option<String> {
    let subject = BindingSubject {
        provider: "volcengine".to_owned(),
        accounts: accounts.to_owned(),
        mode: BindingMode::Active,
    };
    plugin_bindings::get(engine.db(), &subject).unwrap().map(|held| held.digest)
}

#[test]
fn a_revision_that_was_bound_before_by_hand_is_gone_back_from() {
    for accounts in ["*", "acme"] {
        let (mut engine, _folder) = host();
        let bundled = bound_to(&engine, accounts);
        let [late, narrow] =
            [late_table(), narrow_table()].map(|table| install(&mut engine, at(NOW), &table));
        let bind = |engine: &mut Engine, digest: &str| {
            engine
                .in_transaction(|engine| {
                    engine.bind_revision(at(NOW), digest, (accounts, BindingMode::Active), AUTHOR)
                })
                .unwrap();
        };
        for digest in [&late, &narrow, &late] {
            bind(&mut engine, digest);
        }
        let gone_back = [(); 3].map(|()| go_back(&mut engine, accounts));
        assert_eq!(gone_back, [Some(narrow.clone()), Some(late.clone()), bundled], "{accounts}");
        // What was bound by hand and taken away comes back.
        bind(&mut engine, &narrow);
        let subject = BindingSubject {
            provider: "volcengine".to_owned(),
            accounts: accounts.to_owned(),
            mode: BindingMode::Active,
        };
        engine.in_transaction(|engine| engine.unbind_revision(at(NOW), &subject, AUTHOR)).unwrap();
        assert_eq!(go_back(&mut engine, accounts), Some(narrow), "{accounts}");
    }
}

#[test]
fn without_a_pinned_revision_that_of_the_host_is_bound_to_all() {
    let (mut engine, _folder) = host();
    let bundled = bound(&engine, "volcengine");
    let late = install(&mut engine, at(NOW), &late_table());
    bind(&mut engine, &late);
    let subject = BindingSubject {
        provider: "volcengine".to_owned(),
        accounts: "*".to_owned(),
        mode: BindingMode::Active,
    };
    let changes = engine.in_transaction(|engine| engine.unbind_revision(at(NOW), &subject, AUTHOR)).unwrap();
    assert_eq!(bound(&engine, "volcengine"), bundled);
    assert_eq!((&changes.changes[0].before, &changes.changes[0].after), (&Some(late), &bundled));
}
