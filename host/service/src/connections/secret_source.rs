//! Where the secret of an access key comes from: sealed in the database, or named. Never logs or shows one.

use std::process::Command;
use std::process::Stdio;

use perennial_store::connections::SecretLocation;

use crate::connections::Connections;
use crate::secrets::SecretBox;
use crate::secrets::SecretsError;

/// The longest secret, in bytes.
const SECRET_MAX: usize = 4_096;

/// A secret, which is not shown.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    /// Never the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret without the line break at its end; `None` for one that is empty or too long.
    pub fn new(text: &[u8]) -> Option<Secret> {
        let secret = text.trim_ascii();
        (!secret.is_empty() && secret.len() <= SECRET_MAX).then(|| Secret(secret.to_vec()))
    }

    /// The bytes that sign.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Why a secret cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum SecretSourceError {
    /// The host has no secrets key, and the secret is sealed.
    #[error(
        "the secret is kept sealed, and there is no key to keep secrets with; make one with `perennial key new-secrets-key \
         FILE`, and name it in PERENNIAL_SECRETS_KEY_FILE or as `key_file` in [secrets] of the configuration, or say where \
         the host finds the secret whenever it needs it (`secret_from`)"
    )]
    NoKey,
    /// It cannot be unsealed.
    #[error(transparent)]
    Sealed(#[from] SecretsError),
    /// An environment variable is not set.
    #[error("the environment variable `{0}`, which has the secret, is not set for this host")]
    NoVariable(String),
    /// A file cannot be read.
    #[error("cannot read `{path}`, which has the secret: {source}")]
    File {
        /// The path of the file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A command cannot be run, or failed.
    #[error("the command `{command}`, which writes the secret, failed: {problem}")]
    Command {
        /// The command as it was given.
        command: String,
        /// What the system says, or the exit status.
        problem: String,
    },
    /// Commands are not allowed.
    #[error(
        "a command is not run for a secret; set `connections.allow_commands = true` in the host's configuration to allow it"
    )]
    NoCommands,
    /// It is empty or too long.
    #[error("the secret has no bytes, or more than {SECRET_MAX}")]
    Unusable,
}

/// The purpose that the secret of an account is sealed for.
fn purpose(account: &str) -> String {
    format!("connection {account}")
}

/// Seals a secret for an account.
///
/// # Errors
///
/// [`SecretsError`] when the system has no random bits.
pub fn seal(secret_box: &SecretBox, account: &str, secret: &Secret) -> Result<SecretLocation, SecretsError> {
    Ok(SecretLocation::Sealed(secret_box.seal(secret.bytes(), &purpose(account))?))
}

/// Finds the secret of an account. May run a command, so it is for a thread that may wait.
///
/// # Errors
///
/// [`SecretSourceError`] when it cannot be found.
pub fn find(
    location: &SecretLocation,
    account: &str,
    secret_box: Option<&SecretBox>,
    settings: &Connections,
) -> Result<Secret, SecretSourceError> {
    let text = match location {
        SecretLocation::Sealed(sealed) => {
            secret_box.ok_or(SecretSourceError::NoKey)?.open(sealed, &purpose(account))?
        }
        SecretLocation::Environment(name) => {
            let value = std::env::var(name).map_err(|_| SecretSourceError::NoVariable(name.clone()))?;
            value.into_bytes()
        }
        SecretLocation::File(path) => {
            std::fs::read(path).map_err(|source| SecretSourceError::File { path: path.clone(), source })?
        }
        SecretLocation::Command(_) if !settings.allow_commands => return Err(SecretSourceError::NoCommands),
        SecretLocation::Command(command) => output_of(command)
            .map_err(|problem| SecretSourceError::Command { command: command.clone(), problem })?,
    };
    Secret::new(&text).ok_or(SecretSourceError::Unusable)
}

/// What a command writes. It is split at spaces and run without a shell; what it says of errors is not repeated.
fn output_of(command: &str) -> Result<Vec<u8>, String> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("it names no program")?;
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output.stdout) } else { Err(output.status.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Connections = Connections { allow_commands: true, ..Connections::DEFAULT };

    #[test]
    fn a_secret_is_found_wherever_it_is_and_never_shown() {
        let (secret_box, folder) = (SecretBox::new(&[7; 32]), tempfile::tempdir().unwrap());
        let path = folder.path().join("secret");
        std::fs::write(&path, "hush\n").unwrap();
        let path = path.to_str().unwrap().to_owned();
        let sealed = seal(&secret_box, "acme", &Secret::new(b"hush").unwrap()).unwrap();
        for location in [
            sealed.clone(),
            SecretLocation::File(path.clone()),
            SecretLocation::Command(format!("cat {path}")),
        ] {
            let secret = find(&location, "acme", Some(&secret_box), &OPEN).unwrap();
            assert_eq!(secret.bytes(), b"hush");
            assert_eq!(format!("{secret:?}"), "Secret");
        }
        assert!(matches!(
            find(&sealed, "globex", Some(&secret_box), &OPEN),
            Err(SecretSourceError::Sealed(_))
        ));
        assert!(matches!(find(&sealed, "acme", None, &OPEN), Err(SecretSourceError::NoKey)));
    }

    #[test]
    fn a_secret_that_is_not_there_says_where_it_was_sought() {
        let problem = |location, settings: &Connections| {
            find(&location, "acme", None, settings).unwrap_err().to_string()
        };
        let variable = SecretLocation::Environment("PERENNIAL_NO_SUCH_SECRET".to_owned());
        assert!(problem(variable, &OPEN).contains("`PERENNIAL_NO_SUCH_SECRET`"));
        assert!(problem(SecretLocation::File("/no/such".to_owned()), &OPEN).contains("`/no/such`"));
        let failing = SecretLocation::Command("false".to_owned());
        assert!(problem(failing.clone(), &OPEN).contains("exit status"));
        assert!(problem(failing, &Connections::DEFAULT).contains("allow_commands"));
        assert!(problem(SecretLocation::Command("true".to_owned()), &OPEN).contains("no bytes"));
    }
}
