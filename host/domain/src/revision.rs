//! Revisions of plugins beside each other: which of them decides for an account, and how their answers to one question differ.
//!
//! Does not know where revisions are kept, or what runs them.

use crate::apply;
use crate::bundle::Bundle;
use crate::plan::Plan;
use crate::plan::Refusal;
use crate::policy::selector::matches_pattern;
use crate::timestamp::Timestamp;

/// Whether a revision's answers are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BindingMode {
    /// The revision decides.
    Active,
    /// It is asked the same beside the active one; how its answers differ is kept, and nothing of them is followed.
    Shadow,
}

impl BindingMode {
    /// Both modes, for parsing and for lists of choices.
    pub const ALL: [BindingMode; 2] = [BindingMode::Active, BindingMode::Shadow];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            BindingMode::Active => "active",
            BindingMode::Shadow => "shadow",
        }
    }

    /// Its number in the database.
    pub const fn code(self) -> i64 {
        match self {
            BindingMode::Active => 0,
            BindingMode::Shadow => 1,
        }
    }

    /// The mode with this number.
    pub fn from_code(code: i64) -> Option<BindingMode> {
        BindingMode::ALL.into_iter().find(|mode| mode.code() == code)
    }
}

/// Who says that a revision is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BindingOrigin {
    /// The program, the configuration or `--plugin`: another revision there is another binding here.
    Loaded,
    /// An operator: the accounts are pinned, whatever the host loads.
    Operator,
}

impl BindingOrigin {
    /// Both origins, for parsing.
    pub const ALL: [BindingOrigin; 2] = [BindingOrigin::Loaded, BindingOrigin::Operator];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            BindingOrigin::Loaded => "loaded",
            BindingOrigin::Operator => "operator",
        }
    }

    /// Its number in the database.
    pub const fn code(self) -> i64 {
        match self {
            BindingOrigin::Loaded => 0,
            BindingOrigin::Operator => 1,
        }
    }

    /// The origin with this number.
    pub fn from_code(code: i64) -> Option<BindingOrigin> {
        BindingOrigin::ALL.into_iter().find(|origin| origin.code() == code)
    }
}

/// The pattern that every account matches.
pub const ALL_ACCOUNTS: &str = "*";

/// Whether a binding for `pattern` is one for the account with this id: `*` is any run of characters.
pub fn is_for(pattern: &str, account: &str) -> bool {
    matches_pattern(pattern, account)
}

/// How narrow a pattern of accounts is. Of those that match an account, the binding with the greatest one holds: an id before a
/// pattern, a pattern with more characters before one with fewer, and the first by its letters of two that are alike.
pub fn narrowness(pattern: &str) -> (bool, usize, std::cmp::Reverse<&str>) {
    let characters = pattern.chars().filter(|character| *character != '*').count();
    (!pattern.contains('*'), characters, std::cmp::Reverse(pattern))
}

/// How the answer of a shadow revision differs from the one that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RevisionDifference {
    /// Something else lies ahead of the bundle, or at another instant.
    Timeline,
    /// What is done would be refused.
    Refused,
    /// What is refused would be done.
    Allowed,
    /// Both refuse, for another reason.
    Refusal,
    /// Both do it, for another amount: what it costs less what it gives back.
    Price,
    /// Both do it for the same amount, with other steps.
    Plan,
    /// The shadow gave no usable answer.
    Failed,
    /// A use is taken of other packages, or tells their owner something else.
    Usage,
}

impl RevisionDifference {
    /// Every kind, for parsing and for lists of choices.
    pub const ALL: [RevisionDifference; 8] = [
        RevisionDifference::Timeline,
        RevisionDifference::Refused,
        RevisionDifference::Allowed,
        RevisionDifference::Refusal,
        RevisionDifference::Price,
        RevisionDifference::Plan,
        RevisionDifference::Failed,
        RevisionDifference::Usage,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            RevisionDifference::Timeline => "timeline",
            RevisionDifference::Refused => "refused",
            RevisionDifference::Allowed => "allowed",
            RevisionDifference::Refusal => "refusal",
            RevisionDifference::Price => "price",
            RevisionDifference::Plan => "plan",
            RevisionDifference::Failed => "failed",
            RevisionDifference::Usage => "usage",
        }
    }

    /// Its number in the database.
    pub const fn code(self) -> i64 {
        match self {
            RevisionDifference::Timeline => 0,
            RevisionDifference::Refused => 1,
            RevisionDifference::Allowed => 2,
            RevisionDifference::Refusal => 3,
            RevisionDifference::Price => 4,
            RevisionDifference::Plan => 5,
            RevisionDifference::Failed => 6,
            RevisionDifference::Usage => 7,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: i64) -> Option<RevisionDifference> {
        RevisionDifference::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// How two answers to one question about `bundle` at `at` differ; `None` when they are the same. The words of a refusal do
    /// not count, its code does.
    pub fn of_plans(
        followed: &Result<Plan, Refusal>,
        shadow: &Result<Plan, Refusal>,
        bundle: &Bundle,
        at: Timestamp,
    ) -> Option<RevisionDifference> {
        match (followed, shadow) {
            (Err(followed), Err(shadow)) if followed.code == shadow.code => None,
            (Err(_), Err(_)) => Some(RevisionDifference::Refusal),
            (Ok(_), Err(_)) => Some(RevisionDifference::Refused),
            (Err(_), Ok(_)) => Some(RevisionDifference::Allowed),
            (Ok(followed), Ok(shadow)) if followed == shadow => None,
            (Ok(followed), Ok(shadow)) => {
                match apply::net_cost(followed, bundle, at) == apply::net_cost(shadow, bundle, at) {
                    true => Some(RevisionDifference::Plan),
                    false => Some(RevisionDifference::Price),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::MemberIndex;
    use crate::index::OrderIndex;
    use crate::micros::Micros;
    use crate::plan::Cancellation;
    use crate::plan::Operation;
    use crate::plan::Refund;
    use crate::plan::Scope;
    use crate::plan::Step;
    use crate::sample::at;
    use crate::sample::money;
    use crate::sample::resource;

    #[test]
    fn the_narrowest_pattern_of_an_account_holds() {
        let narrowest = |account: &str, patterns: &[&'static str]| {
            let matching = patterns.iter().copied().filter(|pattern| is_for(pattern, account));
            matching.max_by_key(|pattern| narrowness(pattern))
        };
        let patterns = ["*", "acme-*", "*-hw", "acme-h*", "acme-hw"];
        assert_eq!(narrowest("acme-hw", &patterns), Some("acme-hw"));
        assert_eq!(narrowest("acme-hx", &patterns), Some("acme-h*"));
        assert_eq!(narrowest("acme-bd", &patterns), Some("acme-*"));
        assert_eq!(narrowest("other-hw", &patterns), Some("*-hw"));
        assert_eq!(narrowest("other", &patterns), Some("*"));
        assert_eq!(narrowest("other", &patterns[1..]), None);
        assert_eq!(
            narrowest("ab", &["b*a*", "a*", "*b"]),
            Some("*b"),
            "of two that are alike, the first by its letters"
        );
    }

    #[test]
    fn two_unsubscriptions_that_give_back_different_money_differ_in_price() {
        let bundle = Bundle { members: vec![resource("a")] };
        let ending = |amounts: &[&str]| {
            let refund = |amount: &&str| Refund {
                order: OrderIndex::new(0),
                amount: money(amount),
                fee: Micros::ZERO,
            };
            let refunds = amounts.iter().map(refund).collect();
            let ending = Cancellation { scope: Scope::All, expires_at: None, refunds };
            let operation = Operation::EndSubscription(ending);
            Ok(Plan::of(vec![Step { member: MemberIndex::PRIMARY, operation }]))
        };
        let difference = |followed: &[&str], shadow: &[&str]| {
            RevisionDifference::of_plans(&ending(followed), &ending(shadow), &bundle, at("2026-03-01"))
        };
        assert_eq!(difference(&["20"], &["20"]), None);
        assert_eq!(difference(&["20"], &["12"]), Some(RevisionDifference::Price));
        assert_eq!(difference(&["20"], &["12", "8"]), Some(RevisionDifference::Plan), "as much, otherwise");
        let plan = ending(&["12", "8"]).unwrap();
        assert_eq!(apply::net_cost(&plan, &bundle, at("2026-03-01")), money("-20"));
    }

    #[test]
    fn codes_in_databases_stay_what_they_are() {
        let codes = RevisionDifference::ALL.map(|kind| {
            assert_eq!(RevisionDifference::from_code(kind.code()), Some(kind));
            format!("{}={}", kind.code(), kind.name())
        });
        assert_eq!(
            codes.join(" "),
            "0=timeline 1=refused 2=allowed 3=refusal 4=price 5=plan 6=failed 7=usage"
        );
        assert_eq!(RevisionDifference::from_code(8), None);
        let modes =
            BindingMode::ALL.map(|mode| (BindingMode::from_code(mode.code()), mode.code(), mode.name()));
        assert_eq!(
            modes,
            [(Some(BindingMode::Active), 0, "active"), (Some(BindingMode::Shadow), 1, "shadow")]
        );
        let origins =
            BindingOrigin::ALL.map(|one| (BindingOrigin::from_code(one.code()), one.code(), one.name()));
        assert_eq!(
            origins,
            [(Some(BindingOrigin::Loaded), 0, "loaded"), (Some(BindingOrigin::Operator), 1, "operator")]
        );
    }
}
