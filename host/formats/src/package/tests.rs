//! Packages that are whole, lie, or are too much.

use expect_test::expect;

use super::*;

/// The first bytes of every component.
const EMPTY: &[u8] = &[0, b'a', b's', b'm', 13, 0, 1, 0];

fn packaged() -> PackageManifest {
    PackageManifest {
        contract: Some("perennial:provider@0.2.0".to_owned()),
        limits: PluginLimits { fuel_per_item: Some(300_000), wasi: true, ..PluginLimits::default() },
        ..PackageManifest::default()
    }
}

fn section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    sections::append(component, name, data)
}

#[test]
fn what_is_written_into_a_component_is_read_again() {
    let (read, problems) = PackageManifest::read(&packaged().append_to(EMPTY), false);
    assert_eq!((read, problems), (packaged(), Vec::new()));
    let (read, problems) = PackageManifest::read(EMPTY, false);
    assert_eq!((read.is_package(), problems.len()), (false, 0));
    // What asked for something before it was packed asks anew, once.
    let twice = packaged().append_to(&section(&packaged().append_to(EMPTY), "other", b"x"));
    assert_eq!(PackageManifest::read(&twice, false), (packaged(), Vec::new()));
    assert_eq!(sections::without(b"no component", SECTION), b"no component");
    // A length that takes two bytes.
    let long = section(EMPTY, "authors", "x".repeat(300).as_bytes());
    assert_eq!(PackageManifest::read(&long, false).0.authors.map(|text| text.len()), Some(300));
}

#[test]
fn what_a_component_inside_says_does_not_count() {
    let inner = section(EMPTY, "version", b"9.9.9");
    let mut outer = EMPTY.to_vec();
    outer.push(4);
    outer.push(u8::try_from(inner.len()).unwrap());
    outer.extend(inner);
    let outer = section(&outer, "version", b"1.0.0");
    let (read, problems) = PackageManifest::read(&outer, false);
    assert_eq!((read.version.as_deref(), problems.len()), (Some("1.0.0"), 0));
}

#[test]
fn every_problem_of_a_package_is_told() {
    let mut component = section(EMPTY, "version", b"one");
    component = section(&component, "version", b"1.0.0");
    component = section(&component, "authors", b"two\nlines");
    component = section(&component, "source", &[0xff]);
    let asked =
        br#"{"contract": 1, "limits": {"fuel_per_item": 99, "memory_bytes": 0, "disk": 1, "wasi": 1}}"#;
    component = section(&component, SECTION, asked);
    let (_, problems) = PackageManifest::read(&component, false);
    expect![[r#"
        it has two sections `version`, and nobody can know which one counts
        its section `source` is not UTF-8
        its section `perennial-package` cannot be read: `limits.disk` is no limit; `limits.memory_bytes` is no whole number above 0; `limits.wasi` is neither true nor false
        its section `perennial-package` cannot be read: `contract` is no text
        its version `one` is none; one is such as `1.0.0` or `1.0.0-beta.1`
        its contract is not a text of 1 to 1000 bytes on one line
        its authors is not a text of 1 to 1000 bytes on one line"#]]
    .assert_eq(&problems.join("\n"));
    let (_, problems) = PackageManifest::read(b"no component", false);
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_table_says_in_its_own_words_what_it_is() {
    let manifest = PackageManifest {
        name: Some("nimbus".to_owned()),
        version: Some("1.0.0".to_owned()),
        authors: Some("Ann \"A\" Bee".to_owned()),
        license: Some("Apache-2.0".to_owned()),
        contract: Some(TABLE_CONTRACT.to_owned()),
        ..PackageManifest::default()
    };
    let table = manifest.append_to_table("table = 1\n[provider]\nid = \"nimbus\"\n");
    let (read, problems) = PackageManifest::read(table.as_bytes(), true);
    assert_eq!((&read, problems), (&manifest, Vec::new()));
    assert_eq!(read.missing(), Vec::<String>::new());
    assert_eq!(
        read.contradictions("stratus"),
        ["it says that its name is `nimbus`, and its plugin describes `stratus`"]
    );
    let other = table.replace("table@0.1.0", "table@9.0.0");
    let (_, problems) = PackageManifest::read(other.as_bytes(), true);
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn a_license_is_names_with_words_between() {
    for license in [
        "MIT",
        "MIT OR Apache-2.0",
        "(MIT AND GPL-2.0+) OR Apache-2.0 WITH LLVM-exception",
        "LicenseRef-mine",
    ] {
        assert!(is_license(license), "{license}");
    }
    for license in ["", "MIT Apache-2.0", "MIT OR", "OR MIT", "my own!", "MIT/Apache-2.0"] {
        assert!(!is_license(license), "{license}");
    }
}

#[test]
fn a_version_is_three_numbers() {
    for version in ["0.1.0", "1.0.0", "10.20.30", "1.0.0-beta.1", "1.0.0-rc-1"] {
        assert!(is_version(version), "{version}");
    }
    for version in ["", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "1.0.x"] {
        assert!(!is_version(version), "{version}");
    }
}
