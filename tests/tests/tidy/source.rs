//! The files that the rules are about.

use std::path::Path;
use std::path::PathBuf;

/// One file of the project.
pub struct Source {
    /// From the root of the project, with slashes.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate is in a folder of the project")
        .to_owned()
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// Every Rust and WIT file, tests and guests included.
    pub fn all() -> Vec<Source> {
        let mut all = Vec::new();
        for folder in ["fuzz", "host", "plugins", "tests", "wit"] {
            collect(&root().join(folder), &mut all);
        }
        assert!(all.len() > 100, "the files of the project were not found");
        all
    }

    /// The sources of the host's crates and of the plugins, without their tests.
    pub fn of_crates() -> Vec<Source> {
        let mut all = Source::all();
        all.retain(|source| {
            source.is_rust() && !source.path.starts_with("tests/") && source.path.contains("/src/")
        });
        all
    }

    /// The crate that the file belongs to, such as `host/store`; `None` for what is in no crate.
    pub fn package(&self) -> Option<&str> {
        let end = ["/src/", "/tests/", "/benches/", "/fuzz_targets/"]
            .iter()
            .filter_map(|part| self.path.find(part))
            .min()?;
        // The workspace's own `tests/tests/…` is in the crate `tests`.
        Some(&self.path[..end])
    }

    /// Whether it is code that is shipped, rather than a test or a benchmark.
    pub fn is_shipped(&self) -> bool {
        self.path.contains("/src/")
            && !self.path.starts_with("tests/")
            && !self.path.ends_with("/tests.rs")
            && !self.path.contains("/tests/")
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

fn collect(folder: &Path, all: &mut Vec<Source>) {
    let mut entries =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, all);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "wit") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            all.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The words of an identifier in lower case: `WriterDesk` and `writer_desk` are `writer`, `desk`.
pub fn words_of(identifier: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut starts_word = true;
    for character in identifier.chars() {
        if !character.is_alphanumeric() {
            starts_word = true;
        } else {
            if starts_word || character.is_uppercase() {
                words.push(String::new());
            }
            starts_word = false;
            words.last_mut().expect("a word was begun").extend(character.to_lowercase());
        }
    }
    words
}

/// The kind and the name of the item that a line declares, if it does: `pub fn name(` is `fn`, `name`.
pub fn declared(line: &str) -> Option<(&str, &str)> {
    const KINDS: [&str; 11] =
        ["struct", "enum", "trait", "fn", "type", "mod", "const", "static", "record", "variant", "func"];
    let mut rest = line.trim_start();
    for prefix in ["pub(crate) ", "pub(super) ", "pub ", "default ", "async ", "unsafe "] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    if rest.starts_with("const fn ") {
        rest = &rest["const ".len()..];
    }
    let (kind, rest) = rest.split_once(' ')?;
    let kind = KINDS.iter().find(|known| **known == kind)?;
    let rest = rest.trim_start_matches('%');
    let end = rest
        .find(|character: char| !(character.is_alphanumeric() || "_-".contains(character)))
        .unwrap_or(rest.len());
    (end > 0).then(|| (*kind, &rest[..end]))
}
