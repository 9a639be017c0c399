//! Provider keys: the access keys and secrets with which tools sign requests to a provider's own API.

use std::collections::BTreeMap;
use std::sync::Mutex;

use perennial_domain::timestamp::Timestamp;

use crate::secrets::SecretBox;
use crate::secrets::SecretsError;
use perennial_store::provider_keys::StoredKey;

/// How long a rotated key stays valid by default, in seconds: a day.
pub const OVERLAP_SECONDS: u32 = 86_400;
/// The longest that a rotated key can stay valid, in seconds: thirty days.
pub const OVERLAP_SECONDS_MAX: u32 = 30 * 86_400;

/// The properties of a new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKey {
    /// The account's ID.
    pub account: String,
    /// The account's provider.
    pub provider: String,
    /// The purpose, for people.
    pub name: String,
    /// The instant at which the key expires; `None` is never.
    pub expires_at: Option<Timestamp>,
}

/// A new key. Its secret is shown once; the database has it sealed.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// The key as the database has it.
    pub stored: StoredKey,
    /// The secret, which cannot be shown again.
    pub secret: String,
}

/// Creates a key from random bits of the system.
///
/// # Errors
///
/// [`SecretsError::NoRandomBits`] when the system has none.
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

/// The key that replaced `old` when that was rotated, out of all keys in the order in which they were created: the next
/// of its account and its name that was created at most so long before the end of `old` as one can be honoured beside
/// its successor. `None` when `old` was not rotated.
pub fn successor<'k>(keys: &'k [StoredKey], old: &StoredKey) -> Option<&'k StoredKey> {
    let end = old.expires_at?;
    let later = keys.iter().skip_while(|key| key.access_key != old.access_key).skip(1);
    let mut replacing = later.filter(|key| key.account == old.account && key.name == old.name);
    replacing.find(|key| (0..=i64::from(OVERLAP_SECONDS_MAX)).contains(&(end - key.created_at)))
}

/// The last use of each key, until maintenance stores it.
#[derive(Debug, Default)]
pub struct KeyUsage(Mutex<BTreeMap<String, Timestamp>>);

impl KeyUsage {
    /// Records that a key was used.
    pub fn record(&self, access_key: &str, at: Timestamp) {
        self.0.lock().expect("no holder of the keys panics").insert(access_key.to_owned(), at);
    }

    /// The last use of a key, if it is not stored yet.
    pub fn last_used_at(&self, access_key: &str) -> Option<Timestamp> {
        self.0.lock().expect("no holder of the keys panics").get(access_key).copied()
    }

    /// Takes the uses since the previous call.
    pub fn take(&self) -> BTreeMap<String, Timestamp> {
        std::mem::take(&mut *self.0.lock().expect("no holder of the keys panics"))
    }
}
