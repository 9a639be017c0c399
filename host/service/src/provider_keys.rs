//! Provider keys: the access keys and secrets that a managed account's own tools sign with.

use std::collections::BTreeMap;
use std::sync::Mutex;

use perennial_domain::timestamp::Timestamp;

use crate::secrets::SecretBox;
use crate::secrets::SecretsError;
use perennial_store::provider_keys::StoredKey;

/// How long a rotated key is still honoured unless somebody says otherwise, in seconds: a day.
pub const OVERLAP_SECONDS: u32 = 86_400;
/// The longest that a rotated key is still honoured, in seconds: thirty days.
pub const OVERLAP_SECONDS_MAX: u32 = 30 * 86_400;

/// What a key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKey {
    /// The account that it is for.
    pub account: String,
    /// Its account's provider.
    pub provider: String,
    /// What it is for, in words.
    pub name: String,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made. Its secret is shown once; what is kept is sealed.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// What is kept.
    pub stored: StoredKey,
    /// What is shown.
    pub secret: String,
}

/// Makes a key, from bits of the system's own generator.
///
/// # Errors
///
/// [`SecretsError`] when the system has no random bits.
pub fn issue(
    secret_box: &SecretBox,
    spec: CreateKey,
    created_by: &str,
    at: Timestamp,
) -> Result<IssuedKey, SecretsError> {
    let access_key = crate::random_hex::random_hex::<9>().map_err(SecretsError::NoRandomBits)?;
    let access_key = format!("PN{}", access_key.to_uppercase());
    let secret = crate::random_hex::random_hex::<32>().map_err(SecretsError::NoRandomBits)?;
    let stored = StoredKey {
        sealed: secret_box.seal(secret.as_bytes(), &access_key)?,
        access_key,
        account: spec.account,
        provider: spec.provider,
        name: spec.name,
        created_at: at,
        created_by: created_by.to_owned(),
        expires_at: spec.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    Ok(IssuedKey { stored, secret })
}

/// When each key was last used, until that is written down.
#[derive(Debug, Default)]
pub struct KeyUsage(Mutex<BTreeMap<String, Timestamp>>);

impl KeyUsage {
    /// Notes that a key was used.
    pub fn record(&self, access_key: &str, at: Timestamp) {
        self.0.lock().expect("no holder of the keys panics").insert(access_key.to_owned(), at);
    }

    /// When a key was last used, if that is not written down yet.
    pub fn last_used_at(&self, access_key: &str) -> Option<Timestamp> {
        self.0.lock().expect("no holder of the keys panics").get(access_key).copied()
    }

    /// What was noted since this was last asked.
    pub fn take(&self) -> BTreeMap<String, Timestamp> {
        std::mem::take(&mut *self.0.lock().expect("no holder of the keys panics"))
    }
}
