//! Which commands show what they would change and ask first: a walk over all of them, so that a new one cannot forget it.

use clap::Command;
use clap::CommandFactory;

use crate::cli::Arguments;
use crate::cli::routes::ROUTES;

/// Commands that neither only look nor have both `--dry-run` and `--yes`, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("account create", MAKES),
    ("calendar create", MAKES),
    ("channel create", MAKES),
    ("key create", MAKES),
    ("token create", MAKES),
    ("webhook create", MAKES),
    ("plugin install", INSTALLS),
    ("policy install", INSTALLS),
    ("channel test", TRIES),
    ("webhook test", TRIES),
    ("sync", "it reads the provider, and believes nothing suspicious until that is said"),
    ("warning acknowledge", "it puts a warning aside, and `warning recall` shows it again"),
    ("warning recall", "it shows a warning again"),
    ("db migrate", "it keeps a copy of the database, and `--check` only looks"),
    ("plugin push", "a registry keeps what it had, under its digest"),
    ("db backup", WRITES_FILES),
    ("demo", WRITES_FILES),
    ("simulate", WRITES_FILES),
    ("completions", WRITES_FILES),
    ("key new-secrets-key", WRITES_FILES),
    ("plugin new", WRITES_FILES),
    ("plugin build", WRITES_FILES),
    ("plugin test", WRITES_FILES),
    ("plugin bench", WRITES_FILES),
    ("plugin keygen", WRITES_FILES),
    ("plugin sign", WRITES_FILES),
    ("plugin pack", WRITES_FILES),
    ("plugin pull", WRITES_FILES),
    ("policy new", WRITES_FILES),
    ("run", HOST),
    ("serve", HOST),
    ("sandbox", HOST),
    ("db check", LOOKS),
    ("replay", LOOKS),
    ("policy run", LOOKS),
    ("policy compare", LOOKS),
    ("policy check", LOOKS),
    ("policy test", LOOKS),
    ("policy backtest", LOOKS),
    ("plugin backtest", LOOKS),
    ("plugin check", LOOKS),
    ("plugin ask", LOOKS),
    ("plugin verify", LOOKS),
    ("plugin inspect", LOOKS),
];

const MAKES: &str = "it makes something new, on which nothing depends yet and which another command ends";
const INSTALLS: &str =
    "what it takes was looked at with `--dry-run`, and is kept beside what was there before";
const TRIES: &str = "it sends one message that says that it is a test";
const WRITES_FILES: &str = "it writes files that it was told to write, and nothing else";
const HOST: &str = "it works until it is stopped, as it was configured";
const LOOKS: &str = "it changes nothing, although it is a request by POST or none at all";

/// Every command that has none below it, by its words.
fn leaves<'c>(command: &'c Command, words: &str, found: &mut Vec<(String, &'c Command)>) {
    for below in command.get_subcommands() {
        let words = format!("{words} {}", below.get_name()).trim_start().to_owned();
        match below.has_subcommands() {
            true => leaves(below, &words, found),
            false => found.push((words, below)),
        }
    }
}

/// Whether a command has this option.
fn has(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(option))
}

/// Whether all that a command asks for are routes that only look.
fn only_looks(words: &str) -> bool {
    let mut routes = ROUTES.iter().filter(|(.., command)| *command == words).peekable();
    routes.peek().is_some() && routes.all(|(method, ..)| *method == "GET")
}

#[test]
fn every_command_that_changes_something_can_be_looked_at_and_asks() {
    let whole = Arguments::command();
    let mut found = Vec::new();
    leaves(&whole, "", &mut found);
    let asks = |command: &Command| has(command, "dry-run") && has(command, "yes");
    let is_known = |words: &str| WITHOUT.iter().any(|(known, _)| *known == words);
    let forgotten = found.iter().filter(|(words, command)| {
        let is_looking = only_looks(words);
        assert!(!is_looking || !asks(command), "{words} only looks, and asks");
        !is_looking && !asks(command) && !is_known(words)
    });
    let forgotten = forgotten.map(|(words, _)| words.as_str()).collect::<Vec<_>>();
    assert_eq!(forgotten, [""; 0], "give them `EndArguments`, or say above why they need none");
    for (words, _) in WITHOUT {
        let listed = found.iter().find(|(known, _)| known == words);
        let (_, command) = listed.unwrap_or_else(|| panic!("there is no `{words}`"));
        assert!(!asks(command) && !only_looks(words), "`{words}` is listed for nothing");
    }
}
