//! Which plans a policy is asked about: by account, provider, kind, tags and command. All that a selector names must match.

use std::collections::BTreeMap;

/// The plans that a policy is asked about. An empty list matches every plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Patterns of account ids; one of them must match. `*` is any run of characters.
    pub accounts: Vec<String>,
    /// Ids of providers; one of them must be the account's.
    pub providers: Vec<String>,
    /// Kinds of resource; one of them must be the primary's.
    pub kinds: Vec<String>,
    /// Tags of the primary; all of them must match.
    pub tags: Vec<TagPattern>,
    /// Commands; one of them must be the plan's.
    pub commands: Vec<String>,
}

/// A tag that a resource must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagPattern {
    /// The name of the tag.
    pub name: String,
    /// Its value; `None` is any.
    pub value: Option<String>,
}

impl TagPattern {
    /// Reads `name=value`, split at the first `=`, or `name`.
    pub fn parse(text: &str) -> TagPattern {
        match text.split_once('=') {
            Some((name, value)) => TagPattern { name: name.to_owned(), value: Some(value.to_owned()) },
            None => TagPattern { name: text.to_owned(), value: None },
        }
    }

    fn matches(&self, tags: &BTreeMap<String, String>) -> bool {
        let found = tags.get(&self.name);
        found.is_some_and(|found| self.value.as_ref().is_none_or(|value| value == found))
    }
}

/// What a selector looks at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The id of the plan's account.
    pub account: &'a str,
    /// The id of its provider.
    pub provider: &'a str,
    /// The kind of the primary.
    pub kind: &'a str,
    /// The tags of the primary.
    pub tags: &'a BTreeMap<String, String>,
    /// The name of the plan's command.
    pub command: &'a str,
}

impl Selector {
    /// Whether the policy is asked about `candidate`.
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let one_of = |list: &[String], name: &str| list.is_empty() || list.iter().any(|known| known == name);
        let accounts = &self.accounts;
        (accounts.is_empty() || accounts.iter().any(|pattern| matches_pattern(pattern, candidate.account)))
            && one_of(&self.providers, candidate.provider)
            && one_of(&self.kinds, candidate.kind)
            && one_of(&self.commands, candidate.command)
            && self.tags.iter().all(|tag| tag.matches(candidate.tags))
    }
}

/// Whether `text`, all of it, is what `pattern` says: `*` is any run of characters, everything else is itself.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // The earliest place of each part leaves the most for those behind it.
    for part in parts {
        match rest.find(part) {
            Some(start) => rest = &rest[start + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters_of_the_whole_id() {
        let matching = [
            ("acme", "acme"),
            ("acme-*", "acme-hw"),
            ("*", ""),
            ("*", "x"),
            ("*-hw", "acme-hw"),
            ("a*e*w", "acme-hw"),
            ("a**w", "acme-hw"),
            ("*a*a*", "banana"),
            ("a*a", "aa"),
            ("", ""),
            ("*ana", "banana"),
        ];
        let other = [
            ("acme", "acme-hw"),
            ("acme-*", "Acme-hw"),
            ("*-hw", "acme-hw-2"),
            ("a*a", "a"),
            ("", "a"),
            ("a*b*c", "acb"),
            ("cme*", "acme"),
            ("*ab*ab", "ab"),
        ];
        for (pattern, text) in matching {
            assert!(matches_pattern(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in other {
            assert!(!matches_pattern(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn everything_that_a_selector_names_must_match() {
        let tags = BTreeMap::from(
            [("env", "prod"), ("owner", "ann=bob")].map(|(a, b)| (a.to_owned(), b.to_owned())),
        );
        let candidate =
            Candidate { account: "acme-hw", provider: "huawei", kind: "ecs", tags: &tags, command: "renew" };
        let one = |text: &str| vec![text.to_owned()];
        let tag = |text: &str| vec![TagPattern::parse(text)];
        let all = Selector::default();
        let matching = [
            all.clone(),
            Selector { accounts: vec!["b*".to_owned(), "acme-*".to_owned()], ..all.clone() },
            Selector { providers: one("huawei"), kinds: one("ecs"), commands: one("renew"), ..all.clone() },
            Selector { tags: tag("env=prod"), ..all.clone() },
            Selector { tags: tag("owner"), ..all.clone() },
            Selector { tags: tag("owner=ann=bob"), ..all.clone() },
        ];
        let other = [
            Selector { accounts: one("b*"), ..all.clone() },
            Selector { providers: one("baidu"), kinds: one("ecs"), ..all.clone() },
            Selector { kinds: one("evs"), ..all.clone() },
            Selector { commands: one("unsubscribe"), ..all.clone() },
            Selector { tags: tag("env=test"), ..all.clone() },
            Selector { tags: tag("owner=ann"), ..all.clone() },
            Selector { tags: [tag("env=prod"), tag("team")].concat(), ..all.clone() },
        ];
        assert!(matching.iter().all(|selector| selector.matches(&candidate)));
        let wrong = other.iter().position(|selector| selector.matches(&candidate));
        assert_eq!(wrong, None);
    }
}
