//! Why the file of a plugin is refused, in the words and with the exit codes that every command has for it: 2 where there is no
//! such file or it is no plugin that can be used, 1 where it is another one than was asked for, or nobody who is trusted signed it.
//!
//! An error that is no [`UserError`] ends with 1. Loads nothing.

use std::io;
use std::path::Path;

use perennial_sandbox::LoadError;

use crate::cli::UserError;
use crate::cli::input::shown;
use crate::client::ClientError;

/// What to do where something else was named.
const NAME_ONE: &str = "name a component, as `perennial plugin build` writes it, or a table";
/// The stages of an installation at which a plugin is another one than it was to be, or of somebody else.
const FOUND_WRONG: [&str; 2] = ["digest", "signature"];

/// The file cannot be read, which `verb` takes, such as `sign`.
pub(super) fn unreadable(verb: &str, path: &Path, why: &io::Error) -> UserError {
    let kind = why.kind();
    let next = if kind == io::ErrorKind::NotFound {
        format!("; {NAME_ONE}")
    } else if [io::ErrorKind::PermissionDenied, io::ErrorKind::IsADirectory].contains(&kind) {
        format!("; {NAME_ONE}, that you may read")
    } else {
        String::new()
    };
    UserError::Argument(format!("cannot {verb} {}: {why}{next}", shown(path)))
}

/// The file is no plugin, for this reason.
pub(super) fn no_plugin(verb: &str, path: &Path, why: &str) -> UserError {
    UserError::Argument(format!("cannot {verb} {}: {why}; {NAME_ONE}", shown(path)))
}

/// The file has another digest than the one that was asked for; both in hexadecimal.
pub(super) fn other_digest(verb: &str, path: &Path, found: &str, expected: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "cannot {verb} {}: it has the digest {found}, and {expected} was asked for; put that revision there, or name the other \
         digest if the new one is meant",
        shown(path)
    )
}

/// Nobody who is trusted signed the file.
pub(super) fn not_signed(verb: &str, path: &Path, why: &LoadError) -> anyhow::Error {
    anyhow::anyhow!("cannot {verb} {}: {why}", shown(path))
}

/// A plugin that `verb` takes cannot be loaded.
pub(super) fn not_loaded(verb: &str, path: &Path, why: &LoadError) -> anyhow::Error {
    if let LoadError::Unreadable { path, source } = why {
        return unreadable(verb, path, source).into();
    }
    if let LoadError::OtherDigest { expected, found, .. } = why {
        return other_digest(verb, path, found, expected);
    }
    if matches!(why, LoadError::NotWebAssembly { .. }) {
        return no_plugin(verb, path, "it is no WebAssembly").into();
    }
    if matches!(why, LoadError::CoreModule { .. }) {
        return no_plugin(verb, path, "it is a core WebAssembly module, and a plugin is a component").into();
    }
    let told = format!("cannot {verb} {}: {why}", shown(path));
    if is_wrong_file(why) { UserError::Argument(told).into() } else { anyhow::anyhow!(told) }
}

/// Whether the file is no plugin that can be used. It is otherwise another one than was asked for, of somebody who is not trusted,
/// or this machine can run none.
pub(super) fn is_wrong_file(error: &LoadError) -> bool {
    match error {
        LoadError::NoSandbox { .. }
        | LoadError::Unloadable { .. }
        | LoadError::OtherDigest { .. }
        | LoadError::Unsigned { .. }
        | LoadError::WronglySigned { .. } => false,
        LoadError::Unreadable { .. }
        | LoadError::TableTooLarge { .. }
        | LoadError::TooLarge { .. }
        | LoadError::TooMuchCode { .. }
        | LoadError::NotWebAssembly { .. }
        | LoadError::CoreModule { .. }
        | LoadError::Invalid { .. }
        | LoadError::WantsPowers { .. }
        | LoadError::WrongPackage { .. }
        | LoadError::NotGranted { .. }
        | LoadError::TooMuchGranted { .. }
        | LoadError::OtherContract { .. }
        | LoadError::WrongContract { .. }
        | LoadError::WrongTable { .. }
        | LoadError::Silent { .. }
        | LoadError::WrongManifest { .. }
        | LoadError::Twice { .. } => true,
    }
}

/// What a host or a database says of a plugin that it does not install: that of a plugin which is another one than was asked for,
/// or of somebody who is not trusted, is no wrong input.
pub(super) fn not_installed(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(ClientError::Problem(problem))
            if FOUND_WRONG.into_iter().any(|stage| problem.is_of_stage(stage)) =>
        {
            anyhow::anyhow!("{error}")
        }
        Some(
            ClientError::Problem(_)
            | ClientError::NotPerennial { .. }
            | ClientError::NoAnswer { .. }
            | ClientError::BrokenOff { .. }
            | ClientError::Unnamed { .. }
            | ClientError::NothingToFollow,
        )
        | None => error,
    }
}
