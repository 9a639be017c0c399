//! Why a resource is where it is and what comes next, as clients receive it. Knows the shape; the engine finds the words.

use serde::Serialize;
use utoipa::ToSchema;

use crate::plan::RefusalView;

/// Why a resource is where it is, what comes next and why, and what was decided last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationView {
    /// The ID of the resource.
    pub resource: String,
    /// The ID of its account.
    pub account: String,
    /// The id of the plugin that has the rules.
    pub provider: String,
    /// The instant as of which this is said.
    #[schema(format = DateTime)]
    pub at: String,
    /// `active`, `grace`, `retention`, `released`, `unsubscribed` or `converted`.
    pub stage: &'static str,
    /// When it entered its stage; null where that is not known, as of what was imported.
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// What its future depends on: `renews`, `renews_with_primary`, `awaits_approval`, `deferred`, `denied`, `declined`,
    /// `rejected`, `not_renewed`, `awaits_payment`, `auto_renew_off`, `converts`, `releases`, `plugin_failing`, `parked`,
    /// `plugin_missing`, `awaits_clock`, `pay_per_use` or `ended`.
    pub situation: &'static str,
    /// All of it in sentences: where it is and why, what comes next and why, and what was decided last.
    pub text: Vec<String>,
    /// Why it is where it is, the most important reason first.
    pub reasons: Vec<ReasonView>,
    /// What comes next, in time order: the next of each kind that matters.
    pub next: Vec<NextView>,
    /// What a plugin was asked last about it, or about the resource that it is renewed with; null if nothing is kept.
    pub last_decision: Option<LastDecisionView>,
    /// What policies ruled last about a plan of it, or of the resource that it is renewed with; null if nothing is kept.
    pub last_ruling: Option<LastRulingView>,
}

/// What policies were asked and ruled last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LastRuling)]
pub struct LastRulingView {
    /// The number of the decision, which `perennial replay` takes.
    pub decision: String,
    /// When they were asked.
    #[schema(format = DateTime)]
    pub at: String,
    /// The resource that was named.
    pub resource: String,
    /// The digest of the revision of what ran the scripts.
    pub revision: String,
    /// Each policy that was asked, in the order of the chain; empty where what is kept is damaged.
    pub policies: Vec<PolicyRulingView>,
    /// The ruling, in words.
    pub text: String,
}

/// What one policy ruled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyRuling)]
pub struct PolicyRulingView {
    /// The name of the policy.
    pub policy: String,
    /// The digest of its script.
    pub script: String,
    /// `approve`, `deny`, `require_approval`, `defer`, `amend` or `fail`.
    pub ruling: String,
    /// Its words, or why it failed; null for an approval.
    pub reason: Option<String>,
}

/// A reason. What it does not concern is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reason)]
pub struct ReasonView {
    /// One word for the kind of reason: a situation, or `expired`, `stage_entered`.
    pub code: &'static str,
    /// The reason, in words.
    pub text: String,
    /// Since when it is so, or when it was said.
    #[schema(format = DateTime)]
    pub at: Option<String>,
    /// The policy that ruled.
    pub policy: Option<String>,
    /// The ID of the approval that it waits for.
    pub approval: Option<String>,
    /// The ID of the order that waits to be paid.
    pub order: Option<String>,
    /// What the provider says.
    pub refusal: Option<RefusalView>,
    /// The settings that it is so by.
    pub settings: Vec<SettingReasonView>,
}

/// A setting that decides when something happens, or whether it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SettingReason)]
pub struct SettingReasonView {
    /// The name of the setting.
    pub name: String,
    /// Its value; null where the account has none and there is no single default.
    pub value: Option<String>,
    /// Whether the value is the default: the account does not set it.
    pub is_default: bool,
    /// The rule that it is part of, in the plugin's words.
    pub rule: String,
    /// The provider's document that the rule is from, by its title or number; null where the plugin names none.
    pub document: Option<String>,
}

/// Something that comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = NextStep)]
pub struct NextView {
    /// When it is due.
    #[schema(format = DateTime)]
    pub at: String,
    /// The resource that it happens to: the one explained, or the one that it is renewed with.
    pub resource: String,
    /// `try_renewal`, `enter`, `convert`, `set_attribute`, `refill`, `notice`, `approval_expires`, `order_expires` or
    /// `ask_plugin`.
    pub action: &'static str,
    /// The stage that it enters; null unless it enters one.
    pub stage: Option<&'static str>,
    /// What it costs, a decimal; null where it costs nothing or that is not known.
    pub cost: Option<String>,
    /// What is between the instant and its being done: why a try would fail, as it looks now; null if nothing is.
    pub obstacle: Option<String>,
    /// The policies that are asked before it is done.
    pub policies: Vec<String>,
    /// The settings that it is due at this instant by.
    pub settings: Vec<SettingReasonView>,
    /// What comes next, in words.
    pub text: String,
}

/// What a plugin was asked and answered last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LastDecision)]
pub struct LastDecisionView {
    /// The number of the decision, which `perennial replay` takes.
    pub decision: String,
    /// When it was asked.
    #[schema(format = DateTime)]
    pub at: String,
    /// The resource that was named.
    pub resource: String,
    /// The ID of the plugin.
    pub plugin: String,
    /// The digest of its revision.
    pub revision: String,
    /// The command that it was asked about; null where what is kept is damaged.
    pub command: Option<&'static str>,
    /// `planned`, `refused` or `damaged`.
    pub outcome: &'static str,
    /// Why the provider refuses; null unless it does.
    pub refusal: Option<RefusalView>,
    /// The decision, in words.
    pub text: String,
}
