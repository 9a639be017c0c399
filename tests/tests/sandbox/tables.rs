//! Tables in the sandbox: how they are loaded, what names them, and what is said of one that is wrong.

use expect_test::expect;
use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Origin;
use perennial_sandbox::PluginFile;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;
use tempfile::TempDir;

use crate::world;
use crate::world::LIMITS;

/// The table of Nimbus, which the guide is about.
const NIMBUS: &str = include_str!("../../../plugins/declared/tables/nimbus.toml");

#[test]
fn a_table_is_loaded_like_a_plugin() {
    let (_folder, path) = world::file("nimbus.toml", NIMBUS.as_bytes());
    let plugins = world::load(std::slice::from_ref(&path), LIMITS).unwrap();
    let nimbus = plugins.get("nimbus").unwrap();
    assert_eq!(nimbus.origin(), &Origin::File(path));
    assert!(nimbus.is_table() && !plugins.get("huawei").unwrap().is_table());
    assert_eq!(nimbus.parts().size_bytes(), NIMBUS.len());
    assert_eq!(nimbus.manifest().name, "Nimbus");
    assert_eq!(nimbus.check_settings(&Default::default()), Ok(Vec::new()));
}

#[test]
fn another_text_is_another_revision() {
    let revision = |text: &str| {
        let (_folder, path) = world::file("nimbus.toml", text.as_bytes());
        world::load(&[path], LIMITS).unwrap().get("nimbus").unwrap().digest().to_owned()
    };
    let first = revision(NIMBUS);
    assert_eq!(first, revision(NIMBUS));
    assert_ne!(first, revision(&format!("{NIMBUS}\n")));
    assert_ne!(first, world::load(&[], LIMITS).unwrap().get("volcengine").unwrap().digest());
}

#[test]
fn a_table_is_pinned_by_its_file_or_by_its_revision() {
    let (_folder, path) = world::file("nimbus.toml", NIMBUS.as_bytes());
    let load = |digest: &str| {
        let file = PluginFile { path: path.clone(), digest: Some(digest.to_owned()) };
        let cache = TempDir::new().unwrap();
        let options = Options {
            files: vec![file],
            cache_dir: Some(cache.path().to_owned()),
            limits: LIMITS,
            trust: Trust::default(),
            grants: Grants::new(package_manifest::limits),
        };
        Plugins::load(&options).map(|plugins| plugins.get("nimbus").unwrap().digest().to_owned())
    };
    let of_file = {
        use sha2::Digest as _;
        sha2::Sha256::digest(NIMBUS).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let revision = load(&of_file).unwrap();
    assert_ne!(revision, of_file);
    assert_eq!(load(&revision).unwrap(), revision);
    let refused = load(&"0".repeat(64)).unwrap_err().to_string();
    assert!(refused.contains(&format!("has the digest {of_file}")), "{refused}");
}

#[test]
fn every_problem_of_a_table_is_told_with_its_line() {
    let wrong = NIMBUS.replace("+00:00", "GMT").replace("hour = 2", "hour = 24\nevery = 1");
    let (_folder, path) = world::file("nimbus.toml", wrong.as_bytes());
    let error = world::load(std::slice::from_ref(&path), LIMITS).unwrap_err().to_string();
    expect![[r#"
        the table `nimbus.toml` cannot be used; nothing of it is loaded:
          nimbus.toml:8: `utc_offset` of [provider]: `GMT` is no distance from UTC; write `+08:00` or `-03:30`, from -12:00 to +14:00
               8 | utc_offset = "GMT"
          nimbus.toml:15: `hour` of [tries]: it is a whole number from 0 to 23
              15 | hour = 24
          nimbus.toml:16: `every` is no key of [tries]; there are `days`, `hour`
              16 | every = 1"#]].assert_eq(&error.replace(&path.display().to_string(), "nimbus.toml"));
}

#[test]
fn what_is_too_long_or_no_text_is_no_table() {
    let refused = |bytes: &[u8]| {
        let (_folder, path) = world::file("wrong.toml", bytes);
        let error = world::load(std::slice::from_ref(&path), LIMITS).unwrap_err().to_string();
        error.replace(&path.display().to_string(), "wrong.toml")
    };
    let told = [refused(&[b' '; 70_000]), refused(b"table = 1 # \xff"), refused(b"\0asm\x0d\0\x01\0")];
    expect![[r#"
        the table `wrong.toml` has 70000 bytes; at most 65536 are accepted, because every call reads all of it; write a component instead
        the table `wrong.toml` cannot be used; nothing of it is loaded: it is not UTF-8 from byte 12 on
        the table `wrong.toml` cannot be used; nothing of it is loaded:
          wrong.toml:1: it is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`
               1 | �asm����
          wrong.toml:1: it is not TOML: key with no value, expected `=`
               1 | �asm����
          wrong.toml:1: it is not TOML: carriage return must be followed by newline, expected newline
               1 | �asm����
          wrong.toml:1: it is not TOML: key with no value, expected `=`
               1 | �asm����"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_table_that_takes_too_long_to_read_is_stopped() {
    let (_folder, path) = world::file("nimbus.toml", NIMBUS.as_bytes());
    let limits = Limits { fuel: 10_000, ..LIMITS };
    let error = world::load(&[path], limits).unwrap_err().to_string();
    assert!(error.contains("used up its 10000 units of fuel"), "{error}");
}
