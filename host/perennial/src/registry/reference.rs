//! What a package is called in a registry: `REGISTRY/NAME:TAG`, `REGISTRY/NAME@sha256:DIGEST`, or both. Asks nobody.

use std::fmt;
use std::str::FromStr;

/// The name of a package in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The registry's host, with its port if it has one.
    pub(crate) registry: String,
    /// The name in it, such as `acme/nimbus`.
    pub(crate) repository: String,
    /// What people call a version; somebody may give it to another package.
    pub(crate) tag: Option<String>,
    /// What names one package for ever: `sha256:` and 64 hexadecimal digits.
    pub(crate) digest: Option<String>,
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Reference, String> {
        let wrong = |why: &str| {
            format!(
                "`{text}` names no package: {why}; write `REGISTRY/NAME:TAG` or `REGISTRY/NAME@sha256:DIGEST`, such as \
                 `registry.example/acme/nimbus:1.0.0`"
            )
        };
        if text.contains("://") {
            return Err(wrong("a registry is named by its host alone"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(wrong("what is behind `@` is not `sha256:` and 64 digits from 0 to f"));
        }
        let (registry, path) = rest.split_once('/').ok_or_else(|| wrong("it has no `/`"))?;
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_registry(registry) {
            return Err(wrong("it does not begin with the host of a registry, such as `registry.example`"));
        }
        if repository.len() > 200 || !repository.split('/').all(is_component) {
            return Err(wrong(
                "a name is of lower case letters and digits, with dots, dashes, underscores or slashes between",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("a tag is of letters, digits, dots, dashes and underscores, 128 at most"));
        }
        if tag.is_none() && digest.is_none() {
            return Err(wrong("it has neither a tag nor a digest"));
        }
        let (tag, digest) = (tag.map(str::to_owned), digest.map(str::to_owned));
        Ok(Reference { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(formatter, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(formatter, "@{digest}"))
    }
}

/// Whether a text is `sha256:` and its digits.
pub(crate) fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Hosts have a dot or a port, so that `acme/nimbus` is not a host `acme`.
fn is_registry(text: &str) -> bool {
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    (text == "localhost" || text.contains(['.', ':'])) && text.bytes().all(is_host)
}

fn is_component(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().zip(text.bytes().last());
    ends.is_some_and(|(first, last)| is_plain(first) && is_plain(last))
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b'-' | b'_'))
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_by_host_name_and_tag_or_digest() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for text in [
            "localhost/a:1",
            "localhost:5000/acme/nimbus:1.0.0",
            "registry.example/nimbus:v1-beta_2",
            "[::1]:5000/nimbus:1",
            &format!("registry.example/nimbus@{digest}"),
            &format!("registry.example/nimbus:1.0.0@{digest}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "nimbus:1",
            "acme/nimbus:1",
            "registry.example/nimbus",
            "registry.example/Nimbus:1",
            "registry.example/../nimbus:1",
            "registry.example//nimbus:1",
            "registry.example/nimbus:",
            "registry.example/nimbus:.1",
            "registry.example/nimbus@sha256:12",
            "https://registry.example/nimbus:1",
            "user@registry.example/nimbus:1",
            "registry.example/nimbus:1?x=1",
        ] {
            let wrong = text.parse::<Reference>().unwrap_err();
            assert!(wrong.contains("REGISTRY/NAME:TAG"), "{text}: {wrong}");
        }
    }
}
