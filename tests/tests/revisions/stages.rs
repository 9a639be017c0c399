//! A package that is no good fails at its stage, with a whole message, and changes nothing.

use expect_test::expect;
use perennial_engine::rules::Providers;
use perennial_sandbox::SigningKey;
use perennial_sandbox::Trust;
use perennial_service::revision_install;
use perennial_service::revision_install::Package;
use perennial_service::revision_install::PackageContent;
use perennial_store::Store;
use perennial_store::keys::PluginRevisionKey;
use perennial_store::keys::RowKey;
use perennial_store::plugin_revisions;
use perennial_test_support::plugins;

use crate::world::PROVIDERS;
use crate::world::TABLE;
use crate::world::account;
use crate::world::at;
use crate::world::late_table;
use crate::world::open;
use crate::world::table_with;

/// A component without an export, in base64.
const EMPTY_COMPONENT: &str = "AGFzbQ0AAQA=";
/// A core module, in base64.
const CORE_MODULE: &str = "AGFzbQEAAAA=";
/// The beginning of a component and a section that is cut off, in base64.
const CUT_OFF: &str = "AGFzbQ0AAQABfw==";

fn table(text: String) -> Package {
    Package { name: "p.toml".to_owned(), content: PackageContent::Table(text), digest: None, signature: None }
}

fn component(base64: &str) -> Package {
    let content = PackageContent::Component(base64.to_owned());
    Package { name: "p.wasm".to_owned(), content, digest: None, signature: None }
}

/// What becomes of a package, in words.
fn installed(providers: &Providers, store: &Store, package: Package) -> String {
    match revision_install::check(store.db(), providers, package).unwrap() {
        Ok(checked) => format!("{} from {}", checked.plugin.manifest().id, checked.origin),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_stage_fails_with_its_whole_message_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    let now = at("2026-01-01T00:00:00Z");
    let mut engine = open(&db, now);
    engine.import(now, &[account("vol", &[("try_hour", "9")])], std::iter::empty()).unwrap();
    let store = engine.into_store();
    let kept = || plugin_revisions::list(store.db(), None, PluginRevisionKey::before_all(), 100).unwrap();
    let before = kept();
    let (ours, theirs) = (key(), key());
    let trusting = plugins::trusting(Trust { keys: vec![ours.public_key()] });
    let signed = |by: &SigningKey, of: &str| Package {
        signature: Some(by.sign(of.as_bytes())),
        ..table(late_table())
    };
    let long = format!("{TABLE}\n# {}", "-".repeat(70_000));
    let without_setting = table_with("try_hour = \"The hour of the tries, unconfirmed\"\n", "");
    let failures = [
        installed(&PROVIDERS, &store, component("no base64!")),
        installed(&PROVIDERS, &store, Package { digest: Some("ab".repeat(32)), ..table(late_table()) }),
        installed(&trusting, &store, table(late_table())),
        installed(&trusting, &store, signed(&theirs, &late_table())),
        installed(&trusting, &store, signed(&ours, TABLE)),
        installed(&PROVIDERS, &store, table(long)),
        installed(&PROVIDERS, &store, component(CORE_MODULE)),
        installed(&PROVIDERS, &store, component(EMPTY_COMPONENT)),
        installed(&PROVIDERS, &store, component(CUT_OFF)),
        installed(&PROVIDERS, &store, table(table_with("hour = 10", "hour = 25"))),
        installed(&PROVIDERS, &store, table(without_setting)),
    ];
    expect![[""]].assert_eq(&failures.join("\n"));
    assert_eq!(kept(), before, "something was kept");
    assert_eq!(installed(&trusting, &store, signed(&ours, &late_table())), "volcengine from p.toml");
    assert_eq!(installed(&PROVIDERS, &store, table(late_table())), "volcengine from p.toml");
}

fn key() -> SigningKey {
    SigningKey::read(SigningKey::generate().unwrap().as_bytes()).unwrap()
}
