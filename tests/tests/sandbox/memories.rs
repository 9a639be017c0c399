//! Components with several memories: loaded when they are right, refused when they are not, and never a panic.

use std::sync::Arc;

use expect_test::expect;
use perennial_domain::index::AccountIndex;
use perennial_sandbox::Plugin;
use perennial_sandbox::TimelineRequest;
use perennial_tests::guests;

use crate::world;
use crate::world::LIMITS;
use crate::world::NOW;

/// Two inner components, one of which calls the other with a text while it starts, so that the compiler has to make an
/// adapter from one memory to the other. `extra` stands in the module of the second.
fn adapted(extra: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (component $a
                (core module $m (memory (export "mem") 1)
                    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)
                    (func (export "f") (param i32 i32)))
                (core instance $i (instantiate $m))
                (func (export "f") (param "s" string)
                    (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "r")))))
            (component $b
                (import "f" (func $f (param "s" string)))
                (core module $lm (memory (export "mem") 1)
                    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0))
                (core instance $l (instantiate $lm))
                (core func $lf (canon lower (func $f) (memory (core memory $l "mem")) (realloc (core func $l "r"))))
                (core module $m (import "x" "f" (func $f (param i32 i32)))
                    {extra}
                    (func $g (export "g") i32.const 0 i32.const 3 call $f))
                (core instance $i (instantiate $m (with "x" (instance (export "f" (func $lf))))))
                (func (export "g") (canon lift (core func $i "g"))))
            (instance $ai (instantiate $a))
            (instance $bi (instantiate $b (with "f" (func $ai "f"))))
            (export "g" (func $bi "g")))"#
    );
    wat::parse_str(text).unwrap()
}

/// The plugin `tables` with `inner` as a component within it, which is instantiated beside its own module.
fn with_inner(inner: &[u8]) -> Vec<u8> {
    const COMPONENT: u8 = 4;
    const INSTANCE: u8 = 5;
    let mut bytes = guests::TABLES.to_vec();
    let components = sections(&bytes).iter().filter(|id| **id == COMPONENT).count();
    let index = u8::try_from(components).unwrap();
    assert!(index < 0x80, "the index is one byte of LEB128");
    push_section(&mut bytes, COMPONENT, inner);
    // One instance: of the component with that index, without arguments.
    push_section(&mut bytes, INSTANCE, &[1, 0, index, 0]);
    bytes
}

/// The ids of the sections of a component, in order.
fn sections(bytes: &[u8]) -> Vec<u8> {
    let mut rest = &bytes[8..];
    let mut ids = Vec::new();
    while let [id, after @ ..] = rest {
        ids.push(*id);
        let digits = after.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let length = after[..digits].iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        rest = &after[digits + length..];
    }
    ids
}

fn push_section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend_from_slice(content);
}

fn load(bytes: &[u8]) -> Result<Arc<Plugin>, String> {
    let (_folder, path) = world::file("plugin.wasm", bytes);
    let loaded = world::load(std::slice::from_ref(&path), LIMITS);
    let named = |error: perennial_sandbox::LoadError| {
        error.to_string().replace(&path.display().to_string(), "plugin.wasm")
    };
    loaded.map(|plugins| Arc::clone(plugins.get("tables").unwrap())).map_err(named)
}

/// Asks the plugin about one bundle; it answers that nothing will happen, which is no timeline, but it answers.
fn answers(plugin: &Plugin) -> bool {
    let (account, bundle) = (world::account(), world::bundle("thing-1", ""));
    let request = TimelineRequest { after: NOW, account: AccountIndex::new(0), bundle: &bundle };
    let answer = plugin.timelines(&[&account], &[request]).remove(0);
    answer.is_err_and(|error| error.to_string().contains("nonsense"))
}

#[test]
fn adapters_between_inner_components_are_compiled_and_run() {
    for start in ["", "(start $g)"] {
        let plugin = load(&with_inner(&adapted(start))).unwrap();
        assert!(answers(&plugin), "{start}");
    }
}

#[test]
fn a_component_that_is_no_plugin_is_refused_whatever_its_memories() {
    let error = load(&adapted("")).unwrap_err();
    assert!(
        error.starts_with("the plugin `plugin.wasm` exports `g`, imports nothing, and is expected"),
        "{error}"
    );
}

#[test]
fn memories_count_against_the_limits_however_they_are_declared() {
    let within = |module: &str| {
        let inner = format!("(component (core module $m {module}) (core instance (instantiate $m)))");
        with_inner(&wat::parse_str(inner).unwrap())
    };
    // The plugin's own memory is of 32 pages, two MiB; all together may have 32 MiB, and be four.
    let report = [
        ("a second memory", within("(memory 1)")),
        ("three more in one module", within("(memory 1) (memory 1) (memory 1)")),
        ("one too many", within("(memory 1) (memory 1) (memory 1) (memory 1)")),
        ("two that are too large together", within("(memory 260) (memory 260)")),
        ("one that is too large alone", within("(memory 513)")),
        ("one of 64 bits", within("(memory i64 1)")),
    ];
    let lines = report.map(|(what, bytes)| {
        let result = match load(&bytes) {
            Ok(plugin) => format!("loaded, answers: {}", answers(&plugin)),
            Err(error) => {
                error.split_once(" (at offset").map_or(error.clone(), |(error, _)| error.to_owned())
            }
        };
        format!("{what}: {result}\n")
    });
    expect![[r#"
        a second memory: loaded, answers: true
        three more in one module: loaded, answers: true
        one too many: the plugin `plugin.wasm` cannot be compiled: The component transitively contains 5 Wasm linear memories, which exceeds the configured maximum of 4 in the pooling allocator. A plugin that is granted limits of its own runs outside of the pool: have it ask for them, as in `perennial plugin pack --ask memory=64MiB`
        two that are too large together: the manifest of the plugin `plugin.wasm` cannot be read: plugin `plugin.wasm` wanted more than 33554432 bytes of memory in `the start`; tell its author
        one that is too large alone: the plugin `plugin.wasm` cannot be compiled: module memory does not fit in pooling allocator requirements: memory index 0 is unsupported in this pooling allocator configuration: memory has a minimum byte size of 33619968 which exceeds the limit of 0x2000000 bytes. A plugin that is granted limits of its own runs outside of the pool: have it ask for them, as in `perennial plugin pack --ask memory=64MiB`
        one of 64 bits: the plugin `plugin.wasm` cannot be compiled: failed to parse WebAssembly module: memory64 must be enabled for 64-bit memories
    "#]].assert_eq(&lines.concat());
}

#[test]
fn a_start_function_that_does_not_end_is_stopped_by_its_limit() {
    let endless =
        "(component (core module $m (func $f (loop (br 0))) (start $f)) (core instance (instantiate $m)))";
    let error = load(&with_inner(&wat::parse_str(endless).unwrap())).unwrap_err();
    expect!["the manifest of the plugin `plugin.wasm` cannot be read: plugin `plugin.wasm` used up its 20000000 units of fuel in `the start`: a rule that does not end, or is far too slow; tell its author"].assert_eq(&error);
}
