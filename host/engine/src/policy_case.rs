//! One plan on its way through the chain: what was asked for, what it is amended to, and what is recorded of the rulings.
//!
//! Asks nobody; `ruling.rs` does.

use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::PolicyIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Renewal;
use perennial_domain::policy::Amendment;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::chain::Entry;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::policy::difference::Effect;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::figures::Figures;
use perennial_sandbox::PolicyAnswers;

use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::EntryIndex;
use crate::policies::ActivePolicies;
use crate::policies::Matching;
use crate::shadow_difference::ShadowDifference;
use crate::shadow_difference::ShadowRuling;

/// What a plan is by now.
pub(crate) struct PlanState {
    /// The command, with the amendments.
    pub(crate) command: Command,
    /// What the rules would do.
    pub(crate) plan: Plan,
    /// What policies are told of it.
    pub(crate) facts: PlanFacts,
    /// The fuel that the rules took over it, where an amendment led to it; else that is recorded already.
    pub(crate) fuel: u64,
}

/// What policies were asked about a plan and answered, as it is to be kept.
pub(crate) struct PolicyEvaluation {
    /// What they were told of the account, with the money that the plan was shown.
    pub(crate) account: AccountFacts,
    /// What they were told of the plan.
    pub(crate) facts: PlanFacts,
    /// The plans that were asked for again, and their answers.
    pub(crate) answers: PolicyAnswers,
    /// Whether they were asked beside those whose rulings count.
    pub(crate) is_shadow: bool,
}

/// A plan on its way through the chain.
pub(crate) struct Case {
    /// Its place among the plans that are ruled on together.
    pub(crate) number: usize,
    /// The bundle of the plan.
    pub(crate) entry: EntryIndex,
    /// The member that was named.
    pub(crate) member: MemberIndex,
    /// The account that pays.
    pub(crate) account: BatchAccountIndex,
    /// The policies that are asked about the plan.
    pub(crate) matching: Matching,
    /// What the chain knows beside the plan.
    pub(crate) context: ChainContext,
    /// The plan by now.
    pub(crate) state: PlanState,
    /// The money that it was shown or, before that, is to be shown; `None` leaves it to the interpreter, which asks the
    /// plans of the account in turn.
    pub(crate) figures: Option<Figures>,
    /// What the rulings come to, once they are known.
    pub(crate) verdict: Option<Verdict>,
    /// What policies were asked and answered, if that is kept.
    pub(crate) evaluations: Vec<PolicyEvaluation>,
    /// As it was asked for; `None` while nothing amended it.
    original: Option<PlanState>,
    chain: Chain,
    answers: Vec<PolicyAnswer>,
    /// How much of what the chain records is of its first round; `None` before that.
    first_entries: Option<usize>,
    /// What the last round wants of the plan.
    pending_amendment: Option<PendingAmendment>,
    /// What shadow policies did, each with its place in the set.
    shadow_events: Vec<(PolicyIndex, EventKind)>,
    /// What shadow policies ruled.
    pub(crate) shadow_rulings: Vec<ShadowRuling>,
}

/// An amendment that is to be made.
struct PendingAmendment {
    /// The chain before the round, and its entries of the first one.
    before: (Chain, Option<usize>),
    /// The place of the answer that wants it.
    answer: usize,
    amendment: Amendment,
}

impl Case {
    /// A plan that nobody was asked about; `about` is its bundle, the member named, and the account.
    pub(crate) fn new(
        number: usize,
        about: (EntryIndex, MemberIndex, BatchAccountIndex),
        matching: Matching,
        context: ChainContext,
        state: PlanState,
    ) -> Case {
        let (entry, member, account) = about;
        Case {
            number,
            entry,
            member,
            account,
            matching,
            chain: Chain::new(context.clone()),
            context,
            state,
            original: None,
            figures: None,
            answers: Vec::new(),
            first_entries: None,
            pending_amendment: None,
            shadow_events: Vec::new(),
            shadow_rulings: Vec::new(),
            verdict: None,
            evaluations: Vec::new(),
        }
    }

    /// Forgets everything that was asked and answered; the money that it is shown next is `figures`.
    pub(crate) fn begin_again(&mut self, figures: Figures) {
        if let Some(original) = self.original.take() {
            self.state = original;
        }
        self.chain = Chain::new(self.context.clone());
        self.figures = Some(figures);
        (self.first_entries, self.pending_amendment, self.verdict) = (None, None, None);
        self.answers.clear();
        self.evaluations.clear();
        self.shadow_events.clear();
        self.shadow_rulings.clear();
    }

    /// Keeps what policies were asked and answered.
    pub(crate) fn add_evaluation(&mut self, evaluation: PolicyEvaluation) {
        self.evaluations.push(evaluation);
    }

    /// What the policies say of the plan as it is.
    pub(crate) fn take_answers(&mut self, answers: Vec<PolicyAnswer>) {
        self.answers = answers;
    }

    /// A round of the chain; returns whether the policies are to be asked again: about the plan as it is to be amended, or about
    /// the plan as it was at first.
    pub(crate) fn step(&mut self, policies: &ActivePolicies) -> bool {
        let before = (self.chain.clone(), self.first_entries);
        let asked = self.matching.active.iter().map(|index| policies.policy(*index));
        let pairs = asked.zip(&self.answers).collect::<Vec<(&Policy, &PolicyAnswer)>>();
        let next = self.chain.round(&self.state.facts, &pairs);
        self.first_entries.get_or_insert(self.chain.entries().len());
        match next {
            ChainStep::Done(verdict) => {
                self.verdict = Some(verdict);
                false
            }
            ChainStep::Amend { answer, amendment } => {
                self.pending_amendment = Some(PendingAmendment { before, answer, amendment });
                true
            }
            ChainStep::BeginAgain => {
                if let Some(original) = self.original.take() {
                    self.state = original;
                }
                self.first_entries = None;
                self.answers.clear();
                true
            }
        }
    }

    /// The command that the last round wants instead, if it wants one; its client token, in the option called `token`, stays.
    pub(crate) fn amended_command(&self, token: Option<&str>) -> Option<Command> {
        let pending = self.pending_amendment.as_ref()?;
        Some(self.command_with(&pending.amendment, token))
    }

    /// The command as `amendment` changes it; its client token, in the option called `token`, stays.
    pub(crate) fn command_with(&self, amendment: &Amendment, token: Option<&str>) -> Command {
        amended(&self.state.command, amendment, token)
    }

    /// The plan that the amendment led to; nobody was asked about it yet.
    pub(crate) fn replace(&mut self, state: PlanState) {
        let before = std::mem::replace(&mut self.state, state);
        self.original.get_or_insert(before);
        self.pending_amendment = None;
        self.answers.clear();
    }

    /// The amendment cannot be made: the policy that wants it has failed, and the round is as though it had said so.
    pub(crate) fn fail_amendment(&mut self, why: String) {
        if let Some(PendingAmendment { before, answer, .. }) = self.pending_amendment.take() {
            (self.chain, self.first_entries) = before;
            self.answers[answer].ruling = Ruling::Fail(ScriptFailure::whole(why));
        }
    }

    /// Whether no policy has answered about the present plan yet.
    pub(crate) fn has_no_answers(&self) -> bool {
        self.answers.is_empty()
    }

    /// Whether it is another plan than was asked for.
    pub(crate) fn is_amended(&self) -> bool {
        self.original.is_some()
    }

    /// Whether its rulings were made on what the account has.
    pub(crate) fn saw(&self, actual: Figures, has_budget: bool) -> bool {
        let is_same =
            |shown: Figures| shown.balance == actual.balance && (!has_budget || shown.spent == actual.spent);
        self.matching.is_empty() || self.figures.is_none_or(is_same)
    }

    /// Whether it meets the money; with `grants_approvals`, also when it waits for one.
    pub(crate) fn is_approved(&self, grants_approvals: bool) -> bool {
        match &self.verdict {
            Some(Verdict::Approve) | None => true,
            Some(Verdict::RequireApproval { postponement, .. }) => grants_approvals && postponement.is_none(),
            Some(Verdict::Deny { .. } | Verdict::Defer(_)) => false,
        }
    }

    /// Records what shadow policies answered about the plan as it was asked for, `facts` being what they were told.
    pub(crate) fn record_shadows(
        &mut self,
        policies: &ActivePolicies,
        facts: &PlanFacts,
        answers: &[PolicyAnswer],
    ) {
        for (index, answer) in self.matching.shadow.iter().zip(answers) {
            let mut chain = Chain::new(self.context.clone());
            let next = chain.round(facts, &[(policies.policy(*index), answer)]);
            let digest = policies.digest(*index);
            let ruling = ShadowRuling::of(&policies.policy(*index).name, digest, &next, chain.entries());
            self.shadow_rulings.push(ruling);
            let events = chain.into_entries().into_iter().map(|entry| (*index, self.event(entry, true)));
            let events = events.collect::<Vec<_>>();
            self.shadow_events.extend(events);
        }
    }

    /// What is recorded, in the order of the chain.
    pub(crate) fn events(&self, policies: &ActivePolicies) -> Vec<EventKind> {
        let entries = self.chain.entries();
        let (first, later) = entries.split_at(self.first_entries.unwrap_or_default());
        let index = |entry: &Entry| match entry {
            Entry::Note { policy, .. } | Entry::Ruled { policy, .. } => policies.index(policy),
        };
        let mut first = first
            .iter()
            .map(|entry| (index(entry), self.event(entry.clone(), false)))
            .chain(self.shadow_events.iter().cloned())
            .collect::<Vec<_>>();
        first.sort_by_key(|(index, _)| *index);
        let first = first.into_iter().map(|(_, event)| event);
        first.chain(later.iter().map(|entry| self.event(entry.clone(), false))).collect()
    }

    /// What shadow policies would have done otherwise than is done.
    pub(crate) fn differences(&self) -> Vec<ShadowDifference> {
        let verdict = self.verdict.as_ref().unwrap_or(&Verdict::Approve);
        let followed = Effect::of_verdict(verdict, self.is_amended());
        let PlanState { command, facts, .. } = &self.state;
        let expires_before = facts.members.get(self.member.get()).and_then(|(member, _)| member.expires_at);
        let other = self.shadow_rulings.iter().filter(|ruling| ruling.differs(followed, verdict, facts));
        let difference = |ruling: &ShadowRuling| ShadowDifference {
            ruling: ruling.clone(),
            member: self.member,
            at: facts.at,
            command: command.name(),
            cause: command.cause(),
            expires_before,
            followed,
            cost: facts.cost,
        };
        other.map(difference).collect()
    }

    fn event(&self, entry: Entry, shadow: bool) -> EventKind {
        match entry {
            Entry::Note { policy, text } => EventKind::PolicyNote { policy, text, shadow },
            Entry::Ruled { policy, kind, reason, until } => EventKind::PolicyRuled {
                policy,
                ruling: kind,
                command: self.state.command.name().to_owned(),
                cause: self.state.command.cause(),
                reason,
                until,
                shadow,
            },
        }
    }
}

/// `command` as `amendment` changes it; its client token, in the option called `token`, stays. Only renewals change.
pub(crate) fn amended(command: &Command, amendment: &Amendment, token: Option<&str>) -> Command {
    let Command::Renew(renewal) = command else { return command.clone() };
    let kept = token.and_then(|token| renewal.options.get_key_value(token));
    let options = amendment.options.as_ref().map(|options| {
        let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
        options.clone().into_iter().chain(kept).collect()
    });
    Command::Renew(Renewal {
        term: amendment.term.or(renewal.term),
        cause: renewal.cause,
        options: options.unwrap_or_else(|| renewal.options.clone()),
    })
}
