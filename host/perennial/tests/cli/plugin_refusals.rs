//! What every verb of `perennial plugin` says of a file that is not there, is no plugin, is another one than was asked for, or is
//! signed by nobody who is trusted: with the same exit codes and in the same words.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

use expect_test::expect;

use crate::revisions::masked;
use crate::sample::folder;
use crate::support::Folder;
use crate::support::memory_registry;

const NIMBUS: &str = include_str!("../../../../plugins/declared/tables/nimbus.toml");
const META: [&str; 6] = ["--version", "1.0.0", "--author", "Ann Bee", "--license", "Apache-2.0"];
/// The digest of no file that is here.
const OTHER: &str = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";
/// The verbs that take a plugin, and what else they take.
const VERBS: [(&str, &[&str]); 12] = [
    ("check", &[]),
    ("test", &[]),
    ("ask", &["--case", "a case"]),
    ("bench", &[]),
    ("backtest", &["--since", "2020-01-01"]),
    ("pack", &META),
    ("sign", &["--key", "ours.key"]),
    ("verify", &["--key", "OURS"]),
    ("inspect", &["--key", "OURS"]),
    ("push", &[]),
    ("pull", &["--key", "OURS"]),
    ("install", &[]),
];

/// A folder with a package, text that is none, the keys of two people, a configuration that trusts one of them, and a database; and
/// a registry that has the package, and something else as `odd`.
struct World {
    folder: Folder,
    registry: String,
    ours: String,
}

impl World {
    fn new() -> World {
        let folder = folder();
        let registry = memory_registry::start();
        folder.write("nimbus.toml", NIMBUS);
        folder.write("notes.wasm", "no plugin at all");
        folder.write("cases.toml", "");
        let [ours, _] = ["ours.key", "theirs.key"]
            .map(|file| folder.run(&["plugin", "keygen", file]).succeeded().stdout().trim().to_owned());
        folder.write("trust.toml", &format!("[trust]\nkeys = [\"{ours}\"]\n"));
        folder.run(&[&["plugin", "pack", "nimbus.toml"], &META[..]].concat()).succeeded();
        folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
        let world = World { folder, registry, ours };
        world.put_manifest("odd", "no manifest");
        world.folder.run(&["plugin", "push", &world.name("nimbus:1.0.0"), "nimbus-1.0.0.toml"]).succeeded();
        world
    }

    fn name(&self, package: &str) -> String {
        format!("{}/acme/{package}", self.registry)
    }

    fn put_manifest(&self, tag: &str, text: &str) {
        let mut stream = TcpStream::connect(&self.registry).unwrap();
        let length = text.len();
        write!(
            stream,
            "PUT /v2/acme/nimbus/manifests/{tag} HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{text}"
        )
        .unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }

    /// What a verb says of a file, or of a package of the registry, with its exit code.
    fn told(&self, global: &[&str], verb: &str, more: &[&str], file: &str) -> String {
        let tag = self.name("nimbus:2.0.0");
        let subject = match verb {
            "push" => vec![tag.as_str(), file],
            _ => vec![file],
        };
        let more = more.iter().map(|word| if *word == "OURS" { self.ours.as_str() } else { word });
        let words = global.iter().copied().chain(["plugin", verb]).chain(subject).chain(more);
        let ran = self.folder.run(&words.collect::<Vec<_>>());
        let said = ran.stderr().replace(&self.registry, "REGISTRY");
        format!("{verb} {}: {}\n", ran.code(), said.trim_end().trim_start_matches("error: "))
    }

    /// The same for every verb, each with its own name of what it takes.
    fn all(&self, global: &[&str], verbs: &[&str], file: &str, package: &str) -> String {
        let verbs = VERBS.iter().filter(|(verb, _)| verbs.is_empty() || verbs.contains(verb));
        let told = verbs.map(|(verb, more)| {
            let package = self.name(package);
            self.told(global, verb, more, if *verb == "pull" { &package } else { file })
        });
        masked(&told.collect::<String>())
    }
}

#[test]
fn every_verb_refuses_the_same_plugin_in_the_same_way() {
    let world = World::new();
    let missing = world.all(&[], &[], "missing.wasm", "missing:1");
    let no_plugin = world.all(&[], &[], "notes.wasm", "nimbus:odd");
    let other = world.all(&[], &[], &format!("nimbus-1.0.0.toml{OTHER}"), &format!("nimbus:1.0.0{OTHER}"));
    let looking = ["verify", "inspect", "push", "pull", "install"];
    let trusting = ["--config", "trust.toml"];
    let unsigned = world.all(&trusting, &looking, "nimbus-1.0.0.toml", "nimbus:1.0.0");
    world.folder.run(&["plugin", "sign", "nimbus-1.0.0.toml", "--key", "theirs.key"]).succeeded();
    world.folder.run(&["plugin", "push", &world.name("nimbus:1.0.1"), "nimbus-1.0.0.toml"]).succeeded();
    let theirs = world.all(&trusting, &looking, "nimbus-1.0.0.toml", "nimbus:1.0.1");
    for (code, told) in [(2, &missing), (2, &no_plugin), (1, &other), (1, &theirs)] {
        for line in told.lines().filter(|line| !line.starts_with(' ')) {
            let verb = line.split(' ').next().unwrap();
            let begins = format!("{verb} {code}: cannot {verb} `");
            assert!(line.starts_with(&begins) || line.starts_with("inspect 1: `nimbus"), "{line}");
        }
    }
    let report = [
        ("no such file", missing),
        ("no plugin", no_plugin),
        ("another digest", other),
        ("no signature", unsigned),
        ("signed by somebody else", theirs),
    ];
    let report = report.map(|(what, told)| format!("{what}\n{told}\n")).concat();
    expect![[r#"
        no such file
        check 2: cannot check `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        test 2: cannot test `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        ask 2: cannot ask `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        bench 2: cannot bench `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        backtest 2: cannot backtest `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        pack 2: cannot pack `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        sign 2: cannot sign `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        verify 2: cannot verify `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        inspect 2: cannot inspect `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        push 2: cannot push `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table
        pull 2: cannot pull `REGISTRY/acme/missing:1`: there is no such package; look at its name, its tag and its digest
        install 2: cannot install `missing.wasm`: No such file or directory (os error 2); name a component, as `perennial plugin build` writes it, or a table

        no plugin
        check 2: cannot check `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        test 2: cannot test `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        ask 2: cannot ask `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        bench 2: cannot bench `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        backtest 2: cannot backtest `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        pack 2: cannot pack `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        sign 2: cannot sign `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        verify 2: cannot verify `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        inspect 2: cannot inspect `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        push 2: cannot push `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table
        pull 2: cannot pull `REGISTRY/acme/nimbus:odd`: it is no package that can be used; nothing was written:
          its manifest is none of a package: expected ident at line 1 column 2
        install 2: cannot install `notes.wasm`: it is no WebAssembly; name a component, as `perennial plugin build` writes it, or a table

        another digest
        check 1: cannot check `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        test 1: cannot test `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        ask 1: cannot ask `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        bench 1: cannot bench `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        backtest 1: cannot backtest `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        pack 1: cannot pack `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        sign 1: cannot sign `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        verify 1: cannot verify `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        inspect 1: `nimbus-1.0.0.toml` cannot be a package; nothing was changed:
          it has the digest sha256:[digest], and sha256:[digest] was asked for
        push 1: cannot push `nimbus-1.0.0.toml`: it has the digest [digest], and [digest] was asked for; put that revision there, or name the other digest if the new one is meant
        pull 1: cannot pull `REGISTRY/acme/nimbus:1.0.0@sha256:[digest]`: it has the digest sha256:[digest] there, and sha256:[digest] was asked for: somebody moved the tag; nothing was written. Name the other digest if the new one is meant
        install 1: cannot install `nimbus-1.0.0.toml` on `perennial.db`: Some fields are invalid
          table: digest: the plugin `nimbus-1.0.0.toml` has the digest [digest], and [digest] was asked for; send that one, or name the other digest if the new one is meant

        no signature
        verify 1: cannot verify `nimbus-1.0.0.toml`: the plugin `nimbus-1.0.0.toml` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        inspect 0: 
        push 1: cannot push `nimbus-1.0.0.toml`: the plugin `nimbus-1.0.0.toml` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        pull 1: cannot pull `REGISTRY/acme/nimbus:1.0.0`: it is not to be trusted; nothing was written:
          the plugin `REGISTRY/acme/nimbus:1.0.0` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        install 1: cannot install `nimbus-1.0.0.toml` on `perennial.db`: Some fields are invalid
          table: signature: the plugin `nimbus-1.0.0.toml` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it

        signed by somebody else
        verify 1: cannot verify `nimbus-1.0.0.toml`: the signature of the plugin `nimbus-1.0.0.toml` does not count: it is not by any of the 2 trusted keys, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        inspect 1: `nimbus-1.0.0.toml` cannot be a package; nothing was changed:
          its signature does not count: the signature of the plugin `nimbus-1.0.0.toml` does not count: it is not by any of the 2 trusted keys, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        push 1: cannot push `nimbus-1.0.0.toml`: the signature of the plugin `nimbus-1.0.0.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        pull 1: cannot pull `REGISTRY/acme/nimbus:1.0.1`: it is not to be trusted; nothing was written:
          the signature of the plugin `REGISTRY/acme/nimbus:1.0.1` does not count: it is not by any of the 2 trusted keys, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        install 1: cannot install `nimbus-1.0.0.toml` on `perennial.db`: Some fields are invalid
          table: signature: the signature of the plugin `nimbus-1.0.0.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author

    "#]].assert_eq(&report);
}

#[test]
fn what_is_named_by_its_digest_is_taken_as_it_is() {
    let world = World::new();
    let inspected = world.folder.run(&["plugin", "inspect", "nimbus-1.0.0.toml"]).succeeded().stdout();
    let digest =
        inspected.lines().find_map(|line| line.trim().strip_prefix("digest")).unwrap().trim().to_owned();
    let named = format!("nimbus-1.0.0.toml@{digest}");
    let tag = world.name("nimbus:3.0.0");
    for words in [
        &["plugin", "check", &named][..],
        &["plugin", "sign", &named, "--key", "ours.key"],
        &["plugin", "verify", &named, "--key", &world.ours],
        &["plugin", "inspect", &named],
        &["--config", "trust.toml", "plugin", "push", &tag, &named],
        &["plugin", "install", &named],
    ] {
        world.folder.run(words).succeeded();
    }
    // The revision of a table, which is of its interpreter as well, names it, too.
    let checked = world.folder.run(&["plugin", "check", "nimbus-1.0.0.toml"]).succeeded().stdout();
    let revision = checked.lines().next().unwrap().rsplit(' ').next().unwrap();
    let named = format!("nimbus-1.0.0.toml@sha256:{revision}");
    for verb in ["check", "inspect"] {
        world.folder.run(&["plugin", verb, &named]).succeeded();
    }
}

#[test]
fn a_signature_of_bytes_is_worth_as_much_as_one_in_base64() {
    use base64::Engine as _;
    let world = World::new();
    world.folder.run(&["plugin", "sign", "nimbus-1.0.0.toml", "--key", "ours.key"]).succeeded();
    let path = world.folder.path("nimbus-1.0.0.toml.sig");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, base64::prelude::BASE64_STANDARD.decode(text.trim()).unwrap()).unwrap();
    for verb in ["verify", "inspect"] {
        world.folder.run(&["plugin", verb, "nimbus-1.0.0.toml", "--key", &world.ours]).succeeded();
    }
}
