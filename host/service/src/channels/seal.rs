//! Seals the credentials of channels that a host kept before it had a secrets key, and finds out whether all can be read.

use perennial_store::Store;
use perennial_store::channels;
use perennial_store::error::StoreError;

use crate::channels::credentials::Credentials;
use crate::channels::credentials::is_sealed;
use crate::secrets::SecretBox;
use crate::secrets::SecretsError;

/// Why the credentials of channels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One cannot be opened or sealed.
    #[error("the URL of the channel {channel}: {source}")]
    Credentials {
        /// The id of the channel.
        channel: String,
        /// What was wrong with its credentials.
        source: SecretsError,
    },
}

/// Seals all credentials that are in clear text, if there is a box, and returns how many there were.
///
/// # Errors
///
/// [`SealError`] when the database fails, or some were sealed with a key that is not there; nothing has changed then.
pub fn seal_all(store: &mut Store, secret_box: Option<&SecretBox>) -> Result<usize, SealError> {
    store.write(|tx| {
        let mut count = 0;
        for mut channel in channels::list(tx)? {
            let Some(kept) = &channel.target.credentials else { continue };
            let wrong = |source| SealError::Credentials { channel: channel.id.clone(), source };
            let credentials = Credentials::from_bytes(kept, secret_box, &channel.id).map_err(wrong)?;
            if is_sealed(kept) || secret_box.is_none() {
                continue;
            }
            let sealed = credentials.to_bytes(secret_box, &channel.id).map_err(wrong)?;
            channel.target.credentials = Some(sealed);
            channels::update(tx, &channel)?;
            count += 1;
        }
        Ok(count)
    })
}
