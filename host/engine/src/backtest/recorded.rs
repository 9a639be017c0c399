//! What a database keeps of one plan: what a plugin was asked and answered, and what policies ruled on it, which follows it.

use perennial_domain::account_settings;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::RANK_DEFAULT;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::selector::Selector;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::decision;
use perennial_formats::decision::DecisionRequest;
use perennial_formats::decision::ruling;
use perennial_formats::decision::ruling::PolicyVersion;
use perennial_formats::decision::ruling::RulingRequest;
use perennial_store::decisions::Decision;

use crate::backtest::plan_ruling::PlanRuling;
use crate::replay;

/// What is kept of one plan.
#[derive(Debug)]
pub(super) struct RecordedPlan {
    /// When it was made.
    pub(super) at: Timestamp,
    /// The resource that was named.
    pub(super) resource: String,
    /// What the plugin was asked and answered; `None` where none was, as about an order that is paid.
    pub(super) planned: Option<PlanExchange>,
    /// What policies ruled, in order: a round of the chain each, or what shadow policies ruled beside it.
    pub(super) rulings: Vec<RecordedRuling>,
    /// Whether something of it cannot be read.
    pub(super) is_damaged: bool,
}

/// What a plugin was asked about a plan, and answered.
#[derive(Debug)]
pub(super) struct PlanExchange {
    /// The plugin's id.
    pub(super) plugin: String,
    /// What was asked about the plan.
    pub(super) request: DecisionRequest,
    /// The plan, or the provider's refusal.
    pub(super) answer: Result<Plan, Refusal>,
}

/// What policies were asked about a plan, and ruled.
#[derive(Debug)]
pub(super) struct RecordedRuling {
    /// What was asked about the plan.
    pub(super) request: RulingRequest,
    /// The answers, in the order of the policies.
    pub(super) answers: Vec<PolicyAnswer>,
}

/// Puts plans together from decisions in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    open: Option<RecordedPlan>,
}

impl Recorder {
    /// Takes the next decision; returns the plan before it, when that is complete.
    pub(super) fn add(&mut self, decision: &Decision) -> Option<RecordedPlan> {
        let is_ruling = replay::is_of_policies(decision);
        let open = self.open.as_mut();
        if let Some(open) = open.filter(|open| open.at == decision.at && open.resource == decision.resource) {
            if is_ruling {
                open.add_ruling(decision);
                return None;
            }
            // What they were asked about again is the plan that they had amended, and is kept behind their rulings.
            if open.active_rulings().count() > 1 {
                return self.open.take();
            }
        }
        let mut next = RecordedPlan::new(decision);
        if is_ruling {
            next.add_ruling(decision)
        } else {
            next.add_plan(decision)
        }
        self.open.replace(next)
    }

    /// The last plan.
    pub(super) fn finish(self) -> Option<RecordedPlan> {
        self.open
    }
}

impl RecordedPlan {
    fn new(decision: &Decision) -> RecordedPlan {
        let Decision { at, resource, .. } = decision;
        RecordedPlan {
            at: *at,
            resource: resource.clone(),
            planned: None,
            rulings: Vec::new(),
            is_damaged: false,
        }
    }

    fn add_plan(&mut self, decision: &Decision) {
        let Decision { plugin, contract, request, response, .. } = decision;
        let request = request.as_ref().ok().and_then(|text| decision::read_request(text, contract).ok());
        let answer = response.as_ref().ok().and_then(|text| decision::read_answer(text, contract).ok());
        let planned = request.zip(answer).filter(|(request, answer)| is_about_members(request, answer));
        self.is_damaged |= planned.is_none();
        self.planned =
            planned.map(|(request, answer)| PlanExchange { plugin: plugin.clone(), request, answer });
    }

    fn add_ruling(&mut self, decision: &Decision) {
        let Decision { contract, request, response, .. } = decision;
        let is_known = contract == ruling::CONTRACT;
        let request = request.as_ref().ok().filter(|_| is_known);
        let request = request.and_then(|text| ruling::read_request(text).ok());
        let answers = response.as_ref().ok().and_then(|text| ruling::read_answers(text).ok());
        let is_whole =
            |(request, answers): &(RulingRequest, Vec<PolicyAnswer>)| request.policies.len() == answers.len();
        match request.zip(answers).filter(is_whole) {
            Some((request, answers)) => self.rulings.push(RecordedRuling { request, answers }),
            None => self.is_damaged = true,
        }
    }

    /// The rounds of the chain; what shadow policies ruled is left out.
    fn active_rulings(&self) -> impl Iterator<Item = &RecordedRuling> {
        self.rulings.iter().filter(|ruling| !ruling.request.context.is_shadow)
    }

    /// The names under which approvals had been given for it.
    pub(super) fn approved(&self) -> &[String] {
        self.rulings.first().map_or(&[], |ruling| &ruling.request.context.approved)
    }

    /// Whether it was asked for through the provider's own API, as far as that is known.
    pub(super) fn is_provider_api(&self) -> bool {
        self.rulings.first().is_some_and(|ruling| ruling.request.context.is_provider_api)
    }

    /// What was ruled on the plan of `facts` where these approvals had been given.
    pub(super) fn followed(&self, facts: &PlanFacts, approved: &[String]) -> PlanRuling {
        let mut rounds = self.active_rulings().peekable();
        let Some(first) = rounds.peek() else { return PlanRuling::without_policies(facts) };
        let mut chain = Chain::new(ChainContext {
            on_policy_failure: account_settings::on_policy_failure(&first.request.account.settings),
            is_provider_api: self.is_provider_api(),
            approved: approved.to_vec(),
            requested: Vec::new(),
        });
        let mut is_amended = false;
        while let Some(RecordedRuling { request, answers }) = rounds.next() {
            let policies = request.policies.iter().map(policy).collect::<Vec<_>>();
            let mut answers = answers.clone();
            loop {
                let before = chain.clone();
                let pairs = policies.iter().zip(&answers).collect::<Vec<_>>();
                match chain.round(&request.plan, &pairs) {
                    ChainStep::Done(verdict) => {
                        return PlanRuling::new(&verdict, is_amended, &request.plan, &chain);
                    }
                    ChainStep::BeginAgain => {
                        is_amended = false;
                        break;
                    }
                    ChainStep::Amend { .. } if rounds.peek().is_some() => {
                        is_amended = true;
                        break;
                    }
                    // Nobody was asked again, because the amended plan could not be made.
                    ChainStep::Amend { answer, .. } => {
                        chain = before;
                        answers[answer].ruling = Ruling::Fail(ScriptFailure::whole(
                            "it amends to what cannot be planned".to_owned(),
                        ));
                    }
                }
            }
        }
        PlanRuling::without_policies(facts)
    }
}

/// Whether every step is about a member that there is: an answer is kept as the plugin gave it.
fn is_about_members(request: &DecisionRequest, answer: &Result<Plan, Refusal>) -> bool {
    let members = request.bundle.members.len();
    answer.as_ref().map_or(true, |plan| plan.steps.iter().all(|step| step.member.get() < members))
}

/// What the chain must know of a policy that ruled once.
pub(crate) fn policy(version: &PolicyVersion) -> Policy {
    Policy {
        name: version.name.clone(),
        script: String::new(),
        text: String::new(),
        rank: RANK_DEFAULT,
        mode: PolicyMode::Active,
        selector: Selector::default(),
        on_failure: version.on_failure,
    }
}
