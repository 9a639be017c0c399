//! Verifies the credentials of requests, with secrets that plugins never see and in constant time.

use perennial_domain::provider_api::Authentication;
use perennial_domain::provider_api::Credentials;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::Request;
use perennial_domain::provider_api::Signature;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::provider_api::internal_failure::internal;

use perennial_service::secrets::SecretBox;
use perennial_service::signatures;
use perennial_store::provider_keys;
use perennial_store::provider_keys::StoredKey;

/// The verified sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The account's ID.
    pub account: String,
    /// The access key; for a bearer token, the key that it was issued for.
    pub access_key: String,
    /// The digest of the credentials for replay protection, and the instant until which it must be kept; `None` for a
    /// bearer token, which may be sent again.
    pub proof: Option<([u8; 32], Timestamp)>,
}

/// Verifies the credentials of a request, for accounts of `provider`.
///
/// # Errors
///
/// [`Failure`] with the reason why the credentials are refused.
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
            verify_with_key(
                db,
                secret_box,
                provider,
                access_key,
                at,
                (digest, authentication.valid_until),
                is_right,
            )
        }
        Credentials::Password { access_key, password } => {
            let digest = digest(&[access_key.as_bytes(), password.as_bytes()]);
            let is_right = |known: &[u8]| known.ct_eq(password.as_bytes()).into();
            verify_with_key(
                db,
                secret_box,
                provider,
                access_key,
                at,
                (digest, authentication.valid_until),
                is_right,
            )
        }
        Credentials::BearerToken(token) => {
            let key = provider_keys::find_by_token(db, &token_hash(token), at).map_err(internal)?;
            let key = key.filter(|key| key.provider == provider && key.is_in_force(at));
            let key = key.ok_or(Failure::InvalidToken)?;
            Ok(Sender { account: key.account, access_key: key.access_key, proof: None })
        }
    }
}

/// The sender for a key whose secret passes `is_right`. Unknown keys take as much work as known ones.
fn verify_with_key(
    db: &ReadTx,
    secret_box: &SecretBox,
    provider: &str,
    access_key: &str,
    at: Timestamp,
    proof: ([u8; 32], Timestamp),
    is_right: impl FnOnce(&[u8]) -> bool,
) -> Result<Sender, Failure> {
    let is_usable = |key: &StoredKey| key.provider == provider && key.is_in_force(at);
    let key = provider_keys::get(db, access_key).map_err(internal)?.filter(is_usable);
    let secret = match &key {
        Some(key) => secret_box.open(&key.sealed, access_key).map_err(internal)?,
        None => vec![0; 64],
    };
    let is_right = is_right(&secret);
    match key {
        None => Err(Failure::UnknownAccessKey),
        Some(_) if !is_right => Err(Failure::WrongCredentials),
        Some(key) => Ok(Sender { account: key.account, access_key: key.access_key, proof: Some(proof) }),
    }
}

/// Verifies a signature. The sandbox has checked that each derived key precedes its use.
pub(crate) fn verify_signature(secret: &[u8], signature: &Signature) -> bool {
    let Signature { derivations, key, message, value } = signature;
    signatures::signature(secret, derivations, *key, message).ct_eq(value).into()
}

/// The hash of a token in the database.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The digest of a list of parts; lengths are included, so that different lists differ.
/// The digest of what a request is, by which it is known again.
pub(super) fn request_digest(request: &Request) -> [u8; 32] {
    digest(&[request.method.as_bytes(), request.path.as_bytes(), request.query.as_bytes(), &request.body])
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
