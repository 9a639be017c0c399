//! Permissions of files: a database that may be read and not written, a folder in which nothing can be made, and who can read
//! what the program makes.

use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::server::run;
use crate::support::Folder;
use crate::support::refusal;

/// Somebody for whom permissions hold; they do not for root.
const NOBODY: u32 = 65_534;

/// Runs the program in a folder as somebody for whom permissions hold.
struct Unprivileged<'f> {
    folder: &'f Folder,
    is_root: bool,
}

impl Unprivileged<'_> {
    /// Gives them the folder and its database.
    fn own(folder: &Folder) -> Unprivileged<'_> {
        let is_root = std::fs::metadata(folder.path("test.db")).unwrap().uid() == 0;
        if is_root {
            // They may not reach where it was built.
            std::fs::copy(env!("CARGO_BIN_EXE_perennial"), folder.path("perennial")).unwrap();
            let beside = std::fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().path());
            for path in beside.chain([folder.path("")]) {
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        Unprivileged { folder, is_root }
    }

    fn program(&self, words: &[&str]) -> Command {
        let own = self.folder.path("perennial");
        let built = Path::new(env!("CARGO_BIN_EXE_perennial"));
        let mut command = Command::new(if self.is_root { own.as_path() } else { built });
        command.current_dir(self.folder.path("")).env_clear().args(["--db", "test.db"]).args(words);
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

fn set_mode(folder: &Folder, name: &str, mode: u32) {
    std::fs::set_permissions(folder.path(name), PermissionsExt::from_mode(mode)).unwrap();
}

/// The names in the folder, but for the locks, and what readers of a write-ahead log leave beside it.
fn names(folder: &Folder) -> Vec<String> {
    let is_beside = |name: &String| name.strip_prefix("test.db").is_some_and(|ending| !ending.is_empty());
    let entries = std::fs::read_dir(folder.path("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names = names.filter(|name| !is_beside(name)).collect::<Vec<_>>();
    names.sort();
    names
}

/// Commands that write, the first of which would go on for ever.
const WRITING: [&[&str]; 4] = [
    &["run"],
    &["token", "create", "--name", "x", "--role", "viewer"],
    &["warning", "acknowledge", "x"],
    &["db", "migrate"],
];

/// What is not allowed in a folder of somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    Database,
    Folder,
    /// The files that a reader left beside a database that was closed then.
    FilesBeside,
}

/// A folder with a database in which something is closed to somebody who owns it all the same.
fn closed_folder(closed: Closed) -> Folder {
    let folder = Folder::new();
    assert!(run(&folder, &[], &["token", "create", "--name", "kept", "--role", "admin"]).status.success());
    for name in ["test.db.lock", "test.db.generation"] {
        std::fs::remove_file(folder.path(name)).unwrap();
    }
    match closed {
        Closed::Database => set_mode(&folder, "test.db", 0o444),
        Closed::Folder => set_mode(&folder, "", 0o555),
        Closed::FilesBeside => {
            for name in ["test.db-shm", "test.db-wal"] {
                folder.write(name, "");
                set_mode(&folder, name, 0o444);
            }
        }
    }
    folder
}

#[test]
fn what_cannot_be_written_is_refused_with_its_reason_and_left_alone() {
    let read_only = "the database `test.db` can only be read";
    for (closed, reason) in [
        (Closed::Database, read_only),
        (Closed::FilesBeside, read_only),
        (Closed::Folder, "is its folder there and writable?"),
    ] {
        let folder = closed_folder(closed);
        let bytes = std::fs::read(folder.path("test.db")).unwrap();
        let somebody = Unprivileged::own(&folder);
        let before = names(&folder);
        // SQLite removes what lies beside the database when it closes it again, so that the next one is well.
        let commands = if closed == Closed::FilesBeside { &WRITING[..1] } else { &WRITING[..] };
        for words in commands {
            let said = refusal(somebody.program(words), Duration::from_secs(60));
            assert!(said.contains("test.db") && said.contains(reason), "{closed:?} {words:?}: {said}");
        }
        assert_eq!(std::fs::read(folder.path("test.db")).unwrap(), bytes, "{closed:?}");
        assert_eq!(names(&folder), before, "{closed:?}");
        if closed == Closed::Database {
            let read = somebody.program(&["token", "list"]).output().unwrap();
            assert!(String::from_utf8(read.stdout).unwrap().contains("kept"), "what only reads still does");
        }
    }
}

#[test]
fn what_is_made_under_a_umask_of_nothing_is_its_owners_alone() {
    let folder = Folder::new();
    for words in [
        &["token", "create", "--name", "x", "--role", "admin"][..],
        &["db", "backup", "backup.db"],
        &["key", "new-secrets-key", "secrets.key"],
    ] {
        let mut command = Command::new("sh");
        command.current_dir(folder.path("")).args(["-c", "umask 000; exec \"$@\"", "sh"]);
        command.args([env!("CARGO_BIN_EXE_perennial"), "--db", "test.db"]).args(words);
        let made = command.output().unwrap();
        assert!(made.status.success(), "{words:?}: {}", String::from_utf8_lossy(&made.stderr));
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.path("")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        found.push(entry.file_name().into_string().unwrap());
    }
    for name in ["test.db", "test.db.lock", "test.db.generation", "backup.db", "secrets.key"] {
        assert!(found.iter().any(|found| found == name), "{name} is not among {found:?}");
    }
}
