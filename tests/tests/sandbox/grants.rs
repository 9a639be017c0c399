//! What a package asks for beyond what every plugin has: refused with its reason until it is granted, and no more than that.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use expect_test::expect;
use perennial_domain::index::AccountIndex;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_formats::package_manifest;
use perennial_sandbox::GrantBounds;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::PACKAGE_SECTION;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginError;
use perennial_sandbox::PluginFile;
use perennial_sandbox::PluginParts;
use perennial_sandbox::Plugins;
use perennial_sandbox::TimelineRequest;
use perennial_sandbox::Trust;
use perennial_tests::guests;

use crate::world;
use crate::world::LIMITS;
use crate::world::NOW;

/// A component that says of itself what stands in `section`.
fn saying(component: &[u8], section: &[u8]) -> Vec<u8> {
    let body =
        [&[u8::try_from(PACKAGE_SECTION.len()).unwrap()], PACKAGE_SECTION.as_bytes(), section].concat();
    let length = u8::try_from(body.len()).unwrap();
    let length = if length < 0x80 { vec![length] } else { vec![length | 0x80, 1] };
    [component, &[0], &length, &body].concat()
}

fn asking(component: &[u8], limits: &str) -> Vec<u8> {
    saying(component, &package_manifest::section(PluginLimits::read(limits).unwrap()))
}

fn grants() -> Grants {
    Grants::new(package_manifest::limits)
}

/// The plugins of one file, of which `grants` says what it has.
fn load_with(bytes: &[u8], limits: Limits, grants: impl FnOnce(&str) -> Grants) -> Result<Plugins, String> {
    let (folder, path) = world::file("plugin.wasm", bytes);
    let name = path.display().to_string();
    let loaded = Plugins::load(&Options {
        files: vec![PluginFile::from(path)],
        cache_dir: Some(folder.path().join("cache")),
        limits,
        trust: Trust::default(),
        grants: grants(&name),
    });
    loaded.map_err(|error| format!("{}: {}", error.stage(), error.to_string().replace(&name, "plugin.wasm")))
}

fn granted(bytes: &[u8], grant: &str) -> Result<Plugins, String> {
    let granted = PluginLimits::read(grant).unwrap();
    load_with(bytes, LIMITS, |name| {
        let of_files = [(name.to_owned(), granted)].into();
        Grants { of_files, ..grants() }
    })
}

fn refused(bytes: &[u8], grant: &str) -> String {
    granted(bytes, grant).map(|_| "loaded".to_owned()).unwrap_or_else(|error| error)
}

fn ask(plugin: &Plugin, does: &str) -> Result<Vec<Occurrence>, PluginError> {
    let (account, bundle) = (world::account(), world::bundle("thing-1", does));
    let request = TimelineRequest { after: NOW, account: AccountIndex::new(0), bundle: &bundle };
    plugin.timelines(&[&account], &[request]).remove(0)
}

/// What the guest `system` heard.
fn heard(plugin: &Plugin, does: &str) -> String {
    match ask(plugin, does) {
        Err(error) => error.to_string(),
        Ok(answer) => {
            let Action::SetAttribute(_, value) = &answer[0].action else { panic!("{answer:?}") };
            value.clone()
        }
    }
}

#[test]
fn what_asks_for_more_than_it_was_granted_is_refused_with_each_limit() {
    let everything = "fuel-per-item=300000,memory=64MiB,size=32MiB,wasi";
    let greedy = asking(guests::HOSTILE, everything);
    let report = [
        ("nothing asked", refused(guests::HOSTILE, "")),
        ("everything asked, nothing granted", refused(&greedy, "")),
        ("a part granted", refused(&greedy, "memory=48MiB,wasi")),
        ("all granted", refused(&greedy, everything)),
        ("less than everybody has", refused(&asking(guests::HOSTILE, "memory=1MiB,size=1MiB"), "")),
        ("more than may be granted", refused(&asking(guests::HOSTILE, "memory=8GiB"), "memory=8GiB")),
        ("nonsense", refused(&saying(guests::HOSTILE, br#"{"limits": {"memory_bytes": "much"}}"#), "")),
        ("WASI without a word", refused(guests::SYSTEM, "")),
        ("WASI, asked for", refused(&asking(guests::SYSTEM, "wasi"), "")),
        ("WASI, granted", refused(guests::SYSTEM, "wasi")),
    ];
    let report = report.map(|(what, result)| format!("{what}: {result}\n")).concat();
    expect![[r#"
        nothing asked: loaded
        everything asked, nothing granted: limits: the plugin `plugin.wasm` asks for more than it may have: fuel-per-item of 300000 where 100000 is allowed; memory of 64MiB where 32MiB is allowed; size of 32MiB where 10MiB is allowed; wasi, which is answered by stubs without an effect; if you trust it with that, grant it: `perennial plugin install FILE --grant fuel-per-item=300000,memory=64MiB,size=32MiB,wasi` or, for a file of the configuration, `[plugins.grants]` with `"FILE" = "fuel-per-item=300000,memory=64MiB,size=32MiB,wasi"`
        a part granted: limits: the plugin `plugin.wasm` asks for more than it may have: fuel-per-item of 300000 where 100000 is allowed; memory of 64MiB where 48MiB is allowed; size of 32MiB where 10MiB is allowed; if you trust it with that, grant it: `perennial plugin install FILE --grant fuel-per-item=300000,memory=64MiB,size=32MiB,wasi` or, for a file of the configuration, `[plugins.grants]` with `"FILE" = "fuel-per-item=300000,memory=64MiB,size=32MiB,wasi"`
        all granted: loaded
        less than everybody has: loaded
        more than may be granted: limits: the plugin `plugin.wasm` cannot be granted that: memory of 8GiB, and at most 256MiB may be granted; `grants_max` in `[plugins]` of the configuration has the bounds
        nonsense: limits: what the plugin `plugin.wasm` says of itself as a package cannot be read: `limits.memory_bytes` is no whole number above 0; have its author pack it again
        WASI without a word: contract: the plugin `plugin.wasm` imports `wasi:cli/environment@0.2.9`, `wasi:cli/exit@0.2.9`, `wasi:io/error@0.2.9`, `wasi:io/poll@0.2.9`, `wasi:io/streams@0.2.9`, `wasi:cli/stdin@0.2.9`, `wasi:cli/stdout@0.2.9`, `wasi:cli/stderr@0.2.9`, `wasi:clocks/monotonic-clock@0.2.9`, `wasi:clocks/wall-clock@0.2.9`, `wasi:filesystem/types@0.2.9`, `wasi:filesystem/preopens@0.2.9`, `wasi:random/random@0.2.9`, `wasi:random/insecure-seed@0.2.9`, `wasi:sockets/network@0.2.9`, `wasi:sockets/instance-network@0.2.9`, and plugins have no capabilities: they import nothing; build it for `wasm32-unknown-unknown`, without the parts of its language that need a system, or with its tool's `--stub-wasi`. Parts of WASI 0.2 are answered by stubs without an effect, if the operator grants `wasi`
        WASI, asked for: limits: the plugin `plugin.wasm` asks for more than it may have: wasi, which is answered by stubs without an effect; if you trust it with that, grant it: `perennial plugin install FILE --grant wasi` or, for a file of the configuration, `[plugins.grants]` with `"FILE" = "wasi"`
        WASI, granted: loaded
    "#]].assert_eq(&report);
}

#[test]
fn other_imports_are_refused_by_name_whatever_is_granted() {
    let text =
        r#"(component (import "wasi:http/types@0.2.9" (instance)) (import "wasi:io/poll@0.2.9" (instance)))"#;
    let error = refused(&wat::parse_str(text).unwrap(), "wasi");
    assert!(
        error.starts_with("contract: the plugin `plugin.wasm` imports `wasi:http/types@0.2.9`, and"),
        "{error}"
    );
    let text = r#"(component (import "env:system/calls" (instance)))"#;
    let error = refused(&wat::parse_str(text).unwrap(), "wasi");
    assert!(error.contains("imports `env:system/calls`"), "{error}");
}

#[test]
fn wasi_has_no_effect_and_answers_the_same_for_ever() {
    let plugins = granted(guests::SYSTEM, "wasi").unwrap();
    let plugin = plugins.get("system").unwrap();
    let asked =
        ["", "time", "random", "environment", "files", "read", "write", "much", "fail", "connect", "exit"];
    let report = || asked.map(|does| format!("{does}: {}\n", heard(plugin, does))).concat();
    let first = report();
    expect![[r#"
        : nothing
        time: 0.0 0
        random: 487617019471545679 [175, 205, 29, 123, 57, 168, 32, 226, 244, 101, 185] (1, 2)
        environment: [] [] None
        files: 0
        read: [0] true
        write: true true
        much: plugin `system` crashed in `timeline`: it wants 1099511627776 random bytes at once; report the input of the call to its author
        fail: plugin `system` crashed in `timeline`: Traceback: LuckError: out of luck (wasm trap: wasm `unreachable` instruction executed); report the input of the call to its author
        connect: plugin `system` crashed in `timeline`: unknown import: `wasi:sockets/instance-network@0.2.9#instance-network` has not been defined; report the input of the call to its author
        exit: plugin `system` crashed in `timeline`: it ended itself; report the input of the call to its author
    "#]].assert_eq(&first);
    assert_eq!(report(), first, "asked twice");
    let again = granted(guests::SYSTEM, "wasi").unwrap();
    let plugin = again.get("system").unwrap();
    assert_eq!(
        asked.map(|does| format!("{does}: {}\n", heard(plugin, does))).concat(),
        first,
        "in another process"
    );
}

#[test]
fn a_grant_of_memory_is_what_a_plugin_can_take() {
    let taken = |plugin: &Arc<Plugin>| match ask(plugin, "memory") {
        Err(PluginError::OutOfMemory { limit_bytes, .. }) => limit_bytes,
        other => panic!("{other:?}"),
    };
    let plugins = granted(guests::HOSTILE, "").unwrap();
    assert_eq!(taken(plugins.get("hostile").unwrap()), 32 << 20);
    let plugins = granted(guests::HOSTILE, "memory=48MiB").unwrap();
    assert_eq!(taken(plugins.get("hostile").unwrap()), 48 << 20);
}

#[test]
fn plugins_beyond_the_pool_wait_for_one_anothers_memory() {
    let limits = PluginLimits::read("memory=64MiB").unwrap();
    let bounds = GrantBounds { memory_total_bytes: 64 << 20, ..GrantBounds::DEFAULT };
    let plugins = load_with(guests::HOSTILE, Limits { requests_max: 1, ..LIMITS }, |name| Grants {
        of_files: [(name.to_owned(), limits)].into(),
        bounds,
        ..grants()
    });
    let plugins = plugins.unwrap();
    let plugin = plugins.get("hostile").unwrap();
    let (account, bundles) = (world::account(), [(); 16].map(|()| world::bundle("thing-1", "")));
    let requests = bundles.each_ref().map(|bundle| TimelineRequest {
        after: NOW,
        account: AccountIndex::new(0),
        bundle,
    });
    let answers = plugin.timelines(&[&account], &requests);
    assert!(answers.iter().all(Result::is_ok), "each has its turn");
}

#[test]
fn nothing_is_granted_that_is_more_than_all_have_together() {
    let refused = |grant: &str, memory_total_bytes: usize| {
        let bounds = GrantBounds { memory_total_bytes, ..GrantBounds::DEFAULT };
        let granted = PluginLimits::read(grant).unwrap();
        let loaded = load_with(guests::HOSTILE, LIMITS, |name| Grants {
            of_files: [(name.to_owned(), granted)].into(),
            bounds,
            ..grants()
        });
        loaded.map(|_| "loaded".to_owned()).unwrap_or_else(|error| error)
    };
    let report = [
        ("all of it", refused("memory=64MiB", 64 << 20)),
        ("more than all", refused("memory=64MiB", 48 << 20)),
        // Whatever it is granted, it has the memory that every plugin has.
        ("fuel only", refused("fuel-per-item=300000", 16 << 20)),
    ];
    let report = report.map(|(what, result)| format!("{what}: {result}\n")).concat();
    expect![[r#"
        all of it: loaded
        more than all: limits: the plugin `plugin.wasm` cannot be granted that: 67108864 bytes of memory, and all that are granted anything have 50331648 bytes together (`grants_memory_bytes`); `grants_max` in `[plugins]` of the configuration has the bounds
        fuel only: limits: the plugin `plugin.wasm` cannot be granted that: 33554432 bytes of memory, and all that are granted anything have 16777216 bytes together (`grants_memory_bytes`); `grants_max` in `[plugins]` of the configuration has the bounds
    "#]].assert_eq(&report);
}

#[test]
fn what_is_granted_to_a_digest_is_not_granted_to_another_file() {
    use sha2::Digest as _;
    let (one, other) = (asking(guests::SYSTEM, "wasi"), asking(guests::SYSTEM, "memory=33MiB,wasi"));
    let digest = sha2::Sha256::digest(&one).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = format!("sha256:{digest}");
    let of_files =
        || Grants { of_files: [(name.clone(), PluginLimits::read("wasi").unwrap())].into(), ..grants() };
    assert!(load_with(&one, LIMITS, |_| of_files()).is_ok());
    let error = load_with(&other, LIMITS, |_| of_files()).unwrap_err();
    assert!(error.contains("asks for more than it may have"), "{error}");
}

#[test]
fn the_tools_of_authors_grant_what_is_asked_within_the_bounds() {
    let all = |_: &str| Grants { whatever_is_asked: true, ..grants() };
    let plugins = load_with(&asking(guests::SYSTEM, "fuel-per-item=300000,wasi"), LIMITS, all).unwrap();
    assert_eq!(plugins.get("system").unwrap().parts().granted.to_string(), "fuel-per-item=300000,wasi");
    let error = load_with(&asking(guests::SYSTEM, "memory=8GiB,wasi"), LIMITS, all).unwrap_err();
    assert!(error.contains("memory of 8GiB, and at most 256MiB may be granted"), "{error}");
    // Nothing that everybody has is granted, so the plugin stays in the pool.
    let plugins = load_with(&asking(guests::HOSTILE, "memory=2MiB"), LIMITS, all).unwrap();
    assert!(plugins.get("hostile").unwrap().parts().granted.is_none());
}

#[test]
fn a_plugin_that_is_kept_is_loaded_with_its_grant() {
    let plugins = granted(guests::HOSTILE, "").unwrap();
    let parts = PluginParts::of_component(asking(guests::SYSTEM, "wasi"));
    let error = plugins.load_parts("kept", parts.clone()).map(|_| ()).unwrap_err();
    assert_eq!(error.stage(), "limits");
    let granted = PluginLimits::read("wasi").unwrap();
    let plugin = plugins.load_parts("kept", PluginParts { granted, ..parts }).unwrap();
    assert_eq!(heard(&plugin, "files"), "0");
}

#[test]
fn compiled_code_beyond_the_pool_is_kept_as_well() {
    let cache = tempfile::TempDir::new().unwrap();
    let (_folder, path) = world::file("plugin.wasm", &asking(guests::SYSTEM, "wasi"));
    let load = || {
        let loaded = Plugins::load(&Options {
            files: vec![PluginFile::from(path.clone())],
            cache_dir: Some(cache.path().to_owned()),
            limits: LIMITS,
            trust: Trust::default(),
            grants: Grants { whatever_is_asked: true, ..grants() },
        });
        loaded.unwrap()
    };
    // A file that is written again is another file: it is written beside and renamed.
    let files = || {
        let all = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap());
        all.map(|entry| (entry.file_name(), entry.metadata().unwrap().ino())).collect::<BTreeMap<_, _>>()
    };
    let first = load();
    let kept = files();
    let again = load();
    assert_eq!(files(), kept, "nothing was compiled again");
    let digest = |plugins: &Plugins| plugins.get("system").unwrap().digest().to_owned();
    assert_eq!(digest(&first), digest(&again));
}
