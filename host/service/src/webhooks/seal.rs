//! Seals the secrets of webhooks that a host kept before it had a secrets key, and finds out whether all can be read.

use perennial_store::Store;
use perennial_store::error::StoreError;
use perennial_store::webhooks;

use crate::secrets::SecretBox;
use crate::secrets::SecretsError;
use crate::webhooks::secret::Secret;
use crate::webhooks::secret::is_sealed;

/// Why the secrets of webhooks cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One cannot be opened or sealed.
    #[error("the secret of the webhook {webhook}: {source}")]
    Secret {
        /// The id of the webhook.
        webhook: String,
        /// What was wrong with it.
        source: SecretsError,
    },
}

/// Seals every secret that is in clear text, if there is a box, and returns how many there were.
///
/// # Errors
///
/// [`SealError`] when the database fails, or a secret was sealed with a key that is not there; nothing has changed then.
pub fn seal_all(store: &mut Store, secret_box: Option<&SecretBox>) -> Result<usize, SealError> {
    store.write(|tx| {
        let mut count = 0;
        for mut webhook in webhooks::list(tx)? {
            let before = webhook.clone();
            let id = webhook.id.clone();
            let mut reseal = |kept: &mut Vec<u8>| {
                let secret = Secret::from_bytes(kept, secret_box, &id)?;
                if !is_sealed(kept) {
                    *kept = secret.to_bytes(secret_box, &id)?;
                    count += usize::from(is_sealed(kept));
                }
                Ok(())
            };
            let previous = webhook.previous.as_mut().map(|previous| &mut previous.secret);
            let resealed = std::iter::once(&mut webhook.secret).chain(previous).try_for_each(&mut reseal);
            resealed.map_err(|source| SealError::Secret { webhook: id.clone(), source })?;
            if webhook != before {
                webhooks::update(tx, &webhook)?;
            }
        }
        Ok(count)
    })
}
