//! Plans before the policies: who is asked, with which money, and what comes of it, in the order in which the plans meet the
//! money.
//!
//! All plans are asked about in one call, each with the money that the ones before it are expected to leave. Then they are
//! settled in order, as long as each was shown the money that there is; the rest is asked about again, with what is expected
//! by then. So no ruling counts that was made on other figures, and each pass settles one plan of an account at least.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account_settings;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::chain::ChainContext;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::figures::Figures;
use perennial_domain::policy::figures::RunningFigures;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PolicyAnswers;

use crate::batch::Batch;
use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::EntryIndex;
use crate::policies::ActivePolicies;
use crate::policy_case::Case;
use crate::policy_case::PlanState;
use crate::policy_case::PolicyEvaluation;
use crate::ruling_approvals::with_host_approvals;
use crate::ruling_records;
use crate::ruling_subject::PlanRuling;
use crate::ruling_subject::Subject;

/// What is asked in one call about one plan.
struct RulingItem<'a> {
    account: BatchAccountIndex,
    figures: Option<Figures>,
    facts: &'a mut PlanFacts,
}

impl Batch {
    /// Has the policies rule on plans, and hands each to `settle` before the next of its account is shown the money.
    pub(crate) fn rule_in_order(
        &mut self,
        subjects: Vec<Subject>,
        settle: &mut dyn FnMut(&mut Batch, usize, PlanRuling),
    ) {
        let policies = self.policies.clone();
        let mut cases = Vec::new();
        for (number, subject) in subjects.into_iter().enumerate() {
            let account = self.entry(subject.entry).account;
            match &policies {
                Some(policies) => cases.push(self.case(policies, number, account, subject)),
                None => {
                    let ruled = self.rule_without_policies(subject);
                    settle(self, number, ruled);
                }
            }
        }
        let Some(policies) = policies else { return };
        self.look_up_tries(&mut cases);
        self.quote_prices(&policies, &mut cases.iter_mut().collect::<Vec<_>>());
        while !cases.is_empty() {
            self.ask_chain(&policies, &mut cases);
            cases = self.settle_in_order(&policies, cases, settle);
        }
    }

    /// Rules on a plan where no operator has policies: only the host may require approvals.
    fn rule_without_policies(&self, subject: Subject) -> PlanRuling {
        let Subject { entry, member, command, plan, approved } = subject;
        let own = self.host_approvals((entry, member), &command, &plan, &approved);
        PlanRuling { command, plan, verdict: with_host_approvals(own, Verdict::Approve), events: Vec::new() }
    }

    fn case(
        &self,
        policies: &ActivePolicies,
        number: usize,
        account: BatchAccountIndex,
        subject: Subject,
    ) -> Case {
        let Subject { entry, member, command, plan, approved } = subject;
        let bundle = &self.entry(entry).walk.bundle;
        let of = &self.account(account).account;
        let matching = policies.matching(of, bundle, command.name());
        let mut facts = self.plan_facts(entry, &command, &plan);
        facts.policies.clone_from(&matching.active);
        facts.is_pending = self.is_pending((entry, member), &command, &plan, &approved);
        if matching.is_empty() {
            // Nobody looks at it; only its money counts.
            facts.members.truncate(1);
        }
        let context = ChainContext {
            on_policy_failure: account_settings::on_policy_failure(&of.settings),
            // What the clock does meanwhile is not what the API's client asked for.
            is_provider_api: self.is_provider_api && command.cause() == Cause::Command,
            approved,
            requested: self.requested_of(entry, member, command.cause()),
        };
        let state = PlanState { command, plan, facts, fuel: 0 };
        Case::new(number, (entry, member, account), matching, context, state)
    }

    /// Whether the host holds the plan back, whatever the operator's policies rule.
    fn is_pending(
        &self,
        about: (EntryIndex, MemberIndex),
        command: &Command,
        plan: &Plan,
        approved: &[String],
    ) -> bool {
        !self.grants_approvals && !self.host_approvals(about, command, plan, approved).is_empty()
    }

    fn look_up_tries(&self, cases: &mut [Case]) {
        let mut asked = cases.iter_mut().filter(|case| !case.matching.is_empty()).collect::<Vec<_>>();
        let members = asked.iter().map(|case| (case.entry, case.member)).collect::<Vec<_>>();
        for (case, tries) in asked.iter_mut().zip(self.period_tries(&members)) {
            case.state.facts.tries = tries;
        }
    }

    /// Asks about all of these plans, and about what they are amended to, until each has a verdict.
    fn ask_chain(&self, policies: &ActivePolicies, cases: &mut [Case]) {
        let asked = cases.iter().filter(|case| !case.matching.is_empty()).map(|case| case.account);
        let asked = asked.collect::<BTreeSet<_>>();
        let mut turn = cases.iter_mut().filter(|case| asked.contains(&case.account)).collect::<Vec<_>>();
        self.ask_once(policies, &mut turn);
        self.ask_shadows(policies, &mut turn);
        let mut open = turn;
        while !open.is_empty() {
            open.retain_mut(|case| case.step(policies));
            self.amend(&mut open);
            self.quote_prices(policies, &mut open);
            let (mut amended, refused): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|case| case.has_no_answers());
            self.ask_once(policies, &mut amended);
            open = amended.into_iter().chain(refused).collect();
        }
        for case in cases {
            let mut verdict = case.verdict.take().unwrap_or(Verdict::Approve);
            if let Verdict::RequireApproval { approvals, .. } = &mut verdict {
                policies.name_versions(approvals);
            }
            let PlanState { command, plan, .. } = &case.state;
            let about = (case.entry, case.member);
            let own = self.host_approvals(about, command, plan, &case.context.approved);
            case.verdict = Some(with_host_approvals(own, verdict));
        }
    }

    /// One call about the present plans.
    fn ask_once(&self, policies: &ActivePolicies, cases: &mut [&mut Case]) {
        let requests = cases.iter_mut().map(|case| RulingItem {
            account: case.account,
            figures: case.figures,
            facts: &mut case.state.facts,
        });
        let answers = self.put(policies, requests.collect());
        for (case, answers) in cases.iter_mut().zip(answers) {
            case.figures = Some(answers.figures);
            if self.records_decisions && !case.state.facts.policies.is_empty() {
                let (facts, answers) = (case.state.facts.clone(), answers.clone());
                case.add_evaluation(self.evaluation(case.account, facts, answers, false));
            }
            case.take_answers(answers.answers);
        }
    }

    fn ask_shadows(&self, policies: &ActivePolicies, cases: &mut [&mut Case]) {
        let asked = cases.iter_mut().filter(|case| !case.matching.shadow.is_empty());
        let mut asked = asked.collect::<Vec<_>>();
        let facts = asked
            .iter()
            .map(|case| PlanFacts { policies: case.matching.shadow.clone(), ..case.state.facts.clone() });
        let mut facts = facts.collect::<Vec<_>>();
        let requests = asked.iter().zip(&mut facts).map(|(case, facts)| RulingItem {
            account: case.account,
            figures: case.figures,
            facts,
        });
        let answers = self.put(policies, requests.collect());
        for ((case, facts), answers) in asked.iter_mut().zip(&facts).zip(answers) {
            case.record_shadows(policies, facts, &answers.answers);
            if self.records_decisions {
                case.add_evaluation(self.evaluation(case.account, facts.clone(), answers, true));
            }
        }
        if self.records_decisions {
            self.price_amendments(&mut asked);
        }
    }

    /// Finds out what the plans would cost that shadow policies would amend.
    fn price_amendments(&self, cases: &mut [&mut &mut Case]) {
        let mut wanted = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            let token = self.account(case.account).token_option();
            let amendments = case.shadow_rulings.iter().enumerate();
            wanted.extend(amendments.filter_map(|(ruling, shadow)| {
                let command = case.command_with(shadow.amendment.as_ref()?, token);
                Some((number, ruling, command))
            }));
        }
        let about = |number: usize| (cases[number].entry, cases[number].member);
        let requests = wanted.iter().map(|(number, _, command)| {
            let (entry, member) = about(*number);
            (entry, member, command)
        });
        let plans = self.request_plans_of(&requests.collect::<Vec<_>>());
        let costs = wanted.iter().zip(plans).map(|((number, _, command), plan)| {
            let plan = plan.ok()?.plan.ok()?;
            self.plan_facts(about(*number).0, command, &plan).cost
        });
        let costs = costs.collect::<Vec<_>>();
        for ((number, ruling, _), cost) in wanted.iter().zip(costs) {
            cases[*number].shadow_rulings[*ruling].amended_cost = cost;
        }
    }

    /// What there is to keep of what policies were asked about a plan: those whose rulings count, or those beside them.
    fn evaluation(
        &self,
        account: BatchAccountIndex,
        facts: PlanFacts,
        answers: PolicyAnswers,
        is_shadow: bool,
    ) -> PolicyEvaluation {
        PolicyEvaluation { account: self.account(account).facts(answers.figures), facts, answers, is_shadow }
    }

    fn put(&self, policies: &ActivePolicies, mut requests: Vec<RulingItem<'_>>) -> Vec<PolicyAnswers> {
        if requests.is_empty() {
            return Vec::new();
        }
        let mut accounts = Vec::new();
        let mut in_turn = BTreeMap::new();
        for request in &mut requests {
            let of = self.account(request.account);
            let mut add = |figures| {
                accounts.push(of.facts(figures));
                AccountIndex::new(accounts.len() - 1)
            };
            request.facts.account = match request.figures {
                Some(figures) => add(figures),
                None => {
                    let at = request.facts.at;
                    *in_turn.entry(request.account).or_insert_with(|| add(of.figures(at)))
                }
            };
        }
        let facts = requests.iter().map(|request| &*request.facts).collect::<Vec<_>>();
        policies.ask(&accounts, &facts)
    }

    /// Makes the plans anew that were amended: their answers are empty then. A plan that cannot be made is a failure of
    /// the policy that wants it.
    fn amend(&self, cases: &mut [&mut Case]) {
        let wanted = cases.iter_mut().filter_map(|case| {
            let command = case.amended_command(self.account(case.account).token_option())?;
            Some((case, command))
        });
        let wanted = wanted.collect::<Vec<_>>();
        let requests = wanted.iter().map(|(case, command)| (case.entry, case.member, command));
        let plans = self.request_plans_of(&requests.collect::<Vec<_>>());
        for ((case, command), plan) in wanted.into_iter().zip(plans) {
            match plan {
                Ok(PlanAnswer { plan: Ok(plan), fuel }) => self.replace_plan(case, command, plan, fuel),
                Ok(PlanAnswer { plan: Err(Refusal { code, message }), .. }) => {
                    case.fail_amendment(format!(
                        "it amends to what the provider refuses: {message} ({code})"
                    ));
                }
                Err(failure) => {
                    let problem = failure.message;
                    case.fail_amendment(format!("it amends to what cannot be planned: {problem}"));
                }
            }
        }
    }

    fn replace_plan(&self, case: &mut Case, command: Command, plan: Plan, fuel: u64) {
        let mut facts = self.plan_facts(case.entry, &command, &plan);
        facts.tries = case.state.facts.tries;
        facts.policies.clone_from(&case.matching.active);
        let about = (case.entry, case.member);
        facts.is_pending = self.is_pending(about, &command, &plan, &case.context.approved);
        case.replace(PlanState { command, plan, facts, fuel });
    }

    /// Settles plans in order, of each account up to the first that was shown other money than there is; returns the
    /// others, each with the money that is expected to be there.
    fn settle_in_order(
        &mut self,
        policies: &ActivePolicies,
        cases: Vec<Case>,
        settle: &mut dyn FnMut(&mut Batch, usize, PlanRuling),
    ) -> Vec<Case> {
        let mut stopped = BTreeMap::<BatchAccountIndex, RunningFigures>::new();
        let mut left = Vec::new();
        for mut case in cases {
            let of = self.account(case.account);
            let actual = of.figures(self.entry(case.entry).instant);
            let has_budget = of.account.budget.is_some();
            let running = match stopped.get_mut(&case.account) {
                Some(running) => running,
                None if case.saw(actual, has_budget) => {
                    let (number, is_asked) = (case.number, !case.matching.is_empty());
                    if is_asked {
                        self.note_ruled(case.entry);
                    }
                    let ruled = self.finish(policies, case);
                    settle(self, number, ruled);
                    continue;
                }
                None => {
                    let running = RunningFigures::new(&of.facts(actual));
                    stopped.entry(case.account).or_insert(running)
                }
            };
            let expected = running.before(&case.state.facts);
            running.after(&case.state.facts, case.is_approved(self.grants_approvals));
            case.begin_again(expected);
            left.push(case);
        }
        left
    }

    fn finish(&mut self, policies: &ActivePolicies, case: Case) -> PlanRuling {
        let (events, is_amended) = (case.events(policies), case.is_amended());
        if self.records_decisions {
            let differences = case.differences();
            let records = ruling_records::of_case(policies, &case);
            let item = self.entry_mut(case.entry);
            item.differences.extend(differences);
            item.decisions.extend(records);
        }
        let Case { entry, member, state: PlanState { command, plan, fuel, .. }, verdict, .. } = case;
        if is_amended {
            let answer = PlanAnswer { plan: Ok(plan.clone()), fuel };
            self.record_decision(entry, member, &command, &[], &answer);
        }
        PlanRuling { command, plan, verdict: verdict.unwrap_or(Verdict::Approve), events }
    }
}
