//! The rules of the house that a compiler does not check: which crate and module may use which, how large files and
//! functions are, which words do not come back, how files begin and import, how tests are called, that keys have types,
//! and that `pub` means that another crate uses it.
//!
//! Every rule prints all its violations with their places. To change a rule, change its table in the module of its name.

mod arrows;
mod bare_numbers;
mod conventions;
mod log_fields;
mod public;
mod security;
mod sizes;
mod source;
mod words;

use source::Source;

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn crates_depend_only_on_the_crates_below_them() {
    assert_none(&arrows::crates(&arrows::manifests()));
}

#[test]
fn sqlite_wasmtime_and_axum_are_known_to_one_crate_each() {
    assert_none(&arrows::private_dependencies(&arrows::manifests()));
}

#[test]
fn modules_of_a_crate_import_each_other_in_one_direction() {
    assert_none(&arrows::circles(&Source::of_crates()));
}

#[test]
fn a_file_has_at_most_400_lines() {
    assert_none(&sizes::files(&Source::all()));
}

#[test]
fn a_function_has_at_most_60_lines() {
    assert_none(&sizes::functions(&Source::all()));
}

#[test]
fn signatures_are_in_the_words_of_the_industry() {
    assert_none(&words::signatures(&Source::all()));
}

#[test]
fn a_type_is_named_after_a_thing_and_not_after_what_was_done() {
    assert_none(&words::participles(&Source::all()));
}

#[test]
fn every_file_opens_by_saying_what_it_knows() {
    assert_none(&conventions::missing_headers(&Source::all()));
}

#[test]
fn imports_are_one_a_line_without_braces() {
    assert_none(&conventions::imports_with_braces(&Source::all()));
}

#[test]
fn a_test_is_a_promise_of_less_than_70_characters() {
    assert_none(&conventions::long_test_names(&Source::all()));
}

#[test]
fn no_field_of_the_log_has_the_name_of_one_that_every_line_has() {
    let twice = Source::new("host/a/src/b.rs", "tracing::warn!(%at, message = 1, \"a delivery failed\");");
    assert_eq!(log_fields::taken_names(&[twice]), ["host/a/src/b.rs:1: `message`"]);
    assert_none(&log_fields::taken_names(&Source::all()));
}

#[test]
fn comments_can_be_read_once() {
    assert_none(&words::comments(&Source::all()));
}

#[test]
fn a_document_says_more_than_the_name() {
    assert_none(&words::short_documents(&Source::all()));
}

#[test]
fn keys_and_places_have_types_of_their_own() {
    assert_none(&bare_numbers::in_signatures(&Source::all()));
}

#[test]
fn a_public_item_is_used_by_another_crate() {
    assert_none(&public::unused(&Source::all()));
}

#[test]
fn security_md_names_tests_that_there_are() {
    let document = std::fs::read_to_string(source::root().join("SECURITY.md")).unwrap();
    assert!(
        document.contains("| `no_other_name_and_no_deleted_lock_file_lets_a_second_process_in` |"),
        "it has a table"
    );
    assert_none(&security::missing_tests(&document, &Source::all()));
}

#[test]
fn security_md_states_the_limits_that_the_code_has() {
    let document = std::fs::read_to_string(source::root().join("SECURITY.md")).unwrap();
    assert!(document.contains("| `LARGE_BODIES_MAX: usize = "), "it has a table");
    assert_none(&security::stale_limits(&document, &Source::all()));
    assert_none(&security::unlisted_limits(&document, &Source::all()));
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let broken = |path: &str, text: &str| vec![Source::new(path, text)];
    let long = format!("{}fn f() {{\n{}}}\n", "\n".repeat(350), "    let _ = 1;\n".repeat(61));
    assert_eq!(sizes::files(&broken("host/a/src/lib.rs", &long)).len(), 1);
    assert_eq!(sizes::functions(&broken("host/a/src/lib.rs", &long)).len(), 1);
    assert_eq!(words::signatures(&broken("host/a/src/lib.rs", "pub struct WriterDesk;\n")).len(), 1);
    assert_eq!(words::signatures(&broken("wit/a.wit", "    record deed {\n")).len(), 1);
    assert_eq!(
        words::participles(&broken("host/a/src/lib.rs", "struct Kept;\nstruct KeptField;\n")).len(),
        1
    );
    assert_eq!(words::short_documents(&broken("host/a/src/lib.rs", "/// Its id.\nfn f() {}\n")).len(), 1);
    assert_eq!(words::comments(&broken("host/a/src/lib.rs", "/// Likewise for a day.\n")).len(), 1);
    let long_name = format!("#[test]\nfn {}() {{}}\n", "a".repeat(70));
    assert_eq!(conventions::long_test_names(&broken("host/a/src/lib.rs", &long_name)).len(), 1);
    assert_eq!(conventions::missing_headers(&broken("host/a/src/lib.rs", "use a::{b, c};\n")).len(), 1);
    assert_eq!(conventions::imports_with_braces(&broken("host/a/src/lib.rs", "use a::{b, c};\n")).len(), 1);
    let keys = "pub fn f(\n    row: i64,\n    rows: &MemberKeys,\n) {\n    let row: i64 = 1;\n}\npub struct S {\n    pub member: Option<usize>,\n}\n";
    assert_eq!(bare_numbers::in_signatures(&broken("host/a/src/lib.rs", keys)).len(), 2);
    let one = Source::new("host/a/src/one.rs", "#[cfg(test)]\nmod tests;\n\nuse crate::two as second;\n");
    let two = Source::new("host/a/src/two.rs", "use crate::one::One;\n");
    assert_eq!(arrows::circles(&[one, two]).len(), 1);
    assert_eq!(public::unused(&broken("host/a/src/lib.rs", "pub fn nobody_calls_this() {}\n")).len(), 1);
    assert_eq!(security::missing_tests("`a_b`, `host/a.rs`, `no_test_has_this_name`", &[]).len(), 1);
    let limits = "### Limits that are not configuration\n\n| a | b | c |\n|---|---|---|\n| x | `X: u32 = 1` | `host/a/src/lib.rs` |\n";
    assert_eq!(security::stale_limits(limits, &broken("host/a/src/lib.rs", "const X: u32 = 2;\n")).len(), 1);
    assert_eq!(security::stale_limits(limits, &broken("host/a/src/lib.rs", "const X: u32 = 1;\n")).len(), 0);
    let unlisted = broken("host/http/src/admin/a.rs", "pub(super) const ROWS_MAX: u32 = 2;\n");
    assert_eq!(security::unlisted_limits(limits, &unlisted).len(), 1);
    let upward =
        [arrows::Manifest::new("host/store/Cargo.toml", "[dependencies]\nperennial-engine = 1\naxum = 1\n")];
    assert_eq!(arrows::crates(&upward).len(), 1);
    assert_eq!(arrows::private_dependencies(&upward).len(), 1);
}
