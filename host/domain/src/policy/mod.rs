//! Policies: scripts of an operator that rule on plans, between planning and money.
//!
//! Knows what a policy is asked about ([`facts`], [`figures`]), which plans it is asked about ([`selector`]), what it can rule, and what
//! its rulings come to together ([`chain`]), when what was put off is tried ([`deferral`]), and what a shadow policy would have
//! done otherwise ([`difference`]). Does not know how scripts are run, or where policies are kept.

pub mod chain;
pub mod deferral;
pub mod difference;
pub mod facts;
pub mod figures;
pub mod selector;
mod verdict;

use std::collections::BTreeMap;

use crate::policy::selector::Selector;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// The rank of a policy that states none.
pub const RANK_DEFAULT: i64 = 100;

/// A policy of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Unique among the policies of a set: lower case letters, digits and dashes.
    pub name: String,
    /// The file of its script, as the set names it.
    pub script: String,
    /// What stands in that file.
    pub text: String,
    /// `order` in the file: policies are asked in ascending rank, those of one rank by name.
    pub rank: i64,
    /// Whether its rulings are followed.
    pub mode: PolicyMode,
    /// The plans that it is asked about.
    pub selector: Selector,
    /// What its failure comes to.
    pub on_failure: OnFailure,
}

/// Whether a policy's rulings count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyMode {
    /// Its rulings are followed.
    Active,
    /// It is asked beside the active ones; what it rules is recorded and not followed.
    Shadow,
}

impl PolicyMode {
    /// Both modes, for parsing and for lists of choices.
    pub const ALL: [PolicyMode; 2] = [PolicyMode::Active, PolicyMode::Shadow];

    /// `active` or `shadow`.
    pub const fn name(self) -> &'static str {
        match self {
            PolicyMode::Active => "active",
            PolicyMode::Shadow => "shadow",
        }
    }
}

/// What the failure of a policy comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// A policy leaves it to its account, an account to the command: what keeps a resource alive goes on.
    #[default]
    Default,
    /// The plan is carried out.
    Approve,
    /// The plan is not carried out.
    Deny,
    /// The plan waits for an approval.
    RequireApproval,
}

impl OnFailure {
    /// Every choice, for parsing and for lists of choices.
    pub const ALL: [OnFailure; 4] =
        [OnFailure::Default, OnFailure::Approve, OnFailure::Deny, OnFailure::RequireApproval];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            OnFailure::Default => "default",
            OnFailure::Approve => "approve",
            OnFailure::Deny => "deny",
            OnFailure::RequireApproval => "require_approval",
        }
    }

    /// What holds for a command when neither the policy nor the account says otherwise: what keeps a resource alive goes
    /// on, everything else waits for a person.
    pub(crate) fn of_command(command: &str) -> OnFailure {
        match command {
            "renew" | "set_auto_renew" | "cancel_conversion" | "buy_again" => OnFailure::Approve,
            _ => OnFailure::RequireApproval,
        }
    }
}

/// Days with a name, which scripts ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Unique among the calendars of a set.
    pub name: String,
    /// First and last day of each range, both belonging to it, in days since 1970-01-01.
    pub days: Vec<(i32, i32)>,
}

impl Calendar {
    /// The calendar on whose days nothing is paid at providers, where there is one of that name and time is left.
    pub const FREEZE: &'static str = "freeze";

    /// Whether it has the day of `at`, where days are `offset_minutes` ahead of UTC.
    pub fn has_day_of(&self, at: Timestamp, offset_minutes: i16) -> bool {
        let day = (at.as_second() + i64::from(offset_minutes) * 60).div_euclid(86_400);
        self.days.iter().any(|(first, last)| (i64::from(*first)..=i64::from(*last)).contains(&day))
    }
}

/// The policies that hold together, with the calendars of their scripts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// In the order of the chain, whatever their mode.
    pub policies: Vec<Policy>,
    /// In the order of the file.
    pub calendars: Vec<Calendar>,
}

impl PolicySet {
    /// A script without a policy file: one active policy of this name, which is asked about every plan.
    pub fn of_script(name: String, script: String, text: String) -> PolicySet {
        let policy = Policy {
            name,
            script,
            text,
            rank: RANK_DEFAULT,
            mode: PolicyMode::Active,
            selector: Selector::default(),
            on_failure: OnFailure::Default,
        };
        PolicySet { policies: vec![policy], calendars: Vec::new() }
    }
}

/// What a policy rules on a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The policy has nothing against the plan.
    Approve,
    /// The plan is not done.
    Deny {
        /// In the script's words.
        reason: String,
    },
    /// It waits until somebody approves of it.
    RequireApproval {
        /// In the script's words.
        reason: String,
        /// The label that the approver's token has; `None` is any approver.
        by: Option<String>,
        /// When the approval expires; `None` leaves that to the host.
        expires_at: Option<Timestamp>,
    },
    /// It is not done before an instant.
    Defer {
        /// The instant before which the plan is not carried out.
        until: Timestamp,
        /// In the script's words.
        reason: String,
    },
    /// It is done with another term or other options.
    Amend {
        /// The other term or options to plan with.
        amendment: Amendment,
        /// In the script's words.
        reason: String,
    },
    /// The script gave no ruling.
    Fail(ScriptFailure),
}

/// Another term, or other options, of a renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// `None` keeps the term.
    pub term: Option<Term>,
    /// `None` keeps the options.
    pub options: Option<BTreeMap<String, String>>,
}

impl std::fmt::Display for Amendment {
    /// Such as `for 3 months, with is_auto_pay=1`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let term = self.term.map(|term| format!("for {term}"));
        let options = self.options.as_ref().map(|options| {
            let pairs = options.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            if pairs.is_empty() { "without options".to_owned() } else { format!("with {}", pairs.join(", ")) }
        });
        f.write_str(&term.into_iter().chain(options).collect::<Vec<_>>().join(", "))
    }
}

/// Why a script gave no ruling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptFailure {
    /// What failed, in words.
    pub message: String,
    /// The function that failed; empty where that is not known.
    pub function: String,
    /// The line, from 1; 0 where that is not known.
    pub line: u32,
    /// The column, from 1; 0 where that is not known.
    pub column: u32,
    /// The line itself, with the blanks before it.
    pub text: String,
}

impl ScriptFailure {
    /// One without a place in the script.
    pub fn whole(message: String) -> ScriptFailure {
        ScriptFailure { message, ..ScriptFailure::default() }
    }
}

impl std::fmt::Display for ScriptFailure {
    /// On one line: the message and, where it is known, the place.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        let text = self.text.trim();
        match (self.line, self.function.as_str()) {
            (0, "") => Ok(()),
            (0, function) => write!(f, " (in `{function}`)"),
            (line, "") => write!(f, " (line {line}, column {}: `{text}`)", self.column),
            (line, function) => {
                write!(f, " (in `{function}`, line {line}, column {}: `{text}`)", self.column)
            }
        }
    }
}

/// A ruling, and what the script noted on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAnswer {
    /// What the script returned.
    pub ruling: Ruling,
    /// The texts that the script noted, in order.
    pub notes: Vec<String>,
}
