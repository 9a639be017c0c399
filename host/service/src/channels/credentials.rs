//! What the robot of a group is called with: its URL, which has a key in it, and the secret that signs, where there is one.
//!
//! Both are needed in clear text to send, so the database has them sealed where there is a secrets key, and as they are
//! where there is none. [`Credentials::to_bytes`] and [`Credentials::from_bytes`] are the only way there and back.

use serde::Deserialize;
use serde::Serialize;

use crate::secrets::SecretBox;
use crate::secrets::SecretsError;

/// The first byte of credentials in clear text, which are a JSON object. What is sealed begins with another one.
const CLEAR: u8 = b'{';

/// The URL of a robot, and its secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The URL that messages are sent to.
    pub url: String,
    /// The secret that signs messages; `None` where the robot asks for no signature.
    pub secret: Option<String>,
}

impl Credentials {
    /// The bytes for the database, for the channel called `channel`: sealed if there is a box.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoRandomBits`] when the system has none.
    pub fn to_bytes(&self, secret_box: Option<&SecretBox>, channel: &str) -> Result<Vec<u8>, SecretsError> {
        let clear = serde_json::to_vec(self).expect("two texts are JSON");
        match secret_box {
            Some(secret_box) => secret_box.seal(&clear, &purpose(channel)),
            None => Ok(clear),
        }
    }

    /// The credentials from the bytes that the database has for the channel called `channel`.
    ///
    /// # Errors
    ///
    /// [`SecretsError::NoKey`] when they are sealed and there is no box, [`SecretsError::WrongKey`] when it is another one
    /// or the bytes are damaged.
    pub fn from_bytes(
        bytes: &[u8],
        secret_box: Option<&SecretBox>,
        channel: &str,
    ) -> Result<Credentials, SecretsError> {
        let clear = match is_sealed(bytes) {
            false => bytes.to_vec(),
            true => secret_box.ok_or(SecretsError::NoKey)?.open(bytes, &purpose(channel))?,
        };
        serde_json::from_slice(&clear).map_err(|_| SecretsError::WrongKey)
    }
}

/// Whether the bytes of the database are sealed.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first() != Some(&CLEAR)
}

fn purpose(channel: &str) -> String {
    format!("channel {channel}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_opened_for_their_channel_and_by_their_key_only() {
        let (secret_box, other_box) = (SecretBox::new(&[1; 32]), SecretBox::new(&[2; 32]));
        let credentials = Credentials {
            url: "https://oapi.dingtalk.com/robot/send?access_token=abcdef".to_owned(),
            secret: Some("SECabcdef".to_owned()),
        };
        let clear = credentials.to_bytes(None, "ch_1").unwrap();
        assert!(!is_sealed(&clear));
        assert!(Credentials::from_bytes(&clear, Some(&secret_box), "ch_1").unwrap() == credentials);
        let sealed = credentials.to_bytes(Some(&secret_box), "ch_1").unwrap();
        assert!(is_sealed(&sealed) && !sealed.windows(6).any(|part| part == b"abcdef"));
        assert!(Credentials::from_bytes(&sealed, Some(&secret_box), "ch_1").unwrap() == credentials);
        assert!(Credentials::from_bytes(&sealed, Some(&secret_box), "ch_2").is_err());
        assert!(Credentials::from_bytes(&sealed, Some(&other_box), "ch_1").is_err());
        assert!(matches!(Credentials::from_bytes(&sealed, None, "ch_1"), Err(SecretsError::NoKey)));
    }
}
