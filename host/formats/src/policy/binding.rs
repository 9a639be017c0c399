//! How a policy is bound, and which days a calendar has, as the database keeps them and the API shows them.

use std::fmt::Write as _;

use chrono::Days;
use chrono::NaiveDate;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::Policy;
use perennial_domain::policy::selector::Selector;
use perennial_domain::policy::selector::TagPattern;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

/// How a policy is bound: the version of its script, and the plans that it is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyBinding {
    /// The SHA-256 of its script, which names the version.
    pub digest: String,
    /// The file that the script was installed from.
    pub script: String,
    /// Policies are asked in ascending order, those of one order by name.
    #[serde(rename = "order")]
    pub rank: i64,
    /// `active`, or `shadow`: asked beside the active ones, and not followed.
    pub mode: String,
    /// What its failure comes to: `default`, `approve`, `deny` or `require_approval`.
    pub on_failure: String,
    /// The plans that it is asked about.
    #[serde(flatten)]
    pub selector: SelectorLists,
}

/// The plans that a policy is asked about. An empty list matches every plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SelectorLists {
    /// Patterns of account IDs, in which `*` is any run of characters.
    pub accounts: Vec<String>,
    /// IDs of providers.
    pub providers: Vec<String>,
    /// Kinds of the primary.
    pub kinds: Vec<String>,
    /// Tags of the primary, `name` or `name=value`; all of them must match.
    pub tags: Vec<String>,
    /// The names of commands.
    pub commands: Vec<String>,
}

impl PolicyBinding {
    /// The binding of a policy whose script has this digest.
    pub fn of(policy: &Policy, digest: &str) -> PolicyBinding {
        PolicyBinding {
            digest: digest.to_owned(),
            script: policy.script.clone(),
            rank: policy.rank,
            mode: policy.mode.name().to_owned(),
            on_failure: policy.on_failure.name().to_owned(),
            selector: SelectorLists::of(&policy.selector),
        }
    }

    /// The binding as JSON.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts are JSON")
    }

    /// What [`PolicyBinding::to_text`] wrote; `None` if it did not write this.
    pub fn read(text: &str) -> Option<PolicyBinding> {
        serde_json::from_str(text).ok()
    }
}

impl SelectorLists {
    fn of(selector: &Selector) -> SelectorLists {
        let tag = |tag: &TagPattern| match &tag.value {
            Some(value) => format!("{}={value}", tag.name),
            None => tag.name.clone(),
        };
        SelectorLists {
            accounts: selector.accounts.clone(),
            providers: selector.providers.clone(),
            kinds: selector.kinds.clone(),
            tags: selector.tags.iter().map(tag).collect(),
            commands: selector.commands.clone(),
        }
    }

    /// The selector that these lists are of.
    pub fn to_selector(&self) -> Selector {
        Selector {
            accounts: self.accounts.clone(),
            providers: self.providers.clone(),
            kinds: self.kinds.clone(),
            tags: self.tags.iter().map(|tag| TagPattern::parse(tag)).collect(),
            commands: self.commands.clone(),
        }
    }
}

/// A binding as policy files have it, a line for each thing that it says.
pub fn lines(binding: &PolicyBinding) -> String {
    let PolicyBinding { script, rank, mode, on_failure, selector, .. } = binding;
    let mut text =
        format!("script = {script:?}\norder = {rank}\nmode = {mode:?}\non_failure = {on_failure:?}\n");
    let lists = [
        ("accounts", &selector.accounts),
        ("providers", &selector.providers),
        ("kinds", &selector.kinds),
        ("tags", &selector.tags),
        ("commands", &selector.commands),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let _ = writeln!(text, "{name} = {list:?}");
    }
    text
}

/// A selector as the database keeps it.
pub fn selector_text(selector: &Selector) -> String {
    serde_json::to_string(&SelectorLists::of(selector)).expect("texts are JSON")
}

/// What [`selector_text`] wrote; `None` if it did not write this.
pub fn read_selector(text: &str) -> Option<Selector> {
    let lists: SelectorLists = serde_json::from_str(text).ok()?;
    Some(lists.to_selector())
}

/// The days of a calendar as policy files have them, such as `2026-10-01` and `2026-12-24..2027-01-02`.
pub fn days(calendar: &Calendar) -> Vec<String> {
    let range = |(first, last): &(i32, i32)| match first == last {
        true => day(*first),
        false => format!("{}..{}", day(*first), day(*last)),
    };
    calendar.days.iter().map(range).collect()
}

fn day(number: i32) -> String {
    let (epoch, distance) = (NaiveDate::default(), Days::new(u64::from(number.unsigned_abs())));
    let date = if number < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) };
    date.map_or_else(|| number.to_string(), |date| date.to_string())
}

/// The lines that differ between two texts, ` ` before those of both, `-` before those of the first and `+` before those of
/// the second; empty when they are equal. Three lines of both are shown around each difference.
pub fn line_difference(before: &str, after: &str) -> String {
    let (before, after) = (before.lines().collect::<Vec<_>>(), after.lines().collect::<Vec<_>>());
    let marked = marked_lines(&before, &after);
    let is_near = |place: usize| {
        let near = &marked[place.saturating_sub(CONTEXT)..(place + CONTEXT + 1).min(marked.len())];
        near.iter().any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut was_near = true;
    for (place, (mark, line)) in marked.iter().enumerate() {
        let shows = is_near(place);
        if shows {
            if !was_near && !text.is_empty() {
                text.push_str("...\n");
            }
            let _ = writeln!(text, "{mark}{line}");
        }
        was_near = shows;
    }
    text
}

/// How many lines of both texts are shown around a difference.
const CONTEXT: usize = 3;
/// The most pairs of lines that are compared; beyond that, all that lies between the ends that are equal differs.
const PAIRS_MAX: usize = 4_000_000;

fn marked_lines<'l>(before: &[&'l str], after: &[&'l str]) -> Vec<(char, &'l str)> {
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (left, right) = (&before[start..], &after[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(one, other)| one == other).count();
    let (left, right) = (&left[..left.len() - end], &right[..right.len() - end]);
    let mut marked = before[..start].iter().map(|line| (' ', *line)).collect::<Vec<_>>();
    if left.len().saturating_mul(right.len()) > PAIRS_MAX {
        marked.extend(left.iter().map(|line| ('-', *line)));
        marked.extend(right.iter().map(|line| ('+', *line)));
    } else {
        marked.extend(compared(left, right));
    }
    marked.extend(before[before.len() - end..].iter().map(|line| (' ', *line)));
    marked
}

/// The shortest way from one list of lines to the other.
fn compared<'l>(left: &[&'l str], right: &[&'l str]) -> Vec<(char, &'l str)> {
    let width = right.len() + 1;
    // How many lines the rests of both have in common, from each pair of places on.
    let mut common = vec![0_u32; (left.len() + 1) * width];
    for (place, line) in left.iter().enumerate().rev() {
        for (other, other_line) in right.iter().enumerate().rev() {
            common[place * width + other] = match line == other_line {
                true => common[(place + 1) * width + other + 1] + 1,
                false => common[(place + 1) * width + other].max(common[place * width + other + 1]),
            };
        }
    }
    let (mut place, mut other, mut marked) = (0, 0, Vec::new());
    while place < left.len() || other < right.len() {
        let has_both = place < left.len() && other < right.len();
        if has_both && left[place] == right[other] {
            marked.push((' ', left[place]));
            (place, other) = (place + 1, other + 1);
        } else if other == right.len()
            || has_both && common[(place + 1) * width + other] >= common[place * width + other + 1]
        {
            marked.push(('-', left[place]));
            place += 1;
        } else {
            marked.push(('+', right[other]));
            other += 1;
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use perennial_domain::policy::OnFailure;
    use perennial_domain::policy::PolicyMode;

    use super::*;

    #[test]
    fn a_binding_is_read_as_it_was_written() {
        let lists = SelectorLists {
            accounts: vec!["acme-*".to_owned()],
            tags: vec!["env=a=b".to_owned(), "owner".to_owned()],
            ..SelectorLists::default()
        };
        let policy = Policy {
            name: "p".to_owned(),
            script: "p.rhai".to_owned(),
            text: String::new(),
            rank: -3,
            mode: PolicyMode::Shadow,
            selector: lists.to_selector(),
            on_failure: OnFailure::Deny,
        };
        let text = PolicyBinding::of(&policy, "00ff").to_text();
        let expected = concat!(
            r#"{"digest":"00ff","script":"p.rhai","order":-3,"mode":"shadow","on_failure":"deny","accounts":["acme-*"],"#,
            r#""providers":[],"kinds":[],"tags":["env=a=b","owner"],"commands":[]}"#
        );
        assert_eq!(text, expected);
        assert_eq!(PolicyBinding::read(&text).unwrap().selector.to_selector(), policy.selector);
        assert_eq!(read_selector(&selector_text(&policy.selector)), Some(policy.selector));
        assert_eq!(PolicyBinding::read("{}"), None);
    }

    #[test]
    fn the_days_of_a_calendar_are_written_as_files_have_them() {
        let calendar = Calendar { name: "c".to_owned(), days: vec![(20_446, 20_455), (0, 0), (-1, 1)] };
        assert_eq!(days(&calendar).join(", "), "2025-12-24..2026-01-02, 1970-01-01, 1969-12-31..1970-01-02");
    }

    #[test]
    fn a_difference_shows_what_is_near_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
        let after = "a\nb\nC\nd\ne\nf\ng\nh\ni\nj\nk\nk2\nl\n";
        expect![[r"
             a
             b
            -c
            +C
             d
             e
             f
            ...
             i
             j
             k
            +k2
             l
        "]]
        .assert_eq(&line_difference(before, after));
        assert_eq!(line_difference(before, before), "");
        assert_eq!(line_difference("", "a\n"), "+a\n");
        let many = |letter: char| (0..3_000).map(|line| format!("{letter}{line}\n")).collect::<String>();
        assert_eq!(line_difference(&many('a'), &many('b')).lines().count(), 6_000);
    }
}
