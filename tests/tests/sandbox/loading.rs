//! What becomes of a plugin before it is asked anything: who it is, where it is from, and what is wrong with it.

use expect_test::expect;
use perennial_sandbox::BUNDLED;
use perennial_sandbox::EXPECTED;
use perennial_sandbox::Limits;
use perennial_sandbox::Origin;
use perennial_tests::guests;
use sha2::Digest;

use crate::world;
use crate::world::LIMITS;

#[test]
fn bundled_plugins_import_nothing_and_export_the_contract() {
    let plugins = world::load(&[], LIMITS).unwrap();
    let ids = plugins.iter().map(|plugin| plugin.manifest().id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids, ["baidu", "huawei", "volcengine"]);
    for (plugin, bundled) in plugins.iter().zip(BUNDLED) {
        assert_eq!(plugin.manifest().id, bundled.id);
        assert_eq!(plugin.origin(), &Origin::Bundled(bundled.id));
        assert_eq!(plugin.interfaces().imports, Vec::<String>::new());
        let expected = EXPECTED.map(str::to_owned);
        assert!(expected.iter().all(|interface| plugin.interfaces().exports.contains(interface)));
        assert_eq!(plugin.is_table(), bundled.table.is_some());
        if bundled.table.is_none() {
            assert_eq!(plugin.parts().size_bytes(), bundled.component.len());
            assert_eq!(plugin.digest(), hex(bundled.component));
        }
    }
}

/// The SHA-256 of these bytes, in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_file_takes_the_place_of_the_bundled_plugin_with_its_id() {
    let huawei = BUNDLED.iter().find(|bundled| bundled.id == "huawei").unwrap();
    let (_folder, path) = world::file("other.wasm", huawei.component);
    let plugins = world::load(std::slice::from_ref(&path), LIMITS).unwrap();
    assert_eq!(plugins.iter().count(), 3);
    assert_eq!(plugins.get("huawei").unwrap().origin(), &Origin::File(path));
    assert_eq!(plugins.get("baidu").unwrap().origin(), &Origin::Bundled("baidu"));
}

#[test]
fn two_files_for_one_provider_are_one_too_many() {
    let (_one, first) = world::file("one.wasm", guests::HOSTILE);
    let (_two, second) = world::file("two.wasm", guests::HOSTILE);
    let error = world::load(&[first.clone(), second.clone()], LIMITS).unwrap_err().to_string();
    let shown = error
        .replace(&first.display().to_string(), "one.wasm")
        .replace(&second.display().to_string(), "two.wasm");
    expect!["both `one.wasm` and `two.wasm` are plugins for the provider `hostile`; load one of them"]
        .assert_eq(&shown);
}

/// Why a file with these bytes is no plugin.
fn refused(bytes: &[u8], limits: Limits) -> String {
    let (_folder, path) = world::file("plugin.wasm", bytes);
    let error = world::load(std::slice::from_ref(&path), limits).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "plugin.wasm")
}

#[test]
fn what_is_no_plugin_is_told_apart() {
    let assembled = |text: &str| refused(&wat::parse_str(text).unwrap(), LIMITS);
    let named = EXPECTED.map(|name| format!(r#"(export "{name}" (instance $empty))"#)).join(" ");
    let whole = wat::parse_str(format!("(component (instance $empty) {named})")).unwrap();
    // Functions of two modules: without code, with 4 + 3 locals, and with ten bytes of code and their end.
    let coded = r#"(component
        (core module (func) (func (local i32 i32 i32 i32 i64 i64 i64)))
        (core module (func nop nop nop nop nop nop nop nop nop nop)))"#;
    let coded = wat::parse_str(coded).unwrap();
    let report = [
        ("a text", refused(b"#!/bin/sh", LIMITS)),
        ("an empty file", refused(b"", LIMITS)),
        ("a core module", assembled("(module)")),
        ("an empty component", assembled("(component)")),
        (
            "a component that wants WASI",
            assembled(
                r#"(component
                    (import "wasi:cli/environment@0.2.3" (instance
                        (export "get-arguments" (func (result (list string)))))))"#,
            ),
        ),
        ("a component that wants something else", assembled(r#"(component (import "acme:log/say" (func)))"#)),
        (
            "another version of the contract",
            assembled(
                r#"(component (instance $empty)
                    (export "perennial:provider/profile@0.3.0" (instance $empty)))"#,
            ),
        ),
        ("the right names without functions", refused(&whole, LIMITS)),
        ("the right names with other functions", assembled(&contract_0_2("allocate", "provider-api"))),
        ("a component that was cut short", refused(&whole[..whole.len() - 1], LIMITS)),
        ("a large file", refused(&[0; 2_000], Limits { component_max_bytes: 1_000, ..LIMITS })),
        ("many functions", refused(&coded, Limits { functions_max: 2, ..LIMITS })),
        ("a long function", refused(&coded, Limits { function_bytes_max: 9, ..LIMITS })),
        ("a function with many locals", refused(&coded, Limits { function_locals_max: 6, ..LIMITS })),
        ("much of both", refused(&coded, Limits { code_weight_max: 265, ..LIMITS })),
        ("one that cannot say who it is", refused(guests::HOSTILE, Limits { fuel: 1, ..LIMITS })),
    ];
    // How long the guest is depends on its compiler.
    let length = guests::HOSTILE.len().to_string();
    let lines = report.map(|(what, message)| {
        let message = message.replace(&length, "LENGTH");
        let message = message.split_once(" section range ").map_or(message.as_str(), |(message, _)| message);
        format!("{what}:\n  {message}\n")
    });
    expect![[r#"
        a text:
          `plugin.wasm` is not WebAssembly; a plugin is a component, a file that begins with the bytes 00 61 73 6d 0d 00 01 00
        an empty file:
          `plugin.wasm` is not WebAssembly; a plugin is a component, a file that begins with the bytes 00 61 73 6d 0d 00 01 00
        a core module:
          `plugin.wasm` is a core WebAssembly module, and a plugin is a component; make one of it with `wasm-tools component new`
        an empty component:
          the plugin `plugin.wasm` exports nothing, imports nothing, and is expected to export `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`: `perennial:provider/types@0.2.0` is missing; `perennial:provider/profile@0.2.0` is missing; `perennial:provider/lifecycle@0.2.0` is missing; `perennial:provider/commands@0.2.0` is missing; `perennial:provider/usage@0.2.0` is missing
        a component that wants WASI:
          the plugin `plugin.wasm` imports `wasi:cli/environment@0.2.3`, and plugins have no capabilities: they import nothing; build it for `wasm32-unknown-unknown`, without the parts of its language that need a system, or with its tool's `--stub-wasi`. Parts of WASI 0.2 are answered by stubs without an effect, if the operator grants `wasi`
        a component that wants something else:
          the plugin `plugin.wasm` exports nothing, imports `acme:log/say`, and is expected to export `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`: a plugin has no capabilities and imports nothing; `perennial:provider/types@0.2.0` is missing; `perennial:provider/profile@0.2.0` is missing; `perennial:provider/lifecycle@0.2.0` is missing; `perennial:provider/commands@0.2.0` is missing; `perennial:provider/usage@0.2.0` is missing
        another version of the contract:
          the plugin `plugin.wasm` was built for version 0.3.0 of the contract `perennial:provider`, and this host runs version 0.2.0: of version 0.3.0: `profile`; missing: `types`, `lifecycle`, `commands`, `usage`; `profile` lacks `describe`; `profile` lacks `check-settings`; build the plugin again with the `wit/provider` of this host
        the right names without functions:
          the plugin `plugin.wasm` exports `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`, imports nothing, and is expected to export `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`: `perennial:provider/profile@0.2.0` lacks `describe`; `perennial:provider/profile@0.2.0` lacks `check-settings`; `perennial:provider/lifecycle@0.2.0` lacks `timeline`; `perennial:provider/commands@0.2.0` lacks `make-plans`; `perennial:provider/usage@0.2.0` lacks `allocate`
        the right names with other functions:
          the plugin `plugin.wasm` exports `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`, `perennial:provider/provider-api@0.2.0`, imports nothing, and is expected to export `perennial:provider/types@0.2.0`, `perennial:provider/profile@0.2.0`, `perennial:provider/lifecycle@0.2.0`, `perennial:provider/commands@0.2.0`, `perennial:provider/usage@0.2.0`: the functions of `profile` have other types: failed to convert function to given type: type mismatch with results: expected 1-tuple, found 0-tuple; the functions of `lifecycle` have other types: failed to convert function to given type: type mismatch with parameters: expected 4-tuple, found 0-tuple; the functions of `commands` have other types: failed to convert function to given type: type mismatch with parameters: expected 5-tuple, found 0-tuple; the functions of `usage` have other types: failed to convert function to given type: type mismatch with parameters: expected 4-tuple, found 0-tuple; it was built for another draft of this version: build the plugin again with the `wit/provider` of this host
        a component that was cut short:
          the plugin `plugin.wasm` cannot be compiled: unexpected end-of-file (at offset 0xcb)
        a large file:
          the plugin `plugin.wasm` has 2000 bytes; at most 1000 are accepted, unless more is granted (`size=2000`)
        many functions:
          the plugin `plugin.wasm` has 3 functions; at most 2 are accepted, because all of it is compiled
        a long function:
          the plugin `plugin.wasm` has 12 bytes in function 0 of its module 1; at most 9 are accepted, because all of it is compiled
        a function with many locals:
          the plugin `plugin.wasm` has 7 locals and parameters in function 1 of its module 0; at most 6 are accepted, because all of it is compiled
        much of both:
          the plugin `plugin.wasm` has 266 bytes times values in its functions; at most 265 are accepted, because all of it is compiled
        one that cannot say who it is:
          the manifest of the plugin `plugin.wasm` cannot be read: plugin `plugin.wasm` used up its 1 units of fuel in `describe`: a rule that does not end, or is far too slow; tell its author
    "#]].assert_eq(&lines.concat());
}

/// A component with all of the contract's names, whose functions take and give nothing.
fn contract_0_2(allocate: &str, provider_api: &str) -> String {
    let functions = [
        ("types", &[][..]),
        ("profile", &["describe", "check-settings"]),
        ("lifecycle", &["timeline"]),
        ("commands", &["make-plans"]),
        ("usage", &[allocate]),
        (provider_api, &["identify", "handle", "fail"]),
    ];
    component("0.2.0", &functions)
}

/// A component that exports these interfaces of a version of the contract, whose functions take and give nothing.
fn component(version: &str, interfaces: &[(&str, &[&str])]) -> String {
    let instances = interfaces.iter().map(|(interface, functions)| {
        let exports = functions.iter().map(|function| format!(r#"(export "{function}" (func $f))"#));
        let exports = exports.collect::<String>();
        format!(
            r#"(instance ${interface} {exports})
               (export "perennial:provider/{interface}@{version}" (instance ${interface}))"#
        )
    });
    format!(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $c (instantiate $m))
            (func $f (canon lift (core func $c "f")))
            {})"#,
        instances.collect::<String>()
    )
}

/// A component of the draft in which every bundle was a list of its own: the rules of time, commands and use have an
/// account with texts and a list of requests.
const LIST_FOR_EACH_BUNDLE: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "describe") (result i32) unreachable)
        (func (export "ask") (param i32 i32 i32 i32) (result i32) unreachable))
    (core instance $c (instantiate $m))
    (type $accounts (list (tuple string (list (tuple string string)))))
    (func $nothing (result string) (canon lift (core func $c "describe") (memory (core memory $c "memory"))))
    (func $ask (param "accounts" $accounts) (param "requests" (list (tuple s64 u32 (list string))))
        (result (list (list s64)))
        (canon lift (core func $c "ask") (memory (core memory $c "memory")) (realloc (core func $c "realloc"))))
    (instance $types)
    (instance $profile (export "describe" (func $nothing)) (export "check-settings" (func $nothing)))
    (instance $lifecycle (export "timeline" (func $ask)))
    (instance $commands (export "make-plans" (func $ask)))
    (instance $usage (export "allocate" (func $ask)))
    (export "perennial:provider/types@0.2.0" (instance $types))
    (export "perennial:provider/profile@0.2.0" (instance $profile))
    (export "perennial:provider/lifecycle@0.2.0" (instance $lifecycle))
    (export "perennial:provider/commands@0.2.0" (instance $commands))
    (export "perennial:provider/usage@0.2.0" (instance $usage)))"#;

/// What is said of a component, without the lists of what it exports and is expected to export.
fn difference(text: &str) -> String {
    let message = refused(&wat::parse_str(text).unwrap(), LIMITS);
    let last = EXPECTED[EXPECTED.len() - 1];
    let rest = message.split_once(&format!("expected to export `{}`", EXPECTED[0])).map(|(_, rest)| rest);
    let rest = rest.and_then(|rest| rest.split_once(&format!("`{last}`: ")));
    rest.map_or(message.clone(), |(_, difference)| difference.to_owned())
}

#[test]
fn a_plugin_of_contract_0_1_is_refused_with_both_versions() {
    let interfaces: [(&str, &[&str]); 6] = [
        ("types", &[]),
        ("profile", &["describe", "check-settings"]),
        ("lifecycle", &["timeline"]),
        ("commands", &["make-plans"]),
        ("usage", &["cover"]),
        ("endpoint", &["identify", "handle", "fail"]),
    ];
    let report = [
        difference(&component("0.1.0", &interfaces[..5])),
        difference(&component("0.1.0", &interfaces)),
        difference(&component("0.3.0", &[("types", &[]), ("profile", &["describe"])])),
    ];
    expect![[r#"
        the plugin `plugin.wasm` was built for version 0.1.0 of the contract `perennial:provider`, and this host runs version 0.2.0: of version 0.1.0: `types`, `profile`, `lifecycle`, `commands`, `usage`; `usage` lacks `allocate`; `usage` has `cover`, which it has no more; build the plugin again with the `wit/provider` of this host
        the plugin `plugin.wasm` was built for version 0.1.0 of the contract `perennial:provider`, and this host runs version 0.2.0: of version 0.1.0: `types`, `profile`, `lifecycle`, `commands`, `usage`; `usage` lacks `allocate`; `usage` has `cover`, which it has no more; there is no `endpoint`; build the plugin again with the `wit/provider` of this host
        the plugin `plugin.wasm` was built for version 0.3.0 of the contract `perennial:provider`, and this host runs version 0.2.0: of version 0.3.0: `types`, `profile`; missing: `lifecycle`, `commands`, `usage`; `profile` lacks `check-settings`; build the plugin again with the `wit/provider` of this host
    "#]]
    .assert_eq(&report.map(|line| line + "\n").concat());
}

#[test]
fn a_plugin_of_an_earlier_draft_is_refused_with_every_difference() {
    let report = [
        ("another function", difference(&contract_0_2("cover", "provider-api"))),
        ("another interface", difference(&contract_0_2("allocate", "endpoint"))),
        ("both", difference(&contract_0_2("cover", "endpoint"))),
        ("other types", difference(&contract_0_2("allocate", "provider-api"))),
        ("a list for each bundle", difference(LIST_FOR_EACH_BUNDLE)),
        (
            "half of an interface",
            difference(&component("0.2.0", &[("types", &[]), ("provider-api", &["handle"])])),
        ),
    ];
    expect![[r#"
        another function:
          `perennial:provider/usage@0.2.0` lacks `allocate`
        another interface:
          `perennial:provider/endpoint@0.2.0` is not part of the contract
        both:
          `perennial:provider/endpoint@0.2.0` is not part of the contract; `perennial:provider/usage@0.2.0` lacks `allocate`
        other types:
          the functions of `profile` have other types: failed to convert function to given type: type mismatch with results: expected 1-tuple, found 0-tuple; the functions of `lifecycle` have other types: failed to convert function to given type: type mismatch with parameters: expected 4-tuple, found 0-tuple; the functions of `commands` have other types: failed to convert function to given type: type mismatch with parameters: expected 5-tuple, found 0-tuple; the functions of `usage` have other types: failed to convert function to given type: type mismatch with parameters: expected 4-tuple, found 0-tuple; it was built for another draft of this version: build the plugin again with the `wit/provider` of this host
        a list for each bundle:
          the functions of `profile` have other types: failed to convert function to given type: type mismatch with results: expected `record` found `string`; the functions of `lifecycle` have other types: failed to convert function to given type: type mismatch with parameters: expected 4-tuple, found 2-tuple; the functions of `commands` have other types: failed to convert function to given type: type mismatch with parameters: expected 5-tuple, found 2-tuple; the functions of `usage` have other types: failed to convert function to given type: type mismatch with parameters: expected 4-tuple, found 2-tuple; it was built for another draft of this version: build the plugin again with the `wit/provider` of this host
        half of an interface:
          `perennial:provider/profile@0.2.0` is missing; `perennial:provider/lifecycle@0.2.0` is missing; `perennial:provider/commands@0.2.0` is missing; `perennial:provider/usage@0.2.0` is missing; `perennial:provider/provider-api@0.2.0` lacks `identify`; `perennial:provider/provider-api@0.2.0` lacks `fail`
    "#]].assert_eq(&report.map(|(what, message)| format!("{what}:\n  {message}\n")).concat());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = std::path::PathBuf::from("no/such/plugin.wasm");
    let error = world::load(&[path], LIMITS).unwrap_err().to_string();
    expect!["cannot read the plugin `no/such/plugin.wasm`: No such file or directory (os error 2)"]
        .assert_eq(&error);
}
