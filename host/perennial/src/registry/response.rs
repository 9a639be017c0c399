//! What a registry answers, and why there is no package, or none is written. Sends nothing.

use hyper::HeaderMap;

/// The most of a registry's own words that a message has, in characters.
const SAID_MAX: usize = 300;

/// A response, whole.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status, such as 200.
    pub(crate) status: u16,
    /// Every header that came, by name.
    pub(crate) headers: HeaderMap,
    /// The body, read to its end.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A header, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether it was done.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The registry's own words, on one line; empty when it says nothing that can be read.
    pub(crate) fn said(&self) -> String {
        let json = serde_json::from_slice::<serde_json::Value>(&self.body).unwrap_or_default();
        let errors = json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let one = |error: &serde_json::Value| {
            let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("code"), text("message")).trim().to_owned()
        };
        let said = errors.iter().map(one).collect::<Vec<_>>().join(", ");
        let plain =
            said.chars().filter(|character| !character.is_control()).take(SAID_MAX).collect::<String>();
        if plain.is_empty() { String::new() } else { format!(", \"{plain}\"") }
    }
}

/// Why a package was not pushed or not pulled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// What was set up to reach it cannot be used.
    #[error("cannot ask the registry `{registry}`: {problem}")]
    Unusable {
        /// The host of the registry.
        registry: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no connection, or no answer on it.
    #[error("cannot {what}: the registry does not answer: {why}; nothing was changed, run it again later")]
    NoAnswer {
        /// What was asked.
        what: String,
        /// What went wrong.
        why: String,
    },
    /// It does not know us, or does not let us.
    #[error("cannot {what}: the registry refuses it with the status {status}{said}; {next}")]
    Denied {
        /// What was asked.
        what: String,
        /// 401 or 403.
        status: u16,
        /// Its own words.
        said: String,
        /// What to do.
        next: String,
    },
    /// It answers with something else than what was asked for.
    #[error("cannot {what}: the registry answers with the status {status}{said}; nothing was changed")]
    Refused {
        /// What was asked.
        what: String,
        /// The status, such as 500.
        status: u16,
        /// Its own words.
        said: String,
    },
    /// There is no such package.
    #[error("cannot pull `{reference}`: there is no such package; look at its name, its tag and its digest")]
    Missing {
        /// The name that was asked for.
        reference: String,
    },
    /// The tag stands for another package than the one that was asked for.
    #[error(
        "cannot pull `{reference}`: it has the digest {found} there, and {expected} was asked for: somebody moved the tag; nothing was written. \
         Name the other digest if the new one is meant"
    )]
    OtherDigest {
        /// The name that was asked for.
        reference: String,
        /// The digest that was asked for.
        expected: String,
        /// The digest that it has.
        found: String,
    },
    /// The tag stands for another package already.
    #[error(
        "`{reference}` stands for {before} already, and somebody may rely on that; push under another tag, or say `--move-tag`"
    )]
    TagTaken {
        /// The name that was to be written.
        reference: String,
        /// The digest that it has.
        before: String,
    },
    /// What the registry has there is not what it says.
    #[error(
        "cannot pull `{reference}`: it is no package that can be used; nothing was written:{}",
        listed(problems)
    )]
    Wrong {
        /// The name that was asked for.
        reference: String,
        /// Every problem, as a sentence.
        problems: Vec<String>,
    },
    /// What the registry has there is not what its author made, or of nobody who is trusted.
    #[error("cannot pull `{reference}`: it is not to be trusted; nothing was written:{}", listed(problems))]
    NotTrusted {
        /// The name that was asked for.
        reference: String,
        /// Every problem, as a sentence.
        problems: Vec<String>,
    },
}

impl RegistryError {
    /// Whether what was named is not there, or no package: what was given is wrong.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            RegistryError::Unusable { .. } | RegistryError::Missing { .. } | RegistryError::Wrong { .. } => {
                true
            }
            RegistryError::NoAnswer { .. }
            | RegistryError::Denied { .. }
            | RegistryError::Refused { .. }
            | RegistryError::OtherDigest { .. }
            | RegistryError::TagTaken { .. }
            | RegistryError::NotTrusted { .. } => false,
        }
    }
}

/// Problems, one a line.
pub(crate) fn listed(problems: &[String]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
