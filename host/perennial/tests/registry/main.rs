//! Packages in a real registry: Debian's `docker-registry`, which `.ci/run` installs. Not among the tests that run by
//! themselves: `cargo test --release --test registry`.

mod server;
#[path = "../support/mod.rs"]
mod support;

use expect_test::expect;
use perennial_tests::guests;

use crate::server::Registry;
use crate::support::Folder;
use crate::support::Ran;

const NIMBUS: &str = include_str!("../../../../plugins/declared/tables/nimbus.toml");

/// A folder with a signed package of a table, `nimbus-1.0.0.toml`, and one without a signature of a component, `hostile-1.0.0.wasm`;
/// and the key that signed.
fn packages() -> (Folder, String) {
    let folder = Folder::new();
    folder.write("nimbus.toml", NIMBUS);
    std::fs::write(folder.path("hostile.wasm"), guests::HOSTILE).unwrap();
    for plugin in ["nimbus.toml", "hostile.wasm"] {
        let meta = ["--version", "1.0.0", "--author", "Ann Bee", "--license", "Apache-2.0"];
        folder.run(&[&["plugin", "pack", plugin], &meta[..]].concat()).succeeded();
    }
    let key = folder.run(&["plugin", "keygen", "key.pem"]).succeeded().stdout().trim().to_owned();
    folder.run(&["plugin", "sign", "nimbus-1.0.0.toml", "--key", "key.pem"]).succeeded();
    (folder, key)
}

/// The digest that a push or a pull printed.
fn digest(ran: &Ran) -> String {
    let text = ran.stdout();
    let digest = text.split_once("@sha256:").unwrap_or_else(|| panic!("{text}{}", ran.stderr())).1;
    format!("sha256:{}", &digest[..64])
}

/// What a command said that failed, without what differs from run to run; and that it left no file.
fn refused(folder: &Folder, registry: &Registry, ran: &Ran) -> String {
    assert_ne!(ran.code(), 0, "{}", ran.stdout());
    for file in ["pulled.toml", "pulled.toml.sig", "pulled.wasm"] {
        assert!(!folder.path(file).exists(), "{file}");
    }
    let text = ran.stderr().replace(&registry.address, "REGISTRY");
    let words = text.split_inclusive(' ').map(|word| match word.find("sha256:") {
        Some(at) if word.len() >= at + 71 => format!("{}sha256:[digest]{}", &word[..at], &word[at + 71..]),
        _ => word.to_owned(),
    });
    words.collect()
}

#[test]
fn what_was_pushed_comes_back_by_tag_and_by_digest() {
    let ((folder, key), registry) = (packages(), Registry::start(None));
    for (file, pulled) in [("nimbus-1.0.0.toml", "pulled.toml"), ("hostile-1.0.0.wasm", "pulled.wasm")] {
        let name = registry.name(&format!("acme/{}", &file[..6]));
        let tag = format!("{name}:1.0.0");
        let pushed = folder.run(&["plugin", "push", &tag, file]).succeeded();
        let again = folder.run(&["plugin", "push", &tag, file]).succeeded();
        assert!(again.stdout().contains("is there already"), "{}", again.stdout());
        assert_eq!(digest(&pushed), digest(&again));
        for reference in
            [tag.clone(), format!("{name}@{}", digest(&pushed)), format!("{tag}@{}", digest(&pushed))]
        {
            let ran = folder.run(&["plugin", "pull", &reference, "--output", pulled]).succeeded();
            assert_eq!(digest(&ran), digest(&pushed), "{reference}");
            let read = |file: &str| std::fs::read(folder.path(file)).unwrap();
            assert_eq!(read(pulled), read(file));
            std::fs::remove_file(folder.path(pulled)).unwrap();
        }
    }
    // The signature came along.
    let name = registry.name("acme/nimbus:1.0.0");
    folder.run(&["plugin", "pull", &name, "--output", "signed.toml", "--key", &key]).succeeded();
    folder.run(&["plugin", "verify", "signed.toml", "--key", &key]).succeeded();
    folder.run(&["plugin", "check", "signed.toml"]).succeeded();
    // Nothing that is there is overwritten.
    folder.write("mine.toml", "mine");
    let taken = folder.run(&["plugin", "pull", &name, "--output", "mine.toml"]);
    assert_eq!((taken.code(), taken.stderr().contains("is there already")), (2, true), "{}", taken.stderr());
    assert!(!folder.path("mine.toml.sig").exists());
}

#[test]
fn a_tag_is_pinned_to_its_digest() {
    let ((folder, _), registry) = (packages(), Registry::start(None));
    let tag = registry.name("acme/nimbus:1");
    let first = digest(&folder.run(&["plugin", "push", &tag, "nimbus-1.0.0.toml"]).succeeded());
    let other = folder.run(&["plugin", "push", &tag, "hostile-1.0.0.wasm"]);
    assert!(other.code() == 1 && other.stderr().contains(&first), "{}", other.stderr());
    let pinned = format!("{tag}@{first}");
    folder.run(&["plugin", "pull", &pinned, "--output", "first.toml"]).succeeded();
    let moved = folder.run(&["plugin", "push", &tag, "hostile-1.0.0.wasm", "--move-tag"]).succeeded();
    assert_ne!(digest(&moved), first);
    let pulled = folder.run(&["plugin", "pull", &pinned, "--output", "pulled.toml"]);
    expect![[r#"
        error: cannot pull `REGISTRY/acme/nimbus:1@sha256:[digest]`: it has the digest sha256:[digest] there, and sha256:[digest] was asked for: somebody moved the tag; nothing was written. Name the other digest if the new one is meant
    "#]].assert_eq(&refused(&folder, &registry, &pulled));
    // What the digest names is there all the same.
    let name = registry.name(&format!("acme/nimbus@{first}"));
    folder.run(&["plugin", "pull", &name, "--output", "again.toml"]).succeeded();
}

#[test]
fn what_somebody_tampered_with_is_refused() {
    let ((folder, _), registry) = (packages(), Registry::start(None));
    let tag = registry.name("acme/nimbus:1.0.0");
    let digest = digest(&folder.run(&["plugin", "push", &tag, "nimbus-1.0.0.toml"]).succeeded());
    let pull = |reference: &str| {
        let ran = folder.run(&["plugin", "pull", reference, "--output", "pulled.toml"]);
        refused(&folder, &registry, &ran)
    };
    // The registry says something of the package that it does not say itself, signed as it is.
    let manifest = registry.manifest("acme/nimbus", "1.0.0");
    let lying = manifest.replace(
        "\"org.opencontainers.image.version\":\"1.0.0\"",
        "\"org.opencontainers.image.version\":\"2.0.0\"",
    );
    let lying = lying.replace(
        "\"org.opencontainers.image.title\":\"nimbus\"",
        "\"org.opencontainers.image.title\":\"huawei\"",
    );
    let lying = lying.replace(
        "\"perennial.contract\":\"perennial:table@0.1.0\"",
        "\"perennial.contract\":\"perennial:table@9.0.0\"",
    );
    assert_ne!(lying, manifest);
    registry.put_manifest("acme/nimbus", "lying", &lying);
    let mut told = vec![pull(&registry.name("acme/nimbus:lying"))];
    // A blob with other bytes under its digest.
    registry.tamper(&std::fs::read(folder.path("nimbus-1.0.0.toml")).unwrap());
    told.push(pull(&tag));
    told.push(pull(&registry.name(&format!("acme/nimbus@{digest}"))));
    told.push(pull(&registry.name("acme/nimbus:2.0.0")));
    expect![[r#"
        error: cannot pull `REGISTRY/acme/nimbus:lying`: it is no package that can be used; nothing was written:
          the registry says that its name is `huawei`, and the package says `nimbus`
          the registry says that its version is `2.0.0`, and the package says `1.0.0`
          the registry says that its contract is `perennial:table@9.0.0`, and the package says `perennial:table@0.1.0`

        error: cannot pull `REGISTRY/acme/nimbus:1.0.0`: it is not to be trusted; nothing was written:
          its layer has 494 bytes and the digest sha256:[digest], and its manifest says 494 bytes and sha256:[digest]: somebody tampered with it, or it was damaged

        error: cannot pull `REGISTRY/acme/nimbus@sha256:[digest]`: it is not to be trusted; nothing was written:
          its layer has 494 bytes and the digest sha256:[digest], and its manifest says 494 bytes and sha256:[digest]: somebody tampered with it, or it was damaged

        error: cannot pull `REGISTRY/acme/nimbus:2.0.0`: there is no such package; look at its name, its tag and its digest
    "#]].assert_eq(&told.join("\n"));
}

#[test]
fn a_package_is_taken_from_those_who_are_trusted_alone() {
    let ((folder, key), registry) = (packages(), Registry::start(None));
    let (signed, unsigned) = (registry.name("acme/nimbus:1.0.0"), registry.name("acme/hostile:1.0.0"));
    folder.run(&["plugin", "push", &signed, "nimbus-1.0.0.toml"]).succeeded();
    folder.run(&["plugin", "push", &unsigned, "hostile-1.0.0.wasm"]).succeeded();
    let theirs = folder.run(&["plugin", "keygen", "theirs.pem"]).succeeded().stdout().trim().to_owned();
    let pull = |words: &[&str]| {
        let ran = folder.run(&[words, &["--output", "pulled.toml"]].concat());
        refused(&folder, &registry, &ran)
    };
    folder.write("perennial.toml", &format!("[trust]\nkeys = [\"{theirs}\"]\n"));
    let told = [
        pull(&["plugin", "pull", &unsigned, "--key", &key]),
        pull(&["plugin", "pull", &signed, "--key", &theirs]),
        pull(&["--config", "perennial.toml", "plugin", "pull", &signed]),
    ];
    expect![[r#"
        error: cannot pull `REGISTRY/acme/hostile:1.0.0`: it is not to be trusted; nothing was written:
          the plugin `REGISTRY/acme/hostile:1.0.0` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it

        error: cannot pull `REGISTRY/acme/nimbus:1.0.0`: it is not to be trusted; nothing was written:
          the signature of the plugin `REGISTRY/acme/nimbus:1.0.0` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author

        error: cannot pull `REGISTRY/acme/nimbus:1.0.0`: it is not to be trusted; nothing was written:
          the signature of the plugin `REGISTRY/acme/nimbus:1.0.0` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
    "#]].assert_eq(&told.join("\n"));
    folder.run(&["--config", "perennial.toml", "plugin", "pull", &signed, "--key", &key]).succeeded();
    assert!(folder.path("nimbus-1.0.0.toml").exists());
}

#[test]
fn credentials_are_of_the_environment_or_of_a_file() {
    let ((folder, _), registry) = (packages(), Registry::start(Some(server::ACCOUNT)));
    let tag = registry.name("acme/nimbus:1.0.0");
    let push = |environment: &[(&str, &str)], more: &[&str]| {
        let mut program = folder.program_with(environment);
        program.args(["plugin", "push", &tag, "nimbus-1.0.0.toml"]).args(more);
        support::ran(program)
    };
    let (user, password) = ("PERENNIAL_REGISTRY_USERNAME", "PERENNIAL_REGISTRY_PASSWORD");
    let told = [
        push(&[], &[]),
        push(&[(user, "ann"), (password, "wrong")], &[]),
        push(&[(user, "ann")], &[]),
        push(&[], &["--credentials", "missing.json"]),
    ];
    let told = told.each_ref().map(|ran| refused(&folder, &registry, ran));
    expect![[r#"
        error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry refuses it with the status 401, "UNAUTHORIZED authentication required"; name a file of credentials with `--credentials`, or set them in the environment; nothing was changed

        error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry refuses it with the status 401, "UNAUTHORIZED authentication required"; look at the credentials, and at what they allow; nothing was changed

        error: cannot ask the registry `REGISTRY`: `PERENNIAL_REGISTRY_USERNAME` and `PERENNIAL_REGISTRY_PASSWORD` belong together, and one of them is set; set both, or none

        error: cannot ask the registry `REGISTRY`: the credentials in `missing.json` cannot be used: No such file or directory (os error 2)
    "#]].assert_eq(&told.join("\n"));
    let right = push(&[(user, "ann"), (password, "wonderland")], &[]).succeeded();
    let auth = "YW5uOndvbmRlcmxhbmQ=";
    let file = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{auth}\"}}}}}}", registry.address);
    folder.write("credentials.json", &file);
    let by_file = push(&[], &["--credentials", "credentials.json"]).succeeded();
    let by_name = push(&[("PERENNIAL_REGISTRY_CREDENTIALS", "credentials.json")], &[]).succeeded();
    assert_eq!([digest(&by_file), digest(&by_name)], [digest(&right), digest(&right)]);
}
