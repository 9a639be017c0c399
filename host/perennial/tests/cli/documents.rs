//! Commands that the documents and the messages of the program name: each is there, with the options that it is named with.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::Folder;

/// A command that a text names: its words, and its options.
type Named = (Vec<String>, Vec<String>);

/// Whether it can be the name of a command or a verb.
fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && !word.starts_with('-')
}

/// The command that a line or a span of code begins with, once for each of the verbs that `a|b` names.
fn named(code: &str) -> Vec<Named> {
    let code = code.strip_prefix("help ").unwrap_or(code);
    let words = code.split_whitespace().collect::<Vec<_>>();
    let first = words.first().copied().unwrap_or_default();
    if !is_word(first) {
        return Vec::new();
    }
    let ends = |word: &&&str| !["|", ">", "<", "&&", ";", "#", "2>&1"].contains(*word);
    let options = words.iter().take_while(ends).filter(|word| word.starts_with("--"));
    let options = options.map(|word| {
        let end = word.find(|letter: char| !(letter.is_ascii_lowercase() || letter == '-'));
        word[..end.unwrap_or(word.len())].to_owned()
    });
    let options = options.filter(|option| option.len() > 2).collect::<Vec<_>>();
    let verbs = words.get(1).copied().unwrap_or_default();
    let verbs = verbs.split('|').filter(|verb| is_word(verb)).collect::<Vec<_>>();
    let command = |more: &[&str]| {
        ([&[first], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>(), options.clone())
    };
    if verbs.is_empty() { vec![command(&[])] } else { verbs.iter().map(|verb| command(&[verb])).collect() }
}

/// Every command that a text names in code: behind a backtick, or at the beginning of a line.
fn commands(text: &str) -> Vec<Named> {
    let spans = text.split("`perennial ").skip(1).filter_map(|rest| rest.split('`').next());
    let lines = text.lines().filter_map(|line| line.trim_start_matches("$ ").strip_prefix("perennial "));
    spans.chain(lines).flat_map(named).collect()
}

/// The texts of a folder's files with this ending, and of those below it.
fn texts(folder: &Path, ending: &str, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_command_that_a_document_or_a_message_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for name in ["README.md", "FORMATS.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        found.push((name.to_owned(), std::fs::read_to_string(root.join(name)).unwrap()));
    }
    texts(&root.join("docs"), "md", &mut found);
    for source in ["perennial", "http", "service", "engine", "store", "sandbox", "formats"] {
        texts(&root.join("host").join(source).join("src"), "rs", &mut found);
    }
    let folder = Folder::new();
    let mut helps = BTreeMap::new();
    let mut wrong = Vec::new();
    for (file, text) in found {
        for (words, options) in commands(&text) {
            let help = helps.entry(words.clone()).or_insert_with(|| {
                let ran = folder.run(&words.iter().map(String::as_str).chain(["--help"]).collect::<Vec<_>>());
                (ran.code() == 0).then(|| ran.stdout())
            });
            let words = words.join(" ");
            match help {
                None => wrong.push(format!("{file}: there is no `perennial {words}`")),
                Some(help) => wrong.extend(
                    options
                        .iter()
                        .filter(|option| !help.contains(option.as_str()))
                        .map(|option| format!("{file}: `perennial {words}` has no {option}")),
                ),
            }
        }
    }
    assert!(helps.len() > 60, "{} commands are named", helps.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
