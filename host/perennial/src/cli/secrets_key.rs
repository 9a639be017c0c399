//! The key that secrets are kept with: from the environment, a file or the standard input.

use std::path::PathBuf;

use crate::cli::input;
use crate::cli::input::is_standard;
use perennial_service::secrets;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;

/// What seals secrets, as the environment and the arguments name it.
pub(super) fn load_secret_box(file: Option<&PathBuf>) -> Result<Option<SecretBox>, SecretsError> {
    let value = std::env::var(secrets::KEY_VARIABLE).ok();
    if let Some(path) = file.filter(|path| value.is_none() && is_standard(path)) {
        let text = input::standard_input();
        let text = text.map_err(|source| SecretsError::File { path: path.clone(), source })?;
        return SecretBox::load(Some(&text), None).map_err(|error| match error {
            SecretsError::NotAKey { .. } => SecretsError::NotAKey { origin: "the standard input".to_owned() },
            other @ (SecretsError::NoKey
            | SecretsError::File { .. }
            | SecretsError::WrongKey
            | SecretsError::NoRandomBits(_)) => other,
        });
    }
    SecretBox::load(value.as_deref(), file.map(PathBuf::as_path))
}
