//! A package that is no good fails at its stage, with a whole message, and changes nothing.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use expect_test::expect;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_engine::rules::Providers;
use perennial_formats::package;
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
use crate::world::bundle;
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
    let (name, content) = ("p.toml".to_owned(), PackageContent::Table(text));
    Package { name, content, digest: None, signature: None, granted: PluginLimits::NONE }
}

fn component(base64: &str) -> Package {
    let content = PackageContent::Component(base64.to_owned());
    let name = "p.wasm".to_owned();
    Package { name, content, digest: None, signature: None, granted: PluginLimits::NONE }
}

/// A component that asks for everything, in base64; it exports nothing.
fn asking_for_everything() -> String {
    let asked = PluginLimits::read("fuel-per-item=300000,memory=64MiB,size=32MiB,wasi").unwrap();
    BASE64_STANDARD.encode(package::asking_for(b"\0asm\x0d\0\x01\0", asked))
}

/// The same, which was granted something.
fn granted(grant: &str) -> Package {
    Package { granted: PluginLimits::read(grant).unwrap(), ..component(&asking_for_everything()) }
}

/// A component of this text, in base64.
fn written(text: &str) -> Package {
    component(&BASE64_STANDARD.encode(wat::parse_str(text).unwrap()))
}

/// A component of another version of the contract: it has no commands, uses are covered by another function, and what was the
/// provider's API has another name.
const OTHER_CONTRACT: &str = r#"(component
    (core module $m (func (export "f")))
    (core instance $c (instantiate $m))
    (func $f (canon lift (core func $c "f")))
    (instance $types)
    (instance $profile (export "describe" (func $f)) (export "check-settings" (func $f)))
    (instance $lifecycle (export "timeline" (func $f)))
    (instance $usage (export "cover" (func $f)))
    (instance $endpoint (export "handle" (func $f)))
    (export "perennial:provider/types@0.1.0" (instance $types))
    (export "perennial:provider/profile@0.1.0" (instance $profile))
    (export "perennial:provider/lifecycle@0.1.0" (instance $lifecycle))
    (export "perennial:provider/usage@0.1.0" (instance $usage))
    (export "perennial:provider/endpoint@0.1.0" (instance $endpoint)))"#;
/// A component that wants a clock of the system.
const WITH_POWERS: &str = r#"(component
    (import "wasi:clocks/wall-clock@0.2.0" (instance)))"#;

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
    let server = bundle("srv", "2026-02-10");
    engine.import(now, &[account("vol", &[("try_hour", "9")])], [("vol", &server)]).unwrap();
    let store = engine.into_store();
    let kept = || plugin_revisions::list(store.db(), None, PluginRevisionKey::before_all(), 100).unwrap();
    let before = kept();
    let (ours, theirs) = (key(), key());
    let trusting = plugins::trusting(Trust { keys: vec![ours.public_key()] });
    let signed = |by: &SigningKey, of: &str| Package {
        signature: Some(by.sign(of.as_bytes())),
        ..table(late_table())
    };
    let signed_component =
        Package { signature: Some(ours.sign(b"another file")), ..component(EMPTY_COMPONENT) };
    let large =
        component(&BASE64_STANDARD.encode([b"\0asm\x0d\0\x01\0".as_slice(), &vec![0; 11_000_000]].concat()));
    let long = format!("{TABLE}\n# {}", "-".repeat(70_000));
    let without_setting = table_with("try_hour = \"The hour of the tries, unconfirmed\"\n", "");
    let failures = [
        installed(&PROVIDERS, &store, component("no base64!")),
        installed(&PROVIDERS, &store, Package { digest: Some("ab".repeat(32)), ..table(late_table()) }),
        installed(&trusting, &store, table(late_table())),
        installed(&trusting, &store, signed(&theirs, &late_table())),
        installed(&trusting, &store, signed(&ours, TABLE)),
        installed(&PROVIDERS, &store, component(&asking_for_everything())),
        installed(&PROVIDERS, &store, granted("memory=9GiB")),
        installed(&PROVIDERS, &store, granted("wasi")),
        installed(&trusting, &store, component(EMPTY_COMPONENT)),
        installed(&trusting, &store, signed_component),
        installed(&PROVIDERS, &store, table(long)),
        installed(&PROVIDERS, &store, large),
        installed(&PROVIDERS, &store, component(CORE_MODULE)),
        installed(&PROVIDERS, &store, component(EMPTY_COMPONENT)),
        installed(&PROVIDERS, &store, written(WITH_POWERS)),
        installed(&PROVIDERS, &store, written(OTHER_CONTRACT)),
        installed(&PROVIDERS, &store, component(CUT_OFF)),
        installed(&PROVIDERS, &store, table(table_with("hour = 10", "hour = 25"))),
        installed(&PROVIDERS, &store, table(without_kind("ebs"))),
        installed(&PROVIDERS, &store, table(without_attachment())),
        installed(&PROVIDERS, &store, table(without_setting)),
    ];
    expect![[r#"
        read: the plugin `p.wasm` is not in base64: Invalid symbol 32, offset 2.; send it again
        digest: the plugin `p.toml` has the digest 84fd54fb36cb3dff774f5062418813460e0ce481e7fe5c9574e650873b4fbcd7, and abababababababababababababababababababababababababababababababab was asked for; send that one, or name the other digest if the new one is meant
        signature: the plugin `p.toml` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        signature: the signature of the plugin `p.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        signature: the signature of the plugin `p.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        limits: the plugin `p.wasm` asks for more than it may have: fuel-per-item of 300000 where 100000 is allowed; memory of 64MiB where 32MiB is allowed; size of 32MiB where 10MiB is allowed; wasi, which is answered by stubs without an effect; if you trust it with that, grant it: `perennial plugin install FILE --grant fuel-per-item=300000,memory=64MiB,size=32MiB,wasi` or, for a file of the configuration, `[plugins.grants]` with `"FILE" = "fuel-per-item=300000,memory=64MiB,size=32MiB,wasi"`
        limits: the plugin `p.wasm` cannot be granted that: memory of 9GiB, and at most 256MiB may be granted; `grants_max` in `[plugins]` of the configuration has the bounds
        limits: the plugin `p.wasm` asks for more than it may have: fuel-per-item of 300000 where 100000 is allowed; memory of 64MiB where 32MiB is allowed; size of 32MiB where 10MiB is allowed; if you trust it with that, grant it: `perennial plugin install FILE --grant fuel-per-item=300000,memory=64MiB,size=32MiB,wasi` or, for a file of the configuration, `[plugins.grants]` with `"FILE" = "fuel-per-item=300000,memory=64MiB,size=32MiB,wasi"`
        signature: the plugin `p.wasm` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        signature: the signature of the plugin `p.wasm` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        size: the table `p.toml` has 73794 bytes; at most 65536 are accepted, because every call reads all of it; write a component instead
        size: the plugin `p.wasm` has 11000008 bytes; at most 10485760 are accepted, unless more is granted (`size=11000008`)
        contract: `p.wasm` is a core WebAssembly module, and a plugin is a component; make one of it with `wasm-tools component new`
        contract: the plugin `p.wasm` exports nothing, imports nothing, and is expected to export `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`: `perennial:provider/types@0.2.0` is missing; `perennial:provider/profile@0.2.0` is missing; `perennial:provider/lifecycle@0.2.0` is missing; `perennial:provider/commands@0.2.0` is missing; `perennial:provider/usage@0.2.0` is missing
        contract: the plugin `p.wasm` imports `wasi:clocks/wall-clock@0.2.0`, and plugins have no capabilities: they import nothing; build it for `wasm32-unknown-unknown`, without the parts of its language that need a system, or with its tool's `--stub-wasi`. Parts of WASI 0.2 are answered by stubs without an effect, if the operator grants `wasi`
        contract: the plugin `p.wasm` was built for version 0.1.0 of the contract `perennial:provider`, and this host runs version 0.2.0: of version 0.1.0: `types`, `profile`, `lifecycle`, `usage`; missing: `commands`; `usage` lacks `allocate`; `usage` has `cover`, which it has no more; there is no `endpoint`; build the plugin again with the `wit/provider` of this host
        compile: the plugin `p.wasm` cannot be compiled: unexpected end-of-file (at offset 0xa)
        describe: the table `p.toml` cannot be used; nothing of it is loaded:
          p.toml:38: `hour` of [tries]: it is a whole number from 0 to 23
              38 | hour = 25
          p.toml:61: `hour` of [[notices]]: it is a whole number from 0 to 23
              61 | hour = 25
        kinds: the plugin `p.toml` does not know resources of `volcengine`: it no longer has the kind `ebs`, which 1 resource has (`srv-disk`); add what is missing, or end those resources first
        kinds: the plugin `p.toml` does not know resources of `volcengine`: it no longer attaches `ebs` to `ecs`, which 1 resource has (`srv-disk`); add what is missing, or end those resources first
        settings: the plugin `p.toml` does not take the settings of accounts of `volcengine`: `vol`: `try_hour` is not a setting; there are `fee_percent`, `grace`, `grace_renewal`, `refund_within`, `retention`, `retention_renewal`, `try_days`; change them, or the plugin"#]].assert_eq(&failures.join("\n"));
    assert_eq!(kept(), before, "something was kept");
    assert_eq!(installed(&trusting, &store, signed(&ours, &late_table())), "volcengine from p.toml");
    assert_eq!(installed(&PROVIDERS, &store, table(late_table())), "volcengine from p.toml");
}

/// The table, in which a kind has another name.
fn without_kind(kind: &str) -> String {
    let table = TABLE.replace(&format!("[kinds.{kind}]"), "[kinds.vm]");
    assert_ne!(table, TABLE);
    table.replace(&format!("\"{kind}\""), "\"vm\"")
}

/// The table, in which data disks are attached to addresses and no longer to servers.
fn without_attachment() -> String {
    let table = TABLE.replacen("attaches_to = [\"ecs\"]", "attaches_to = [\"eip\"]", 1);
    assert_ne!(table, TABLE);
    table
}

fn key() -> SigningKey {
    SigningKey::read(SigningKey::generate().unwrap().as_bytes()).unwrap()
}
