//! A file on its way to its place: it gets its name once it is whole, so nobody takes half of one for all of it.
//!
//! On Linux it has no name before that, where its file system can do so, as all that are usual can: whatever ends the program, a
//! signal or a loss of power, nothing of it is left. Elsewhere it has a name of its own beside its place until then.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

/// What a file is called beside its place: this, then random digits, then the end.
const BEGINNING: &str = ".perennial-";
const END: &str = ".part";

/// A file that is still being written.
#[derive(Debug)]
pub(super) enum PartFile {
    /// It has no name yet.
    #[cfg(target_os = "linux")]
    Unnamed(File),
    /// It has a name of its own, which is removed with it.
    Named(NamedTempFile),
}

impl PartFile {
    /// A file for the place `path`, with these permissions as far as the system's mask lets them.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when none can be made in the folder of `path`.
    pub(super) fn beside(path: &Path, mode: u32) -> io::Result<PartFile> {
        let folder = folder_of(path);
        #[cfg(target_os = "linux")]
        if let Some(file) = unnamed::make(folder, mode) {
            return Ok(PartFile::Unnamed(file));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(BEGINNING).suffix(END);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
        builder.tempfile_in(folder).map(PartFile::Named).map_err(without_path)
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            PartFile::Unnamed(file) => file,
            PartFile::Named(file) => file.as_file(),
        }
    }

    /// Gives it its name, in place of what is there.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when it cannot have it; then what was there before is there still.
    pub(super) fn replace(self, path: &Path) -> io::Result<()> {
        self.file().sync_all()?;
        match self {
            #[cfg(target_os = "linux")]
            PartFile::Unnamed(file) => unnamed::replace(&file, path),
            PartFile::Named(file) => file.persist(path).map(drop).map_err(|error| error.error),
        }
    }

    /// Gives it its name, at which nothing may be.
    ///
    /// # Errors
    ///
    /// [`io::Error`] of the kind `AlreadyExists` when something is there, and others when it cannot have the name.
    pub(super) fn keep(self, path: &Path) -> io::Result<()> {
        self.file().sync_all()?;
        match self {
            #[cfg(target_os = "linux")]
            PartFile::Unnamed(file) => unnamed::link(&file, path),
            PartFile::Named(file) => file.persist_noclobber(path).map(drop).map_err(|error| error.error),
        }
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The same error without the name of the file beside, which nobody asked for.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    let said = text.split(" at path ").next().unwrap_or_default();
    io::Error::new(error.kind(), said)
}

/// Files without a name, which only Linux has.
#[cfg(target_os = "linux")]
mod unnamed {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;
    use std::path::PathBuf;

    use perennial_service::random_hex::random_hex;
    use rustix::fs::AtFlags;
    use rustix::fs::CWD;
    use rustix::fs::OFlags;

    use super::BEGINNING;
    use super::END;
    use super::folder_of;

    /// Where the system shows the open files of a process, by which one without a name can be given one.
    const OPEN_FILES: &str = "/proc/self/fd";

    /// A file without a name in `folder`; `None` where there can be none, whatever the reason is: making one with a name says it.
    pub(super) fn make(folder: &Path, mode: u32) -> Option<File> {
        if !Path::new(OPEN_FILES).exists() {
            return None;
        }
        let flags = i32::try_from(OFlags::TMPFILE.bits()).ok()?;
        File::options().read(true).write(true).mode(mode).custom_flags(flags).open(folder).ok()
    }

    /// Gives a file a name, at which nothing may be.
    pub(super) fn link(file: &File, path: &Path) -> io::Result<()> {
        let open = PathBuf::from(OPEN_FILES).join(file.as_raw_fd().to_string());
        Ok(rustix::fs::linkat(CWD, &open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    /// Gives a file the name of what is there, if anything is. A name cannot be taken over by linking, so it has another one for
    /// a moment, when it is whole.
    pub(super) fn replace(file: &File, path: &Path) -> io::Result<()> {
        match link(file, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => return linked,
        }
        let random = random_hex::<8>().map_err(io::Error::other)?;
        let beside = folder_of(path).join(format!("{BEGINNING}{random}{END}"));
        link(file, &beside)?;
        std::fs::rename(&beside, path).inspect_err(|_| {
            // The reason why it could not be renamed is the one to tell.
            drop(std::fs::remove_file(&beside));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole_and_leaves_nothing_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut part = PartFile::beside(&path, 0o600).unwrap();
        part.write_all(b"half").unwrap();
        #[cfg(target_os = "linux")]
        assert_eq!(names(folder.path()), [""; 0], "there is nothing that a kill could leave");
        drop(part);
        assert_eq!(names(folder.path()), [""; 0]);
        for text in ["one", "two"] {
            let mut part = PartFile::beside(&path, 0o600).unwrap();
            part.write_all(text.as_bytes()).unwrap();
            part.replace(&path).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let part = PartFile::beside(&path, 0o600).unwrap();
        assert_eq!(part.keep(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        let part = PartFile::beside(&path, 0o600).unwrap();
        part.keep(&folder.path().join("b")).unwrap();
        assert_eq!(names(folder.path()), ["a", "b"]);
    }
}
