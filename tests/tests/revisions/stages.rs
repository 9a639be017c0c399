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
    expect![[r#"
        read: the plugin `p.wasm` is not in base64: Invalid symbol 32, offset 2.; send it again
        digest: the plugin `p.toml` has the digest 84fd54fb36cb3dff774f5062418813460e0ce481e7fe5c9574e650873b4fbcd7, and abababababababababababababababababababababababababababababababab was asked for; send that one, or name the other digest if the new one is meant
        signature: the plugin `p.toml` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        signature: the signature of the plugin `p.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        signature: the signature of the plugin `p.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        size: the plugin `p.toml` has 73794 bytes; at most 65536 are accepted
        contract: `p.wasm` is a core WebAssembly module, and a plugin is a component; make one of it with `wasm-tools component new`
        contract: the plugin `p.wasm` exports nothing, imports nothing, and is expected to export `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`: `perennial:provider/types@0.2.0` is missing; `perennial:provider/profile@0.2.0` is missing; `perennial:provider/lifecycle@0.2.0` is missing; `perennial:provider/commands@0.2.0` is missing; `perennial:provider/usage@0.2.0` is missing
        compile: the plugin `p.wasm` cannot be compiled: failed to parse WebAssembly module: wasm component contains an invalid module section: section range 10..137 is out of bounds (bound = 10)
        describe: the table `p.toml` cannot be used; nothing of it is loaded:
          p.toml:38: `hour` of [tries]: it is a whole number from 0 to 23
              38 | hour = 25
          p.toml:61: `hour` of [[notices]]: it is a whole number from 0 to 23
              61 | hour = 25
        settings: the plugin `p.toml` does not take the settings of accounts of `volcengine`: `vol`: `try_hour` is not a setting; there are `fee_percent`, `grace`, `grace_renewal`, `refund_within`, `retention`, `retention_renewal`, `try_days`; change them, or the plugin"#]].assert_eq(&failures.join("\n"));
    assert_eq!(kept(), before, "something was kept");
    assert_eq!(installed(&trusting, &store, signed(&ours, &late_table())), "volcengine from p.toml");
    assert_eq!(installed(&PROVIDERS, &store, table(late_table())), "volcengine from p.toml");
}

fn key() -> SigningKey {
    SigningKey::read(SigningKey::generate().unwrap().as_bytes()).unwrap()
}
