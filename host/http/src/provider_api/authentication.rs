//! Proving who sent a request: with a secret that plugins never see, and in a time that says nothing of it.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_domain::provider_api::Authentication;
use perennial_domain::provider_api::Credentials;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::KeyEncoding;
use perennial_domain::provider_api::Signature;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::provider_api::internal;

use perennial_service::secrets::SecretBox;
use perennial_store::provider_keys;
use perennial_store::provider_keys::StoredKey;

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The account's id.
    pub account: String,
    /// The key, or the one that the token was issued for.
    pub access_key: String,
    /// What tells the proof from every other, and until when it must be remembered; `None` for a token, which is made to
    /// be sent again.
    pub proof: Option<([u8; 32], Timestamp)>,
}

/// Verifies the credentials of a request, for accounts of `provider`.
///
/// # Errors
///
/// Why it is not proved, as a [`Failure`].
pub fn verify(
    db: &ReadTx,
    secret_box: &SecretBox,
    provider: &str,
    authentication: &Authentication,
    at: Timestamp,
) -> Result<Sender, Failure> {
    match &authentication.credentials {
        Credentials::Signature { access_key, signature } => {
            let digest = digest(&[access_key.as_bytes(), &signature.message, &signature.value]);
            let is_right = |secret: &[u8]| verify_signature(secret, signature);
            with_key(db, secret_box, provider, access_key, at, (digest, authentication.valid_until), is_right)
        }
        Credentials::Password { access_key, password } => {
            let digest = digest(&[access_key.as_bytes(), password.as_bytes()]);
            let is_right = |known: &[u8]| known.ct_eq(password.as_bytes()).into();
            with_key(db, secret_box, provider, access_key, at, (digest, authentication.valid_until), is_right)
        }
        Credentials::BearerToken(token) => {
            let found = provider_keys::find_by_token(db, &token_hash(token), at).map_err(internal)?;
            let key = found.filter(|key| key.provider == provider && key.is_in_force(at));
            let key = key.ok_or(Failure::InvalidToken)?;
            Ok(Sender { account: key.account, access_key: key.access_key, proof: None })
        }
    }
}

/// Whom a key belongs to, if `is_right` holds of its secret. For a key that there is not as much is done as for one that
/// there is.
fn with_key(
    db: &ReadTx,
    secret_box: &SecretBox,
    provider: &str,
    access_key: &str,
    at: Timestamp,
    proof: ([u8; 32], Timestamp),
    is_right: impl FnOnce(&[u8]) -> bool,
) -> Result<Sender, Failure> {
    let is_meant = |key: &StoredKey| key.provider == provider && key.is_in_force(at);
    let found = provider_keys::get(db, access_key).map_err(internal)?.filter(is_meant);
    let secret = match &found {
        Some(key) => secret_box.open(&key.sealed, access_key).map_err(internal)?,
        None => vec![0; 64],
    };
    let is_right = is_right(&secret);
    match found {
        None => Err(Failure::UnknownAccessKey),
        Some(_) if !is_right => Err(Failure::WrongCredentials),
        Some(key) => Ok(Sender { account: key.account, access_key: key.access_key, proof: Some(proof) }),
    }
}

/// Whether a signature is what comes of signing with `secret`. Its keys were checked: each is made before it is used.
pub fn verify_signature(secret: &[u8], signature: &Signature) -> bool {
    let mut keys = vec![secret.to_vec()];
    for derivation in &signature.derivations {
        let key = [derivation.prefix.as_slice(), &keys[derivation.key]].concat();
        let made = hmac(&key, &derivation.message);
        keys.push(match derivation.encoding {
            KeyEncoding::Bytes => made.to_vec(),
            KeyEncoding::Hexadecimal => hex::encode(&made).into_bytes(),
        });
    }
    hmac(&keys[signature.key], &signature.message).ct_eq(&signature.value).into()
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What a token is kept as.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Different for different lists of parts.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
