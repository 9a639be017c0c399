//! Asks policies about plans of the past, and makes anew what they amend.

use perennial_domain::account::Mode;
use perennial_domain::account_settings;
use perennial_domain::index::AccountIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::policy::Amendment;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::chain::Chain;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::ChainStep;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;

use crate::backtest::plan_ruling::PlanRuling;
use crate::backtest::recorded::PlanExchange;
use crate::backtest::recorded::RecordedPlan;
use crate::backtest::tested_plan::TestedPlan;
use crate::policies::ActivePolicies;
use crate::policy_case;
use crate::policy_facts;
use crate::replay;
use crate::rules::Providers;

/// A plan on its way through the chain.
pub(super) struct Case {
    plan: RecordedPlan,
    account: AccountFacts,
    /// As it was made, and what was asked for; `None` where that is not known.
    original: (PlanFacts, Option<Command>),
    /// As it is amended.
    facts: PlanFacts,
    /// What is asked for, with the amendments; `None` where that is not known.
    command: Option<Command>,
    chain: Chain,
    is_amended: bool,
    ruling: Option<PlanRuling>,
}

impl Case {
    /// A plan that nobody was asked about yet.
    pub(super) fn new(
        policies: &ActivePolicies,
        plan: RecordedPlan,
        (account, original): (AccountFacts, PlanFacts),
    ) -> Case {
        let places = policies.active_for(&account, &original);
        let facts = PlanFacts { policies: places, ..original.clone() };
        let chain = Chain::new(ChainContext {
            on_policy_failure: account_settings::on_policy_failure(&account.settings),
            is_provider_api: plan.is_provider_api(),
            approved: Vec::new(),
            requested: Vec::new(),
        });
        let ruling = facts.policies.is_empty().then(|| PlanRuling::without_policies(&facts));
        let command = plan.planned.as_ref().map(|planned| planned.request.command.clone());
        let original = (original, command.clone());
        Case { plan, account, original, facts, command, chain, is_amended: false, ruling }
    }

    /// A round of the chain, or more, if what it wants cannot be planned.
    fn round(&mut self, policies: &ActivePolicies, providers: &Providers, mut answers: Vec<PolicyAnswer>) {
        loop {
            let before = self.chain.clone();
            let asked = self.facts.policies.iter().map(|index| policies.policy(*index));
            let pairs = asked.zip(&answers).collect::<Vec<_>>();
            match self.chain.round(&self.facts, &pairs) {
                ChainStep::Done(verdict) => {
                    self.ruling = Some(PlanRuling::new(&verdict, self.is_amended, &self.facts, &self.chain));
                    return;
                }
                ChainStep::BeginAgain => {
                    let (facts, command) = self.original.clone();
                    let policies = std::mem::take(&mut self.facts.policies);
                    self.facts = PlanFacts { policies, ..facts };
                    (self.command, self.is_amended) = (command, false);
                    return;
                }
                ChainStep::Amend { answer, amendment } => match self.amend(providers, &amendment) {
                    Ok(()) => return,
                    Err(why) => {
                        self.chain = before;
                        answers[answer].ruling = Ruling::Fail(ScriptFailure::whole(why));
                    }
                },
            }
        }
    }

    /// Makes the plan anew as it is amended, or says why that cannot be done.
    fn amend(&mut self, providers: &Providers, amendment: &Amendment) -> Result<(), String> {
        let (Some(command), Some(PlanExchange { plugin, request, .. })) = (&self.command, &self.plan.planned)
        else {
            return Err("it amends a plan of which it is not kept how it was made".to_owned());
        };
        let rules = providers.get(plugin).ok_or_else(|| format!("no plugin `{plugin}` is loaded"))?;
        let token = rules.manifest().idempotency.as_ref().map(|how| how.option_name.as_str());
        let command = policy_case::amended(command, amendment, token);
        let account = replay::account_of(request, plugin);
        let request = PlanRequest {
            at: request.at,
            account: AccountIndex::new(0),
            command: &command,
            member: request.member,
            bundle: &request.bundle,
            orders: &request.orders,
        };
        let plan = match rules.make_plans(&[&account], &[request]).pop() {
            Some(Ok(PlanAnswer { plan: Ok(plan), .. })) => plan,
            Some(Ok(PlanAnswer { plan: Err(refusal), .. })) => {
                let (message, code) = (refusal.message, refusal.code);
                return Err(format!("it amends to what the provider refuses: {message} ({code})"));
            }
            Some(Err(error)) => return Err(format!("it amends to what cannot be planned: {error}")),
            None => return Err("it amends to what cannot be planned".to_owned()),
        };
        self.facts = self.amended_facts(&command, &plan, token);
        (self.command, self.is_amended) = (Some(command), true);
        Ok(())
    }

    fn amended_facts(&self, command: &Command, plan: &Plan, token: Option<&str>) -> PlanFacts {
        let PlanFacts { members, at, tries, requested_by, policies, is_pending, .. } = self.facts.clone();
        let options = policy_facts::options_without(command, token);
        let facts = PlanFacts::of_plan(self.facts.account, Mode::Managed, command, plan, members, at);
        // What the cloud quoted no price of has none for another term either.
        let cost = self.facts.cost.and(facts.cost);
        PlanFacts { cost, options, tries, requested_by, policies, is_pending, ..facts }
    }

    /// What came of it, once it was ruled on.
    pub(super) fn tested(self) -> TestedPlan {
        let Case { plan, account, original: (original, _), facts, ruling, .. } = self;
        let followed = plan.followed(&original, &[]);
        let was_allowed = plan.followed(&original, plan.approved()).is_allowed();
        let named = original.members.iter().find(|(member, _)| member.id == plan.resource);
        TestedPlan {
            at: plan.at,
            has_approvals: !plan.approved().is_empty(),
            account: account.id,
            currency: account.currency,
            balance: account.balance,
            expires_before: named.and_then(|(member, _)| member.expires_at),
            resource: plan.resource,
            command: original.command,
            cause: original.cause,
            followed,
            was_allowed,
            ruling: ruling.unwrap_or_else(|| PlanRuling::without_policies(&facts)),
        }
    }
}

/// Asks about all of these plans, and about what they are amended to, until each is ruled on. Each is shown the money that its
/// account had, and sees nothing of what the others would leave.
pub(super) fn ask(policies: &ActivePolicies, providers: &Providers, cases: &mut [Case]) {
    loop {
        let mut open = cases.iter_mut().filter(|case| case.ruling.is_none()).collect::<Vec<_>>();
        if open.is_empty() {
            return;
        }
        for (place, case) in open.iter_mut().enumerate() {
            case.facts.account = AccountIndex::new(place);
        }
        let accounts = open.iter().map(|case| case.account.clone()).collect::<Vec<_>>();
        let facts = open.iter().map(|case| &case.facts).collect::<Vec<_>>();
        let answers = policies.ask(&accounts, &facts);
        for (case, answers) in open.into_iter().zip(answers) {
            case.round(policies, providers, answers.answers);
        }
    }
}
