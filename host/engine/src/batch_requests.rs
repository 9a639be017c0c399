//! Calls of the rules for the bundles of a batch: one call for all the bundles of a provider.
//!
//! Knows which request goes to which provider, and what is recorded of it; not what is done with a response.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats as formats;
use perennial_formats::decision::DecisionInput;
use perennial_formats::decision::packed;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;

use crate::batch::Batch;
use crate::batch_entry::DecisionRecord;
use crate::batch_entry::EntryIndex;
use crate::parallel;
use crate::rules::Rules;

impl Batch {
    /// What is to be kept of these requests, one for each that was answered; nothing if decisions are not kept.
    pub(crate) fn decision_records(
        &self,
        evaluation: &[(EntryIndex, MemberIndex)],
        command: &Command,
        answers: &[Result<PlanAnswer, String>],
    ) -> Vec<Option<DecisionRecord>> {
        // Writing them out takes longer than the rule does.
        parallel::map(if self.records_decisions { evaluation.len() } else { 0 }, |number| {
            let (index, member) = evaluation[number];
            let answer = answers[number].as_ref().ok()?;
            Some(self.decision_record(index, member, command, &[], answer))
        })
    }

    /// Asks for the timelines of the bundles at these places.
    pub(crate) fn request_timelines(&self, indexes: &[EntryIndex]) -> Vec<Result<Vec<Occurrence>, String>> {
        let requests = indexes.iter().map(|index| (*index, self.entry(*index).walk.ask_after()));
        self.request_timelines_after(&requests.collect::<Vec<_>>())
    }

    /// Asks for the timelines of the bundles at these places, each after an instant.
    pub(crate) fn request_timelines_after(
        &self,
        requests: &[(EntryIndex, Timestamp)],
    ) -> Vec<Result<Vec<Occurrence>, String>> {
        self.call_rules(
            requests,
            |&(index, _)| index,
            |rules, accounts, evaluation| {
                let requests = evaluation
                    .iter()
                    .map(|(account, (index, after))| TimelineRequest {
                        after: *after,
                        account: *account,
                        bundle: &self.entry(*index).walk.bundle,
                    })
                    .collect::<Vec<_>>();
                rules.timelines(accounts, &requests)
            },
        )
    }

    /// Asks what `command` would do to each of these members.
    pub(crate) fn request_plans(
        &self,
        evaluation: &[(EntryIndex, MemberIndex)],
        command: &Command,
    ) -> Vec<Result<PlanAnswer, String>> {
        let requests = evaluation.iter().map(|(index, member)| (*index, *member, command));
        self.request_plans_of(&requests.collect::<Vec<_>>())
    }

    /// Asks what a command of its own would do to each of these members.
    pub(crate) fn request_plans_of(
        &self,
        evaluation: &[(EntryIndex, MemberIndex, &Command)],
    ) -> Vec<Result<PlanAnswer, String>> {
        self.call_rules(
            evaluation,
            |&(index, _, _)| index,
            |rules, accounts, evaluation| {
                let requests = evaluation
                    .iter()
                    .map(|(account, (index, member, command))| {
                        let item = self.entry(*index);
                        PlanRequest {
                            at: item.instant,
                            account: *account,
                            command,
                            member: *member,
                            bundle: &item.walk.bundle,
                            orders: &[],
                        }
                    })
                    .collect::<Vec<_>>();
                rules.make_plans(accounts, &requests)
            },
        )
    }

    /// Asks each provider's rules once for all of its bundles, and puts the answers in the order of the requests.
    fn call_rules<Q, A>(
        &self,
        requests: &[Q],
        item_of: impl Fn(&Q) -> EntryIndex,
        call: impl Fn(&dyn Rules, &[&Account], &[(AccountIndex, &Q)]) -> Vec<Result<A, PluginError>>,
    ) -> Vec<Result<A, String>> {
        let mut by_provider = BTreeMap::<&str, Vec<usize>>::new();
        for (number, question) in requests.iter().enumerate() {
            let account = &self.account(self.entry(item_of(question)).account).account;
            by_provider.entry(&account.provider).or_default().push(number);
        }
        let mut answers = requests.iter().map(|_| None).collect::<Vec<_>>();
        for (provider, numbers) in by_provider {
            let mut accounts = Vec::new();
            let mut indexes = vec![None; self.accounts.len()];
            let mut evaluation = Vec::with_capacity(numbers.len());
            let mut rules = None;
            for number in &numbers {
                let account = self.entry(item_of(&requests[*number])).account;
                let index = *indexes[account.get()].get_or_insert_with(|| {
                    accounts.push(&self.account(account).account);
                    rules = self.account(account).rules.as_deref();
                    AccountIndex::new(accounts.len() - 1)
                });
                evaluation.push((index, &requests[*number]));
            }
            let Some(rules) = rules else {
                for number in numbers {
                    answers[number] =
                        Some(Err(format!("no plugin `{provider}` is loaded; load one with `--plugin FILE`")));
                }
                continue;
            };
            let responses = call(rules, &accounts, &evaluation);
            assert_eq!(responses.len(), numbers.len(), "rules give one answer per question");
            for (number, answer) in numbers.into_iter().zip(responses) {
                answers[number] = Some(answer.map_err(|error| error.to_string()));
            }
        }
        answers.into_iter().map(|answer| answer.expect("every question belongs to one provider")).collect()
    }

    /// Keeps what was asked about a command and answered, if decisions are kept.
    pub(crate) fn record_decision(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        command: &Command,
        orders: &[Order],
        answer: &PlanAnswer,
    ) {
        if self.records_decisions {
            let decided = self.decision_record(index, member, command, orders, answer);
            self.entry_mut(index).decisions.push(decided);
        }
    }

    /// What is to be kept of a request and its answer.
    fn decision_record(
        &self,
        index: EntryIndex,
        member: MemberIndex,
        command: &Command,
        orders: &[Order],
        answer: &PlanAnswer,
    ) -> DecisionRecord {
        let item = self.entry(index);
        let evaluation = self.decision_input(index, member, command, orders);
        let request = formats::decision::question(&evaluation).to_text();
        let response = formats::decision::answer(&answer.plan).to_text();
        DecisionRecord {
            at: item.instant,
            member,
            request: packed::pack(&request),
            response: packed::pack(&response),
            fuel: answer.fuel,
            interpreter: None,
        }
    }
    /// What the rules are asked when a command names `member`.
    pub(crate) fn decision_input<'b>(
        &'b self,
        index: EntryIndex,
        member: MemberIndex,
        command: &'b Command,
        orders: &'b [Order],
    ) -> DecisionInput<'b> {
        let item = self.entry(index);
        let account = &self.account(item.account).account;
        DecisionInput {
            at: item.instant,
            account: &account.id,
            settings: &account.settings,
            command,
            member,
            bundle: &item.walk.bundle,
            orders,
        }
    }
}
