//! Who we are to a registry: from the environment, or from a file as `docker login` writes it. Never from an argument, which
//! everybody on the machine can read.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A user's name at a registry, in the environment.
pub(crate) const USERNAME_VARIABLE: &str = "PERENNIAL_REGISTRY_USERNAME";
/// The password of that user, in the environment.
pub(crate) const PASSWORD_VARIABLE: &str = "PERENNIAL_REGISTRY_PASSWORD";
/// Names a file with credentials, in the environment.
pub(crate) const CREDENTIALS_VARIABLE: &str = "PERENNIAL_REGISTRY_CREDENTIALS";

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    user: String,
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the credentials of {}", self.user)
    }
}

impl Credentials {
    /// The value of `Authorization` that shows them.
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }

    /// Those for a registry: of the environment, else of `file` or the file that the environment names. `None` when there are
    /// none, with which many registries let anybody read.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words.
    pub(crate) fn find(
        registry: &str,
        file: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Credentials>, String> {
        match (variable(USERNAME_VARIABLE), variable(PASSWORD_VARIABLE)) {
            (Some(user), Some(password)) => return Ok(Some(Credentials { user, password })),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                return Err(format!(
                    "`{USERNAME_VARIABLE}` and `{PASSWORD_VARIABLE}` belong together, and one of them is set; set both, or none"
                ));
            }
        }
        let named = variable(CREDENTIALS_VARIABLE).map(std::path::PathBuf::from);
        let Some(path) = file.or(named.as_deref()) else { return Ok(None) };
        let wrong = |why: String| format!("the credentials in `{}` cannot be used: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Credentials::read(&text, registry).map_err(wrong)
    }

    /// Those of a file that `docker login` writes, for a registry; `None` when it has none for it.
    fn read(text: &str, registry: &str) -> Result<Option<Credentials>, String> {
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let plain = |url: &str| {
            let url = url.strip_prefix("https://").or(url.strip_prefix("http://")).unwrap_or(url);
            url.split('/').next().unwrap_or_default().to_owned()
        };
        let known = json["auths"].as_object();
        let entry = known.and_then(|known| known.iter().find(|(url, _)| plain(url) == registry));
        let Some((_, entry)) = entry else { return Ok(None) };
        let encoded = entry["auth"].as_str().ok_or_else(|| {
            format!(
                "it has no `auth` for `{registry}`; where a helper of the system keeps the password, set \
                 `{USERNAME_VARIABLE}` and `{PASSWORD_VARIABLE}`"
            )
        })?;
        let decoded = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let split = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (user, password) = split.ok_or_else(|| {
            format!("`auth` for `{registry}` is not a user and a password in base64, with a colon between")
        })?;
        Ok(Some(Credentials { user: user.to_owned(), password: password.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_for_their_registry_alone() {
        let text =
            r#"{"auths": {"https://one.example/v2/": {"auth": "YW5uOnM6M2NyZXQ="}, "two.example": {}}}"#;
        let found = Credentials::read(text, "one.example").unwrap().unwrap();
        assert_eq!((found.user.as_str(), found.password.as_str()), ("ann", "s:3cret"));
        assert_eq!(format!("{found:?}"), "the credentials of ann");
        assert_eq!(Credentials::read(text, "one.example.evil"), Ok(None));
        assert!(Credentials::read(text, "two.example").unwrap_err().contains(PASSWORD_VARIABLE));
        assert!(Credentials::read("{", "two.example").is_err());
    }

    #[test]
    fn a_user_without_a_password_is_a_mistake() {
        let half = |name: &str| (name == USERNAME_VARIABLE).then(|| "ann".to_owned());
        assert!(Credentials::find("one.example", None, &half).unwrap_err().contains("belong together"));
        assert_eq!(Credentials::find("one.example", None, &|_| None), Ok(None));
    }
}
