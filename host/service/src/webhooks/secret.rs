//! The secret of a webhook and its signatures: Standard Webhooks, symmetric signatures (`v1`).
//!
//! Signing needs the secret itself, so the database has no hash of it: it has it sealed where there is a secrets key, and in
//! clear text where there is none. [`Secret::to_bytes`] and [`Secret::from_bytes`] are the only way there and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_domain::timestamp::Timestamp;
use sha2::Sha256;

use crate::secrets::SecretBox;
use crate::secrets::SecretsError;

/// The prefix of a secret in text.
const PREFIX: &str = "whsec_";
/// The length of a secret in bytes; the specification requires 24 to 64.
const LENGTH: usize = 32;
/// How long messages are also signed with the previous secret, in seconds: a day.
pub const OVERLAP_SECONDS: i64 = 86_400;

/// The secret of a webhook. Only [`Secret::to_text`] and [`Secret::to_bytes`] reveal it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Generates a secret from random bits of the system.
    ///
    /// # Errors
    ///
    /// [`getrandom::Error`] when the system has no random bits.
    pub fn generate() -> Result<Secret, getrandom::Error> {
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes)?;
        Ok(Secret(bytes))
    }

    /// The text for the receiver, such as `whsec_…`.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The bytes for the database, for the webhook called `webhook`: sealed if there is a box.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoRandomBits`] when the system has none.
    pub fn to_bytes(&self, secret_box: Option<&SecretBox>, webhook: &str) -> Result<Vec<u8>, SecretsError> {
        match secret_box {
            Some(secret_box) => secret_box.seal(&self.0, &purpose(webhook)),
            None => Ok(self.0.clone()),
        }
    }

    /// The secret from the bytes that the database has for the webhook called `webhook`.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoKey`] when they are sealed and there is no box, [`SecretsError::WrongKey`] when it is another one.
    pub fn from_bytes(
        bytes: &[u8],
        secret_box: Option<&SecretBox>,
        webhook: &str,
    ) -> Result<Secret, SecretsError> {
        if !is_sealed(bytes) {
            return Ok(Secret(bytes.to_vec()));
        }
        let secret_box = secret_box.ok_or(SecretsError::NoKey)?;
        Ok(Secret(secret_box.open(bytes, &purpose(webhook))?))
    }

    /// Signs a message that is sent at `at`. Returns a signature such as `v1,g0hM9SsE…`.
    pub fn sign(&self, message: &str, at: Timestamp, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{message}.{}.", at.as_second()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Whether the bytes of the database are sealed: they are longer then.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.len() != LENGTH
}

fn purpose(webhook: &str) -> String {
    format!("webhook {webhook}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret(STANDARD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap())
    }

    #[test]
    fn the_published_example_of_standard_webhooks_is_signed_as_published() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330);
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_new_secret_is_unique_and_survives_text_and_bytes() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert!(one != other);
        assert_eq!(one.0.len(), 32);
        assert!(secret(&one.to_text()) == one);
        let clear = one.to_bytes(None, "wh_1").unwrap();
        assert!(Secret::from_bytes(&clear, None, "wh_1").unwrap() == one);
    }

    #[test]
    fn a_sealed_secret_is_opened_for_its_webhook_and_by_its_key_only() {
        let (secret_box, other_box) = (SecretBox::new(&[1; 32]), SecretBox::new(&[2; 32]));
        let secret = Secret::generate().unwrap();
        let sealed = secret.to_bytes(Some(&secret_box), "wh_1").unwrap();
        assert!(is_sealed(&sealed) && !sealed.windows(8).any(|part| part == &secret.0[..8]));
        assert!(Secret::from_bytes(&sealed, Some(&secret_box), "wh_1").unwrap() == secret);
        assert!(Secret::from_bytes(&sealed, Some(&secret_box), "wh_2").is_err());
        assert!(Secret::from_bytes(&sealed, Some(&other_box), "wh_1").is_err());
        assert!(matches!(Secret::from_bytes(&sealed, None, "wh_1"), Err(SecretsError::NoKey)));
    }
}
