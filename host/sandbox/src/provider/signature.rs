//! Signatures of plugins: detached ed25519 signatures of the file that their author made, by keys that an operator trusts.
//!
//! Knows keys and bytes. Does not know where either is kept.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::ED25519;
use ring::signature::Ed25519KeyPair;
use ring::signature::KeyPair as _;
use ring::signature::UnparsedPublicKey;

use crate::runtime::error::LoadError;

/// What the text of a public key begins with.
const KEY_PREFIX: &str = "ed25519:";
/// The bytes of a public key, and of the seed of a private one.
const KEY_BYTES: usize = 32;
/// The bytes of a signature.
const SIGNATURE_BYTES: usize = 64;
/// The lines around a private key in PEM.
const PEM_LINES: [&str; 2] = ["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"];

/// The public key of somebody whose plugins are trusted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_BYTES]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_PREFIX}{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PublicKey {
    /// Reads `ed25519:` and 32 bytes in base64, as `perennial plugin keygen` prints them.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    pub fn read(text: &str) -> Result<PublicKey, String> {
        let bytes = text.trim().strip_prefix(KEY_PREFIX).and_then(|key| BASE64_STANDARD.decode(key).ok());
        let key = bytes.and_then(|bytes| bytes.try_into().ok()).map(PublicKey);
        key.ok_or_else(|| {
            format!("`{text}` is no public key; write `{KEY_PREFIX}` and 32 bytes in base64, as `perennial plugin keygen` prints them")
        })
    }
}

/// A private key that plugins are signed with.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the private key of {}", self.public_key())
    }
}

impl SigningKey {
    /// Makes a new key; returns it in PEM, as its file has it.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub fn generate() -> Result<String, String> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| "the system has no random bytes for a key".to_owned())?;
        let [begin, end] = PEM_LINES;
        Ok(format!("{begin}\n{}\n{end}\n", BASE64_STANDARD.encode(document.as_ref())))
    }

    /// Reads a key file: PKCS#8, in PEM or DER, or the 32 bytes of the seed.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    pub fn read(bytes: &[u8]) -> Result<SigningKey, String> {
        let expected = || {
            "it is no ed25519 key; a key file is PKCS#8, in PEM or DER, or the 32 bytes of a seed".to_owned()
        };
        let pem = std::str::from_utf8(bytes).ok().and_then(pem_bytes);
        let bytes = pem.as_deref().unwrap_or(bytes);
        let key = match bytes.len() {
            KEY_BYTES => Ed25519KeyPair::from_seed_unchecked(bytes),
            _ => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes),
        };
        key.map(SigningKey).map_err(|_| expected())
    }

    /// The public half, by which the operator names it.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("a public key has 32 bytes"))
    }

    /// The signature of a plugin, as its file has it: base64 and a line break.
    pub fn sign(&self, plugin: &[u8]) -> String {
        format!("{}\n", BASE64_STANDARD.encode(self.0.sign(plugin).as_ref()))
    }
}

/// The bytes between the lines of PEM.
fn pem_bytes(text: &str) -> Option<Vec<u8>> {
    let [begin, end] = PEM_LINES;
    let inner = text.trim().strip_prefix(begin)?.strip_suffix(end)?;
    BASE64_STANDARD.decode(inner.split_whitespace().collect::<String>()).ok()
}

/// Whose plugins are loaded: those of these keys. Without a key, anybody's are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The keys that the operator trusts.
    pub keys: Vec<PublicKey>,
}

impl Trust {
    /// Finds the trusted key that made `signature` of a plugin: 64 bytes, as they are or in base64. `None` where no key is
    /// trusted, when nothing is checked. `origin` is for messages.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unsigned`] without a signature, [`LoadError::WronglySigned`] when it is none, is of other bytes or by another
    /// key.
    pub fn check(
        &self,
        origin: &str,
        plugin: &[u8],
        signature: Option<&[u8]>,
    ) -> Result<Option<PublicKey>, LoadError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let origin = origin.to_owned();
        let Some(signature) = signature else { return Err(LoadError::Unsigned { origin }) };
        let decoded = std::str::from_utf8(signature).ok();
        let decoded = decoded.and_then(|text| BASE64_STANDARD.decode(text.trim()).ok());
        let signature = decoded.as_deref().unwrap_or(signature);
        let keys = self.keys.len();
        if signature.len() != SIGNATURE_BYTES {
            let problem = "it is no signature, which is 64 bytes, as they are or in base64".to_owned();
            return Err(LoadError::WronglySigned { origin, problem });
        }
        let is_by =
            |key: &&PublicKey| UnparsedPublicKey::new(&ED25519, key.0).verify(plugin, signature).is_ok();
        let problem = || {
            let those = if keys == 1 {
                "the trusted key".to_owned()
            } else {
                format!("any of the {keys} trusted keys")
            };
            format!("it is not by {those}, or the plugin was changed after it was signed")
        };
        match self.keys.iter().find(is_by) {
            Some(key) => Ok(Some(*key)),
            None => Err(LoadError::WronglySigned { origin, problem: problem() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::read(SigningKey::generate().unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn a_signature_is_of_these_bytes_by_a_trusted_key() {
        let (ours, theirs) = (key(), key());
        let trust = Trust { keys: vec![key().public_key(), ours.public_key()] };
        let signature = ours.sign(b"plugin");
        let check = |bytes: &[u8], signature: Option<&[u8]>| {
            trust.check("`p.wasm`", bytes, signature).map_err(|error| error.to_string())
        };
        assert_eq!(check(b"plugin", Some(signature.as_bytes())), Ok(Some(ours.public_key())));
        let raw = BASE64_STANDARD.decode(signature.trim()).unwrap();
        assert_eq!(check(b"plugin", Some(&raw)), Ok(Some(ours.public_key())));
        let wrong = [
            check(b"plugin", None),
            check(b"plugin", Some(b"none")),
            check(b"plugim", Some(signature.as_bytes())),
            check(b"plugin", Some(theirs.sign(b"plugin").as_bytes())),
        ];
        let wrong = wrong.map(Result::unwrap_err);
        expect![[r#"
            the plugin `p.wasm` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
            the signature of the plugin `p.wasm` does not count: it is no signature, which is 64 bytes, as they are or in base64; get the plugin and its signature anew from its author
            the signature of the plugin `p.wasm` does not count: it is not by any of the 2 trusted keys, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
            the signature of the plugin `p.wasm` does not count: it is not by any of the 2 trusted keys, or the plugin was changed after it was signed; get the plugin and its signature anew from its author"#]]
        .assert_eq(&wrong.join("\n"));
        assert_eq!(Trust::default().check("`p.wasm`", b"plugin", None).unwrap(), None);
    }

    #[test]
    fn a_key_is_read_as_pem_der_or_seed_and_nothing_else() {
        let pem = SigningKey::generate().unwrap();
        let der = pem_bytes(&pem).unwrap();
        let seed = [7; KEY_BYTES];
        let by_pem = SigningKey::read(pem.as_bytes()).unwrap().public_key();
        assert_eq!(by_pem, SigningKey::read(&der).unwrap().public_key());
        assert_eq!(PublicKey::read(&by_pem.to_string()), Ok(by_pem));
        // RFC 8410's way without the public key, as OpenSSL writes it.
        let mut older = hex::decode("302e020100300506032b657004220420").unwrap();
        older.extend(seed);
        let by_seed = SigningKey::read(&seed).unwrap().public_key();
        assert_eq!(by_seed, SigningKey::read(&older).unwrap().public_key());
        for wrong in [&b""[..], b"no key", &pem.as_bytes()[..60]] {
            assert!(SigningKey::read(wrong).is_err());
        }
        for wrong in ["", "ed25519:", "ed25519:AAAA", "AAAA"] {
            assert!(PublicKey::read(wrong).is_err());
        }
    }
}
