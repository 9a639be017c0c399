//! Compiled code on disk: used when this host wrote it, written anew when anything about it is wrong, never missed.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;
use tempfile::TempDir;

/// Loads the bundled plugins with their compiled code in `folder`; they answer whatever is there.
fn load(folder: &Path) {
    let options = Options {
        files: Vec::new(),
        cache_dir: Some(folder.to_owned()),
        limits: Limits::DEFAULT,
        trust: Trust::default(),
        grants: Grants::new(package_manifest::limits),
    };
    let plugins = Plugins::load(&options).unwrap();
    for plugin in plugins.iter() {
        assert_eq!(plugin.check_settings(&Default::default()), Ok(Vec::new()));
    }
}

/// A folder with the compiled code of what is bundled (two plugins and the interpreter of tables), and the files.
fn filled() -> (TempDir, [PathBuf; 3]) {
    let folder = TempDir::new().unwrap();
    load(folder.path());
    let files = compiled(folder.path());
    (folder, files.try_into().unwrap())
}

fn compiled(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files =
        entries.filter(|path| path.extension().is_some_and(|end| end == "cwasm")).collect::<Vec<_>>();
    files.sort();
    files
}

/// Which file it is: one that is written anew is another one, also under the same name and with the same content.
#[cfg(unix)]
fn identity(path: &Path) -> impl PartialEq + std::fmt::Debug {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).unwrap();
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

#[test]
#[cfg(unix)]
fn code_that_was_compiled_before_is_not_compiled_again() {
    let (folder, files) = filled();
    let before = files.each_ref().map(|file| identity(file));
    load(folder.path());
    assert_eq!(files.each_ref().map(|file| identity(file)), before);
    assert_eq!(compiled(folder.path()), files);
}

#[test]
#[cfg(unix)]
fn only_its_owner_can_read_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _) = filled();
    let mode = fs::metadata(folder.path().join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// What `spoil` makes of the first of the files is not used: all files are whole and ours afterwards.
#[track_caller]
#[cfg(unix)]
fn is_written_anew(spoil: impl Fn(&mut Vec<u8>, &[u8])) {
    let (folder, [first, second, _]) = filled();
    let (good, other) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());
    let mut bytes = good.clone();
    spoil(&mut bytes, &other);
    assert_ne!(bytes, good);
    fs::write(&first, &bytes).unwrap();
    let (spoilt, untouched) = (identity(&first), identity(&second));
    load(folder.path());
    assert_ne!(identity(&first), spoilt, "the spoilt file was taken as it was");
    assert_eq!(identity(&second), untouched, "the good file was not used");
    let rewritten = identity(&first);
    load(folder.path());
    assert_eq!(identity(&first), rewritten, "what was written in its place is not good either");
}

#[test]
fn a_damaged_file_is_written_anew() {
    for place in [0, 31, 32, 100, 5_000] {
        is_written_anew(|bytes, _| bytes[place] ^= 1);
    }
    is_written_anew(|bytes, _| *bytes.last_mut().unwrap() ^= 0x80);
}

#[test]
fn a_file_that_was_cut_short_is_written_anew() {
    for length in [0, 1, 31, 32, 33, 10_000] {
        is_written_anew(|bytes, _| bytes.truncate(length));
    }
    is_written_anew(|bytes, _| bytes.push(0));
}

#[test]
fn the_code_of_another_plugin_is_written_anew() {
    is_written_anew(|bytes, other| *bytes = other.to_vec());
}

#[test]
fn a_file_without_a_signature_is_written_anew() {
    is_written_anew(|bytes, _| drop(bytes.drain(..32)));
    is_written_anew(|bytes, _| bytes[..32].fill(0));
}

/// After `change` to the folder, nothing that is in it counts.
#[track_caller]
#[cfg(unix)]
fn makes_all_foreign(change: impl Fn(&Path)) {
    let (folder, files) = filled();
    let before = files.each_ref().map(|file| identity(file));
    change(&folder.path().join("key"));
    load(folder.path());
    let after = files.each_ref().map(|file| identity(file));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    load(folder.path());
    assert_eq!(files.each_ref().map(|file| identity(file)), after);
}

#[test]
fn files_of_another_host_are_written_anew() {
    makes_all_foreign(|key| {
        let mut bytes = fs::read(key).unwrap();
        bytes[0] ^= 1;
        fs::write(key, bytes).unwrap();
    });
    makes_all_foreign(|key| fs::remove_file(key).unwrap());
    makes_all_foreign(|key| fs::write(key, b"short").unwrap());
}

#[test]
#[cfg(unix)]
fn a_key_that_others_could_read_counts_no_more() {
    use std::os::unix::fs::PermissionsExt;
    makes_all_foreign(|key| fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap());
}

#[test]
#[cfg(unix)]
fn a_key_behind_a_link_counts_for_nothing() {
    makes_all_foreign(|key| {
        let elsewhere = key.with_file_name("elsewhere");
        fs::rename(key, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, key).unwrap();
    });
}

#[test]
#[cfg(unix)]
fn a_folder_that_others_could_open_is_closed_and_gets_a_new_key() {
    use std::os::unix::fs::PermissionsExt;
    for open in [0o777, 0o770, 0o755] {
        makes_all_foreign(|key| {
            let folder = key.parent().unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(open)).unwrap();
        });
    }
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("made/by/the/host");
    load(&inner);
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o777)).unwrap();
    load(&inner);
    assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
#[cfg(unix)]
fn a_new_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("made/by/the/host");
    load(&inner);
    assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_that_cannot_be_written_is_done_without() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    load(&file.join("cache"));
    load(&file);
}
