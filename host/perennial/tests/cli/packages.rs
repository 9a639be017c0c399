//! `perennial plugin pack|inspect|sign|verify`, and packages that lie, ask for what they were not granted, or are not signed.

use expect_test::expect;
use perennial_formats::package::PackageManifest;
use perennial_tests::guests;
use wasm_metadata::AddMetadata;
use wasm_metadata::AddMetadataField;

use crate::sample::folder;
use crate::support::Folder;

const NIMBUS: &str = include_str!("../../../../plugins/declared/tables/nimbus.toml");
const META: [&str; 6] = ["--version", "1.0.0", "--author", "Ann Bee", "--license", "Apache-2.0"];

/// A folder with the package of a component, `hostile-1.0.0.wasm`, of a plugin that is honest about everything but `mood`.
fn packed() -> Folder {
    let folder = folder();
    std::fs::write(folder.path("hostile.wasm"), guests::HOSTILE).unwrap();
    folder.run(&[&["plugin", "pack", "hostile.wasm"], &META[..]].concat()).succeeded();
    folder
}

/// The text with what is long and hexadecimal, and the sizes of components, taken out.
fn masked(text: &str) -> String {
    let is_digest = |word: &str| {
        word.trim_end_matches(',').len() >= 64
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word
                .trim_start_matches("sha256:")
                .trim_end_matches(',')
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
    };
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| match word {
            word if is_digest(word) => "[digest]",
            word if word.starts_with("ed25519:") => "[key]",
            word => word,
        });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_table_is_packed_signed_inspected_and_verified() {
    let folder = Folder::new();
    folder.write("nimbus.toml", NIMBUS);
    let pack =
        [&["plugin", "pack", "nimbus.toml", "--source", "https://example.com/nimbus"], &META[..]].concat();
    let packed = folder.run(&pack).succeeded().stdout();
    let again = folder.run(&pack).succeeded().stdout();
    assert_eq!(packed, again, "the same package is written once");
    let key = folder.run(&["plugin", "keygen", "key.pem"]).succeeded().stdout();
    folder.run(&["plugin", "sign", "nimbus-1.0.0.toml", "--key", "key.pem"]).succeeded();
    let inspected = folder.run(&["plugin", "inspect", "nimbus-1.0.0.toml", "--key", key.trim()]).succeeded();
    folder.run(&["plugin", "verify", "nimbus-1.0.0.toml", "--key", key.trim()]).succeeded();
    let whose = folder.run(&["plugin", "inspect", "nimbus-1.0.0.toml"]).succeeded().stdout();
    assert!(whose.contains("name keys with `--key`"), "{whose}");
    let tested = folder.run(&["plugin", "check", "nimbus-1.0.0.toml"]);
    assert_eq!(tested.code(), 0, "{}{}", tested.stdout(), tested.stderr());
    expect![[r#"
        wrote nimbus-1.0.0.toml, 532 bytes, [digest]
        next: perennial plugin sign nimbus-1.0.0.toml --key FILE
        nimbus-1.0.0.toml  a package of a table, 532 bytes
          name       nimbus
          version    1.0.0
          contract   perennial:table@0.1.0
          authors    Ann Bee
          source     https://example.com/nimbus
          license    Apache-2.0
          digest     [digest]
          signature  by [key]
          exports    nothing
          imports    nothing
          asks for   nothing beyond what every plugin has"#]]
    .assert_eq(&masked(&[packed, inspected.stdout()].concat()));
    assert!(folder.run(&["plugin", "inspect", "nimbus.toml"]).succeeded().stdout().contains("no package"));
}

#[test]
fn a_component_says_everything_of_itself_without_being_run() {
    let folder = packed();
    let inspected = folder.run(&["plugin", "inspect", "hostile-1.0.0.wasm"]).succeeded().stdout();
    let lines = inspected.lines().filter(|line| !line.contains(" bytes"));
    let lines = ["it says"].into_iter().chain(lines).collect::<Vec<_>>().join("\n");
    expect![[r#"
        it says
          name       hostile
          version    1.0.0
          contract   perennial:provider@0.2.0
          authors    Ann Bee
          license    Apache-2.0
          digest     [digest]
          signature  none
          exports    perennial:provider/types@0.2.0, perennial:provider/profile@0.2.0, perennial:provider/lifecycle@0.2.0, perennial:provider/commands@0.2.0, perennial:provider/usage@0.2.0
          imports    nothing
          asks for   nothing beyond what every plugin has"#]].assert_eq(&masked(&lines));
    let described =
        folder.run(&["plugin", "inspect", "hostile-1.0.0.wasm", "--describe"]).succeeded().stdout();
    assert!(described.contains("A thing"), "{described}");
    let other = format!("hostile-1.0.0.wasm@sha256:{}", "0".repeat(64));
    let refused = folder.run(&["plugin", "inspect", &other]);
    assert!(refused.code() == 1 && refused.stderr().contains("was asked for"), "{}", refused.stderr());
}

#[test]
fn every_problem_of_a_package_is_told_at_once_and_nothing_written() {
    let folder = Folder::new();
    folder.write("nimbus.toml", NIMBUS);
    let words =
        ["plugin", "pack", "nimbus.toml", "--version", "one", "--source", "here", "--license", "mine"];
    let refused = folder.run(&[&words[..], &["--ask", "memory=64MiB"]].concat());
    expect![[r#"
        error: `nimbus.toml` cannot be a package; nothing was changed:
          it has no authors, which every package has; say it with an option
          a table asks for nothing: it has the limits of its interpreter
          its version `one` is none; one is such as `1.0.0` or `1.0.0-beta.1`
          its source `here` is no address; one begins with `https://`
    "#]]
    .assert_eq(&refused.stderr());
    assert_eq!(refused.code(), 2);
    std::fs::write(folder.path("hostile.wasm"), guests::HOSTILE).unwrap();
    let nothing = folder.run(&["plugin", "pack", "hostile.wasm"]);
    expect![[r#"
        error: `hostile.wasm` cannot be a package; nothing was changed:
          it has no version, which every package has; say it with an option
          it has no authors, which every package has; say it with an option
          it has no license, which every package has; say it with an option
    "#]]
    .assert_eq(&nothing.stderr());
    let files = std::fs::read_dir(folder.path("")).unwrap().count();
    assert_eq!(files, 2, "nothing was written");
    // What is there with other bytes stays.
    folder.write("nimbus-1.0.0.toml", "mine");
    let taken = folder.run(&[&["plugin", "pack", "nimbus.toml"], &META[..]].concat());
    assert!(taken.code() == 2 && taken.stderr().contains("is there already"), "{}", taken.stderr());
    assert_eq!(std::fs::read_to_string(folder.path("nimbus-1.0.0.toml")).unwrap(), "mine");
}

#[test]
fn what_cargo_says_of_a_plugin_need_not_be_said_again() {
    let folder = Folder::new();
    folder.write("nimbus.toml", NIMBUS);
    folder.write(
        "Cargo.toml",
        "[package]\nname = \"nimbus\"\nversion = \"2.1.0\"\nauthors = [\"Ann\", \"Bob\"]\nlicense = \"MIT\"\n",
    );
    folder.run(&["plugin", "pack", "nimbus.toml"]).succeeded();
    let (manifest, problems) =
        PackageManifest::read(&std::fs::read(folder.path("nimbus-2.1.0.toml")).unwrap(), true);
    assert_eq!((manifest.authors.as_deref(), manifest.license.as_deref()), (Some("Ann, Bob"), Some("MIT")));
    assert_eq!(problems, Vec::<String>::new());
}

/// A package like that in `folder`, with this done to it.
fn tampered(folder: &Folder, name: &str, tamper: impl FnOnce(&[u8]) -> Vec<u8>) {
    let bytes = tamper(&std::fs::read(folder.path("hostile-1.0.0.wasm")).unwrap());
    std::fs::write(folder.path(name), bytes).unwrap();
}

fn renamed(bytes: &[u8]) -> Vec<u8> {
    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set("huawei".to_owned());
    add.to_wasm(bytes).unwrap()
}

/// The bytes with one text in the place of another of its length.
fn replaced(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|window| window == old.as_bytes()).expect("it is there");
    [&bytes[..at], new.as_bytes(), &bytes[at + old.len()..]].concat()
}

/// A component that imports a part of WASI, and says in a section that it is a package.
fn importing(asked: &str) -> Vec<u8> {
    let text = r#"(component (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64))))))"#;
    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set("hostile".to_owned());
    let said = PackageManifest {
        version: Some("1.0.0".to_owned()),
        authors: Some("Ann".to_owned()),
        license: Some("MIT".to_owned()),
        contract: Some("perennial:provider@0.2.0".to_owned()),
        limits: perennial_domain::plugin_limits::PluginLimits::read(asked).unwrap(),
        ..PackageManifest::default()
    };
    said.append_to(&add.to_wasm(&wat::parse_str(text).unwrap()).unwrap())
}

/// What a host says of a package, with the exit code, and that it keeps nothing of it.
fn refused(folder: &Folder, words: &[&str]) -> String {
    // The first command on a database binds what is bundled.
    folder.run(&["plugin", "revisions"]);
    // What is bundled is kept from the first command that writes on.
    let kept = || {
        let kept = folder.run(&["plugin", "revisions", "--format", "csv"]).succeeded().stdout();
        kept.lines().filter(|line| !line.contains(",bundled,")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = kept();
    let ran = folder.run(words);
    assert_eq!(kept(), before, "{words:?}");
    format!("{}: {}", ran.code(), masked(&ran.stderr()))
}

#[test]
fn a_hostile_package_of_each_kind_is_refused_with_its_reason() {
    let folder = packed();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    tampered(&folder, "name.wasm", renamed);
    tampered(&folder, "version.wasm", |bytes| replaced(bytes, "1.0.0", "1.0.x"));
    let contract = |version: &str| format!("\"contract\":\"perennial:provider@{version}\"");
    tampered(&folder, "contract.wasm", |bytes| replaced(bytes, &contract("0.2.0"), &contract("0.9.0")));
    tampered(&folder, "twice.wasm", |bytes| {
        let said = PackageManifest { contract: Some("x".to_owned()), ..PackageManifest::default() };
        [bytes, &said.append_to(&bytes[..8])[8..]].concat()
    });
    std::fs::write(folder.path("imports.wasm"), importing("memory=64MiB")).unwrap();
    let other = format!("hostile-1.0.0.wasm@sha256:{}", "0".repeat(64));
    let files = [
        "name.wasm",
        "version.wasm",
        "contract.wasm",
        "twice.wasm",
        &other,
        "imports.wasm",
        "hostile-1.0.0.wasm",
    ];
    let mut told = files.map(|file| refused(&folder, &["plugin", "install", file])).to_vec();
    // Only what is signed by a trusted key is taken.
    let key = folder.run(&["plugin", "keygen", "key.pem"]).succeeded().stdout();
    folder.write("perennial.toml", &format!("[trust]\nkeys = [\"{}\"]\n", key.trim()));
    let install = ["--config", "perennial.toml", "plugin", "install", "hostile-1.0.0.wasm"];
    told.push(refused(&folder, &install));
    folder.run(&["plugin", "keygen", "theirs.pem"]).succeeded();
    folder.run(&["plugin", "sign", "hostile-1.0.0.wasm", "--key", "theirs.pem"]).succeeded();
    told.push(refused(&folder, &install));
    expect![[r#"
        2: error: cannot install `name.wasm` on `perennial.db`: Some fields are invalid
          component: package: the plugin `name.wasm` is no package that is believed: it says that its name is `huawei`, and its plugin describes `hostile`
        2: error: cannot install `version.wasm` on `perennial.db`: Some fields are invalid
          component: package: the plugin `version.wasm` is no package that is believed: its version `1.0.x` is none; one is such as `1.0.0` or `1.0.0-beta.1`
        2: error: cannot install `contract.wasm` on `perennial.db`: Some fields are invalid
          component: package: the plugin `contract.wasm` is no package that is believed: it says that it is for the contract `perennial:provider@0.9.0`, and it exports `perennial:provider@0.2.0`
        2: error: cannot install `twice.wasm` on `perennial.db`: Some fields are invalid
          component: package: the plugin `twice.wasm` is no package that is believed: it has two sections `perennial-package`, and nobody can know which one counts
        1: error: cannot install `hostile-1.0.0.wasm` on `perennial.db`: Some fields are invalid
          component: digest: the plugin `hostile-1.0.0.wasm` has the digest [digest] and [digest] was asked for; send that one, or name the other digest if the new one is meant
        2: error: cannot install `imports.wasm` on `perennial.db`: Some fields are invalid
          component: package: the plugin `imports.wasm` is no package that is believed: it imports `wasi:random/random@0.2.0` and does not ask for that; a package asks for `wasi`, and nothing else can be granted
        2: error: cannot install `hostile-1.0.0.wasm` on `perennial.db`: Some fields are invalid
          component: purity: the plugin `hostile-1.0.0.wasm` does not answer the same question the same way; tell its author: the timeline of mood (active) has another answer when it is asked in another order; the timeline of mood (grace) has another answer when it is asked alone; the timeline of thing (converted) attached to thing (active) has another answer when it is asked in another order
        1: error: cannot install `hostile-1.0.0.wasm` on `perennial.db`: Some fields are invalid
          component: signature: the plugin `hostile-1.0.0.wasm` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        1: error: cannot install `hostile-1.0.0.wasm` on `perennial.db`: Some fields are invalid
          component: signature: the signature of the plugin `hostile-1.0.0.wasm` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_file_that_lies_about_its_name_is_not_loaded_either() {
    let folder = packed();
    tampered(&folder, "name.wasm", renamed);
    for words in [&["--plugin", "name.wasm", "plugins"][..], &["plugin", "check", "name.wasm"]] {
        let ran = folder.run(words);
        assert_eq!(ran.code(), 2, "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains("its name is `huawei`"), "{}", ran.stderr());
    }
}
