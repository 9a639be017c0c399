//! Settings that every account has, whatever its provider: the host's own, which plugins never see.
//!
//! They stand among the settings of an account, under names that no plugin can have. Knows their names, values and defaults.

use std::collections::BTreeMap;

use crate::policy::OnFailure;

/// What the failure of a policy comes to: see [`OnFailure`].
const ON_POLICY_FAILURE: &str = "on_policy_failure";
/// What becomes of an automatic renewal whose approval nobody decides on: see [`OnUndecided`].
const ON_UNDECIDED: &str = "on_undecided";
/// The names of all of them.
const NAMES: [&str; 2] = [ON_POLICY_FAILURE, ON_UNDECIDED];

/// What becomes of an automatic renewal whose approval nobody decides on in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUndecided {
    /// The resource is left to lapse.
    #[default]
    Lapse,
    /// The resource is renewed as though it were approved.
    Renew,
}

impl OnUndecided {
    const ALL: [OnUndecided; 2] = [OnUndecided::Lapse, OnUndecided::Renew];

    const fn name(self) -> &'static str {
        match self {
            OnUndecided::Lapse => "lapse",
            OnUndecided::Renew => "renew",
        }
    }
}

/// One of the host's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSetting {
    /// The name among the settings of an account.
    pub name: &'static str,
    /// Every value that it can have; the first one is the default.
    pub values: Vec<&'static str>,
}

/// All of the host's own settings.
pub fn own() -> [OwnSetting; 2] {
    [
        OwnSetting { name: ON_POLICY_FAILURE, values: OnFailure::ALL.map(OnFailure::name).to_vec() },
        OwnSetting { name: ON_UNDECIDED, values: OnUndecided::ALL.map(OnUndecided::name).to_vec() },
    ]
}

/// Whether `name` is one of the host's own settings.
pub fn is_own(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The settings that the provider's plugin knows.
pub fn of_provider(settings: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    settings.iter().filter(|(name, _)| !is_own(name))
}

/// Everything wrong with the host's own settings among `settings`, in words.
pub fn problems(settings: &BTreeMap<String, String>) -> Vec<String> {
    own().iter().filter_map(|own| problem(settings, own.name, &own.values)).collect()
}

fn problem(settings: &BTreeMap<String, String>, name: &str, words: &[&str]) -> Option<String> {
    let value = settings.get(name).filter(|value| !words.contains(&value.as_str()))?;
    let words = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Some(format!("the setting `{name}` cannot be `{value}`; expected one of {words}"))
}

/// What the failure of a policy comes to in an account with `settings`.
pub fn on_policy_failure(settings: &BTreeMap<String, String>) -> OnFailure {
    let value = settings.get(ON_POLICY_FAILURE);
    let found = OnFailure::ALL.into_iter().find(|one| value.is_some_and(|value| one.name() == value));
    found.unwrap_or_default()
}

/// What becomes of an automatic renewal that nobody decides on in an account with `settings`.
pub fn on_undecided(settings: &BTreeMap<String, String>) -> OnUndecided {
    let value = settings.get(ON_UNDECIDED);
    let found = OnUndecided::ALL.into_iter().find(|one| value.is_some_and(|value| one.name() == value));
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_hosts_own_settings_are_checked_and_kept_from_plugins() {
        let wrong = settings(&[("on_policy_failure", "retry"), ("on_undecided", ""), ("site", "intl")]);
        assert_eq!(
            problems(&wrong),
            [
                "the setting `on_policy_failure` cannot be `retry`; expected one of `default`, `approve`, `deny`, `require_approval`",
                "the setting `on_undecided` cannot be ``; expected one of `lapse`, `renew`",
            ]
        );
        assert_eq!(of_provider(&wrong).map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["site"]);
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let none = settings(&[]);
        assert_eq!((on_policy_failure(&none), on_undecided(&none)), (OnFailure::Default, OnUndecided::Lapse));
        assert_eq!(own().map(|own| own.values[0]), [OnFailure::Default.name(), OnUndecided::Lapse.name()]);
        let set = settings(&[("on_policy_failure", "deny"), ("on_undecided", "renew")]);
        assert_eq!((on_policy_failure(&set), on_undecided(&set)), (OnFailure::Deny, OnUndecided::Renew));
        assert_eq!(problems(&set), Vec::<String>::new());
    }
}
