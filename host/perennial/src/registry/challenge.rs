//! What a registry asks for before it answers: the header `WWW-Authenticate`. Sends nothing.

/// How a registry wants to know who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// By a user and a password.
    Basic,
    /// By a token that another address gives out.
    Bearer {
        /// Where a token is had.
        realm: String,
        /// What that address is told: whom the token is for, and what it is to allow.
        parameters: Vec<(String, String)>,
    },
}

impl Challenge {
    /// Reads the header; `None` when it asks for something else.
    pub(crate) fn read(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters = fields(rest);
        let realm = parameters.iter().position(|(name, _)| name == "realm")?;
        let (_, realm) = parameters.remove(realm);
        parameters.retain(|(name, _)| name == "service" || name == "scope");
        Some(Challenge::Bearer { realm, parameters })
    }
}

/// Names with values in quotes, separated by commas; a comma within quotes separates nothing.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let Some((value, next)) = after.split_once('"') else { break };
        fields.push((name.trim_matches([',', ' ']).to_ascii_lowercase(), value.to_owned()));
        rest = next;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_where_a_token_is_had() {
        let header = "Bearer realm=\"https://auth.example/token\",service=\"registry\",scope=\"repository:a/b:pull,push\",error=\"x\"";
        let Some(Challenge::Bearer { realm, parameters }) = Challenge::read(header) else {
            panic!("{header}")
        };
        assert_eq!(realm, "https://auth.example/token");
        let scope = parameters.iter().find(|(name, _)| name == "scope");
        assert_eq!(scope.map(|(_, scope)| scope.as_str()), Some("repository:a/b:pull,push"));
        assert_eq!(parameters.len(), 2);
        assert_eq!(Challenge::read("basic realm=\"x\""), Some(Challenge::Basic));
        for other in ["", "Negotiate", "Bearer", "Bearer service=\"x\"", "Bearer realm=\"x"] {
            assert_eq!(Challenge::read(other), None, "{other}");
        }
    }
}
