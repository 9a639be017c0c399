//! Where commands write: the standard output or a file, and what is said when that is full or closed.
//!
//! A file gets its name when it is whole, so that nobody takes half of one for all of it.

mod part_file;

use std::fmt;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output::part_file::PartFile;

/// The exit code when nobody reads the output any more: what a shell shows of a program that `SIGPIPE` ended.
pub(super) const CLOSED: u8 = 141;

/// An output that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {output}: {source}")]
struct OutputError {
    output: String,
    source: io::Error,
}

/// Where a command writes. What was written is there only after [`Output::finish`].
pub(super) struct Output {
    name: String,
    target: Target,
}

enum Target {
    Standard(BufWriter<io::StdoutLock<'static>>),
    /// A device, a pipe or another file that cannot be replaced.
    Direct(BufWriter<File>),
    /// A file that gets its name once it is whole.
    Beside(BufWriter<PartFile>, PathBuf),
}

impl Output {
    /// The standard output.
    pub(super) fn standard() -> Output {
        Output {
            name: "the standard output".to_owned(),
            target: Target::Standard(BufWriter::new(io::stdout().lock())),
        }
    }

    /// The file at `path`; the standard output without one, and for `-`.
    ///
    /// # Errors
    ///
    /// [`UserError`] when it cannot be written there. What is there stays as it is until [`Output::finish`].
    pub(super) fn open(path: Option<&Path>) -> Result<Output, UserError> {
        let Some(path) = path.filter(|path| !input::is_standard(path)) else { return Ok(Output::standard()) };
        let name = format!("`{}`", path.display());
        match target(path) {
            Ok(target) => Ok(Output { name, target }),
            Err(error) => {
                let message = format!("cannot write {name}: {error}; is its folder there and writable?");
                Err(UserError::Argument(message))
            }
        }
    }

    /// The file at `path`, as with [`Output::open`], which must be none of the files that the command reads.
    ///
    /// # Errors
    ///
    /// [`UserError`] when it is one of `inputs`, under whatever name, or cannot be written.
    pub(super) fn open_beside<'a>(
        path: Option<&Path>,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Output, UserError> {
        let file = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
        let existing = path.filter(|path| !input::is_standard(path)).and_then(file);
        let read = existing.and_then(|existing| {
            inputs
                .into_iter()
                .find(|read| !input::is_standard(read) && file(read).as_ref() == Some(&existing))
        });
        match read {
            Some(read) => Err(UserError::Argument(format!(
                "`--out` would write over `{}`, which this command reads or saves; name another file",
                read.display()
            ))),
            None => Output::open(path),
        }
    }

    /// Writes what is left and, if it is a file, gives it its name.
    ///
    /// # Errors
    ///
    /// When it is full or closed; then the file that was there before is there still.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        let Output { name, target } = self;
        let Target::Beside(file, path) = target else { return Ok(()) };
        let failed = |source| failure(&name, source);
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.replace(&path).map_err(failed)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.target {
            Target::Standard(out) => out.write(bytes),
            Target::Direct(out) => out.write(bytes),
            Target::Beside(out, _) => out.write(bytes),
        };
        written.map_err(|source| failure(&self.name, source))
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.target {
            Target::Standard(out) => out.flush(),
            Target::Direct(out) => out.flush(),
            Target::Beside(out, _) => out.flush(),
        };
        flushed.map_err(|source| failure(&self.name, source))
    }
}

/// Writes a whole file, or nothing: beside its place, and then renamed. `-` is the standard output.
///
/// # Errors
///
/// When it cannot be written; then the file that was there before is there still.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = Output::open(Some(path))?;
    out.write_all(bytes)?;
    Ok(out.finish()?)
}

/// Writes a file that is not there yet, whole or not at all; only its owner may read one that `is_secret`.
///
/// # Errors
///
/// When it cannot be written, or is there.
pub(super) fn write_new(path: &Path, bytes: &[u8], is_secret: bool) -> anyhow::Result<()> {
    let written = PartFile::beside(path, if is_secret { 0o600 } else { 0o666 }).and_then(|mut file| {
        file.write_all(bytes)?;
        file.keep(path)
    });
    written.map_err(|error| cannot_write(path, &error))
}

/// The error of a file that cannot be written: the user's, unless the disk is full or fails.
pub(super) fn cannot_write(path: &Path, error: &io::Error) -> anyhow::Error {
    let kind = error.kind();
    let is_unreachable = matches!(
        kind,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
    );
    let advice = if kind == io::ErrorKind::AlreadyExists {
        "name a file that is not there yet"
    } else if is_unreachable {
        "is its folder there and writable?"
    } else {
        return anyhow::anyhow!("cannot write `{}`: {error}; nothing of it is left", path.display());
    };
    UserError::Argument(format!("cannot write `{}`: {error}; {advice}", path.display())).into()
}

fn failure(output: &str, source: io::Error) -> io::Error {
    io::Error::new(source.kind(), OutputError { output: output.to_owned(), source })
}

fn target(path: &Path) -> io::Result<Target> {
    let there = match std::fs::metadata(path) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Ok(Target::Direct(BufWriter::new(File::options().write(true).open(path)?)));
    }
    // A link stays one: what it leads to is replaced.
    let path = if there.is_some() { path.canonicalize()? } else { path.to_owned() };
    let file = PartFile::beside(&path, 0o666)?;
    if let Some(there) = there {
        if there.permissions().readonly() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is there, and read-only"));
        }
        file.file().set_permissions(there.permissions())?;
    }
    Ok(Target::Beside(BufWriter::new(file), path))
}

/// Whether the standard output is the null device, which the system also puts in the place of a closed one.
#[cfg(unix)]
fn is_null_device() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    let device = |metadata: io::Result<std::fs::Metadata>| metadata.map(|metadata| metadata.rdev()).ok();
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let stdout = device(stdout.and_then(|stdout| stdout.metadata()));
    stdout.is_some() && stdout == device(std::fs::metadata("/dev/null"))
}

#[cfg(not(unix))]
fn is_null_device() -> bool {
    false
}

/// Writes a line to the standard output.
///
/// # Errors
///
/// When it is full or closed.
pub(super) fn line(line: impl fmt::Display) -> io::Result<()> {
    let mut out = Output::standard();
    writeln!(out, "{line}")?;
    out.finish()
}

/// Says what was done. If that cannot be shown, the error says it: it is done nevertheless.
///
/// # Errors
///
/// When the standard output is full or closed.
pub(super) fn done(what: impl fmt::Display) -> anyhow::Result<()> {
    let what = what.to_string();
    line(&what).map_err(|error| unreported(error.into(), &what))
}

/// The error of an output that should have told what was done.
pub(super) fn unreported(error: anyhow::Error, what: &str) -> anyhow::Error {
    error.context(format!("this was done, and could not be shown: {what}"))
}

/// Shows a secret that is shown once. It has to be called in the transaction that keeps what belongs to the secret, so
/// that nothing is kept that nobody can use.
///
/// # Errors
///
/// [`NotShown`] when the standard output is full, closed, or leads nowhere.
pub(super) fn secret(text: &str) -> Result<(), NotShown> {
    can_show_secrets()?;
    let mut out = Output::standard();
    writeln!(out, "{text}").and_then(|()| out.finish()).map_err(NotShown)
}

/// Whether the standard output leads anywhere.
///
/// # Errors
///
/// [`NotShown`] when it is closed, or leads nowhere.
pub(super) fn can_show_secrets() -> Result<(), NotShown> {
    if !is_null_device() {
        return Ok(());
    }
    let source = io::Error::other("it is closed, or it is the null device");
    Err(NotShown(failure("the standard output", source)))
}

/// A secret could not be shown.
#[derive(Debug, thiserror::Error)]
#[error("the secret could not be shown, so nothing was kept: {0}")]
pub(super) struct NotShown(#[source] io::Error);

/// Whether an error is nothing but that an output cannot be written.
pub(super) fn is_unwritable(error: &anyhow::Error) -> bool {
    let first = error.chain().next().and_then(|first| first.downcast_ref::<io::Error>());
    first.and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<OutputError>())
}

/// Whether an error is only that nobody reads the output any more.
pub(super) fn is_closed(error: &anyhow::Error) -> bool {
    let is_closed = |error: &io::Error| {
        let failed = error.get_ref().is_some_and(|inner| inner.is::<OutputError>());
        failed && error.kind() == io::ErrorKind::BrokenPipe
    };
    !error.is::<NotShown>() && error.chain().any(|cause| cause.downcast_ref().is_some_and(is_closed))
}
