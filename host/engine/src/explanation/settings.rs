//! Finds the settings that an instant depends on: the rules are asked whether it would be another one with other values.
//!
//! The contract does not say which settings a rule reads. But rules are pure, so the effect of a setting shows when its
//! value is changed: an occurrence that stays at its instant does not depend on it. The values to try are
//! those next to the present one and those that the setting's label names, as far as the plugin takes them.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Setting;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::explanation::SettingReasonView;
use perennial_sandbox::TimelineRequest;

use crate::rules::Rules;

/// The most values of a setting that are offered to the plugin ...
const OFFERED_MAX: usize = 16;
/// ... and the most that timelines are asked for with.
const TRIED_MAX: usize = 3;

/// For each occurrence, the settings that it is due by; none where that cannot be found out.
///
/// The occurrences are of the bundle's timeline after `after`, under the account's settings.
pub(super) fn reasons(
    rules: &dyn Rules,
    account: &Account,
    (bundle, after): (&Bundle, Timestamp),
    occurrences: &[&Occurrence],
) -> Vec<Vec<SettingReasonView>> {
    let mut reasons = occurrences.iter().map(|_| Vec::new()).collect::<Vec<Vec<SettingReasonView>>>();
    if occurrences.is_empty() {
        return reasons;
    }
    let mut variants = Vec::new();
    for setting in &rules.manifest().settings {
        let Some(found) = other_values(rules, account, setting) else { return reasons };
        variants.extend(found.into_iter().map(|settings| (setting, Account { settings, ..account.clone() })));
    }
    // The first is as it is: what the plugin does not foresee then, such as a try that a policy put off, is by no setting.
    let accounts = std::iter::once(account).chain(variants.iter().map(|(_, account)| account));
    let accounts = accounts.collect::<Vec<_>>();
    let requests = (0..accounts.len())
        .map(|place| TimelineRequest { after, account: AccountIndex::new(place), bundle })
        .collect::<Vec<_>>();
    let mut timelines = rules.timelines(&accounts, &requests).into_iter();
    let Some(Ok(present)) = timelines.next() else { return reasons };
    for ((setting, _), timeline) in variants.iter().zip(timelines) {
        let Ok(timeline) = timeline else { continue };
        for (occurrence, reasons) in occurrences.iter().zip(&mut reasons) {
            let is_named = reasons.last().is_some_and(|last| last.name == setting.name);
            if !is_named && present.contains(occurrence) && !timeline.contains(occurrence) {
                reasons.push(reason(account, setting));
            }
        }
    }
    reasons
}

fn reason(account: &Account, setting: &Setting) -> SettingReasonView {
    let own = account.settings.get(&setting.name);
    SettingReasonView {
        name: setting.name.clone(),
        value: own.or(setting.default.as_ref()).cloned(),
        is_default: own.is_none(),
        rule: setting.rule().to_owned(),
        document: setting.document().map(str::to_owned),
    }
}

/// The account's settings with other values of one; `None` when the plugin gives no usable answer.
fn other_values(
    rules: &dyn Rules,
    account: &Account,
    setting: &Setting,
) -> Option<Vec<BTreeMap<String, String>>> {
    let present = account.settings.get(&setting.name).or(setting.default.as_ref());
    let mut found = Vec::new();
    for value in offered(present.map(String::as_str), setting.rule()) {
        if found.len() == TRIED_MAX {
            break;
        }
        let mut settings = account.settings.clone();
        settings.insert(setting.name.clone(), value);
        if rules.check_settings(&settings).ok()?.is_empty() {
            found.push(settings);
        }
    }
    Some(found)
}

/// Values to offer instead of the present one: its numbers one up and one down, and the words and numbers of the label, from
/// its end, where values stand most often.
fn offered(present: Option<&str>, label: &str) -> Vec<String> {
    let shifted = [1, -1].into_iter().filter_map(|by| shifted(present?, by));
    let is_of_word = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
    let words = label.rsplit(|sign| !is_of_word(sign)).filter(|word| !word.is_empty()).map(str::to_owned);
    let mut offered = Vec::new();
    for value in shifted.chain(words) {
        if offered.len() < OFFERED_MAX && Some(value.as_str()) != present && !offered.contains(&value) {
            offered.push(value);
        }
    }
    offered
}

/// A value with each of its numbers raised by `by`; `None` if it has none, or one would be negative.
fn shifted(value: &str, by: i64) -> Option<String> {
    let (mut shifted, mut rest, mut has_number) = (String::new(), value, false);
    while let Some(start) = rest.find(|sign: char| sign.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(number.len());
        let number_after =
            number[..end].parse::<i64>().ok()?.checked_add(by).filter(|number| *number >= 0)?;
        shifted.push_str(before);
        shifted.push_str(&number_after.to_string());
        (rest, has_number) = (&number[end..], true);
    }
    shifted.push_str(rest);
    has_number.then_some(shifted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_value_are_raised_and_lowered() {
        assert_eq!(shifted("7", 1).as_deref(), Some("8"));
        assert_eq!(shifted("7,3,1", -1).as_deref(), Some("6,2,0"));
        assert_eq!(shifted("0", -1), None);
        assert_eq!(shifted("manual", 1), None);
        assert_eq!(shifted("V0", 1).as_deref(), Some("V1"));
    }

    #[test]
    fn values_are_those_next_to_the_present_one_and_those_of_the_label() {
        assert_eq!(offered(Some("7"), "days, 2 to 7"), ["8", "6", "to", "2", "days"]);
        assert_eq!(offered(None, "site: cn, intl or eu"), ["eu", "or", "intl", "cn", "site"]);
        let long = (0..40).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(offered(Some("x"), &long).len(), OFFERED_MAX);
    }
}
