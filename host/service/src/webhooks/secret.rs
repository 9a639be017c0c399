//! What a webhook signs with, and the signature: the Standard Webhooks specification, symmetric signatures (`v1`).
//!
//! A receiver checks a signature, so the secret has to be kept as it is and not as a hash. It is kept in the database,
//! which only its owner can read. [`Secret::to_bytes`] and [`Secret::from_bytes`] are the only way in and out: who encrypts
//! what is kept does it there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_domain::timestamp::Timestamp;
use sha2::Sha256;

/// What every secret begins with when it is shown.
const PREFIX: &str = "whsec_";
/// How many random bytes there are in a secret; the specification wants 24 to 64.
const LENGTH: usize = 32;
/// How long a secret that was replaced goes on signing beside its successor, in seconds: a day.
pub const OVERLAP_SECONDS: i64 = 86_400;

/// A secret. Nothing but [`Secret::to_text`] and [`Secret::to_bytes`] gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one, from bits of the system's own generator.
    ///
    /// # Errors
    ///
    /// What the system says when it has no random bits to give.
    pub fn generate() -> Result<Secret, getrandom::Error> {
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes)?;
        Ok(Secret(bytes))
    }

    /// What the receiver is to be given.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// What goes into the database.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The secret of what is in the database.
    pub fn from_bytes(bytes: &[u8]) -> Secret {
        Secret(bytes.to_vec())
    }

    /// The signature of a message that is sent at `at`, such as `v1,g0hM9SsE…`.
    pub fn sign(&self, message: &str, at: Timestamp, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is taken");
        mac.update(format!("{message}.{}.", at.as_second()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
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
    fn a_new_secret_is_unique_and_round_trips_as_shown_and_as_stored() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert!(one != other);
        assert_eq!(one.0.len(), 32);
        assert!(secret(&one.to_text()) == one);
        assert!(Secret::from_bytes(&one.to_bytes()) == one);
    }
}
