//! Signatures by a recipe of derivations: the HMACs that a plugin describes and never computes.
//!
//! Serves both sides: requests to a provider's own API are verified with it, requests to a provider are signed with it.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_domain::provider_api::Derivation;
use perennial_domain::provider_api::KeyEncoding;
use sha2::Sha256;

/// The HMAC-SHA256 of `message` under the key at `key`: 0 is the secret, and each derivation adds the next one. The sandbox
/// has checked that each key is derived before it is used.
pub fn signature(secret: &[u8], derivations: &[Derivation], key: usize, message: &[u8]) -> [u8; 32] {
    let mut keys = vec![secret.to_vec()];
    for derivation in derivations {
        let key = [derivation.prefix.as_slice(), &keys[derivation.key]].concat();
        let derived = hmac(&key, &derivation.message);
        keys.push(match derivation.encoding {
            KeyEncoding::Bytes => derived.to_vec(),
            KeyEncoding::Hexadecimal => hex::encode(derived).into_bytes(),
        });
    }
    hmac(&keys[key], message)
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
