//! Calls of the rules for the bundles of a batch: one call for all the bundles of a provider.
//!
//! Knows which request goes to which provider, and what is recorded of it; not what is done with a response.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::plugin_failure::Admission;
use perennial_domain::plugin_failure::Failure;
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
use crate::clock::Stopwatch;
use crate::parallel;
use crate::revision_shadow::Compare;
use crate::revision_shadow::Question;
use crate::rules::Rules;

impl Batch {
    /// What is to be kept of these requests, one for each that was answered; nothing if decisions are not kept.
    pub(crate) fn decision_records(
        &self,
        evaluation: &[(EntryIndex, MemberIndex)],
        command: &Command,
        answers: &[Result<PlanAnswer, Failure>],
    ) -> Vec<Option<DecisionRecord>> {
        // Writing them out takes longer than the rule does.
        parallel::map(if self.records_decisions { evaluation.len() } else { 0 }, |number| {
            let (index, member) = evaluation[number];
            let answer = answers[number].as_ref().ok()?;
            Some(self.decision_record(index, member, command, &[], answer))
        })
    }

    /// Asks for the timelines of the bundles at these places.
    pub(crate) fn request_timelines(&self, indexes: &[EntryIndex]) -> Vec<Result<Vec<Occurrence>, Failure>> {
        let requests = indexes.iter().map(|index| (*index, self.entry(*index).walk.ask_after()));
        self.request_timelines_after(&requests.collect::<Vec<_>>())
    }

    /// Asks for the timelines of the bundles at these places, each after an instant.
    pub(crate) fn request_timelines_after(
        &self,
        requests: &[(EntryIndex, Timestamp)],
    ) -> Vec<Result<Vec<Occurrence>, Failure>> {
        self.call_rules(
            requests,
            |&(index, _)| index,
            |&(index, after)| Question {
                entry: index,
                member: MemberIndex::PRIMARY,
                bundle: &self.entry(index).walk.bundle,
                orders: &[],
                at: after,
                command: None,
            },
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
    ) -> Vec<Result<PlanAnswer, Failure>> {
        let requests = evaluation.iter().map(|(index, member)| (*index, *member, command));
        self.request_plans_of(&requests.collect::<Vec<_>>())
    }

    /// Asks what a command of its own would do to each of these members.
    pub(crate) fn request_plans_of(
        &self,
        evaluation: &[(EntryIndex, MemberIndex, &Command)],
    ) -> Vec<Result<PlanAnswer, Failure>> {
        self.call_rules(
            evaluation,
            |&(index, _, _)| index,
            |&(index, member, command)| Question {
                entry: index,
                member,
                bundle: &self.entry(index).walk.bundle,
                orders: &[],
                at: self.entry(index).instant,
                command: Some(command.name()),
            },
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

    /// Asks each revision once for all of its bundles, and puts the answers in the order of the requests. Shadow revisions are
    /// asked the same, if decisions are kept.
    fn call_rules<'q, Q, A: Compare>(
        &'q self,
        requests: &'q [Q],
        item_of: impl Fn(&Q) -> EntryIndex,
        question_of: impl Fn(&'q Q) -> Question<'q>,
        call: impl Fn(&dyn Rules, &[&Account], &[(AccountIndex, &Q)]) -> Vec<Result<A, PluginError>>,
    ) -> Vec<Result<A, Failure>> {
        let mut by_revision = BTreeMap::<(&str, Option<&str>), Vec<usize>>::new();
        for (number, question) in requests.iter().enumerate() {
            let account_in_batch = self.account(self.entry(item_of(question)).account);
            let digest = account_in_batch.rules.as_ref().map(|rules| rules.digest());
            by_revision.entry((&account_in_batch.account.provider, digest)).or_default().push(number);
        }
        let ask = |rules: &dyn Rules, numbers: &[usize]| self.ask(rules, requests, numbers, &item_of, &call);
        let mut answers = requests.iter().map(|_| None).collect::<Vec<_>>();
        for ((provider, _), numbers) in by_revision {
            let Some(rules) = &self.account(self.entry(item_of(&requests[numbers[0]])).account).rules else {
                for number in numbers {
                    let message = format!("no plugin `{provider}` is loaded; load one with `--plugin FILE`");
                    answers[number] = Some(Err(Failure { message, revision: None, is_alone: false }));
                }
                continue;
            };
            let watch = Stopwatch::start();
            let responses = ask(rules.as_ref(), &numbers);
            let answered = numbers.iter().copied().zip(responses).collect::<Vec<_>>();
            let followed = (rules.as_ref(), watch.micros());
            self.ask_shadow_revisions(followed, requests, &answered, (&item_of, &question_of), &ask);
            for (number, answer) in answered {
                let failed = |error: PluginError| Failure {
                    message: error.to_string(),
                    revision: Some(rules.digest().to_owned()),
                    is_alone: error.is_alone(),
                };
                answers[number] = Some(answer.map_err(failed));
            }
        }
        answers.into_iter().map(|answer| answer.expect("every question belongs to one provider")).collect()
    }

    /// Asks one revision the requests with these numbers.
    fn ask<Q, A>(
        &self,
        rules: &dyn Rules,
        requests: &[Q],
        numbers: &[usize],
        item_of: impl Fn(&Q) -> EntryIndex,
        call: impl Fn(&dyn Rules, &[&Account], &[(AccountIndex, &Q)]) -> Vec<Result<A, PluginError>>,
    ) -> Vec<Result<A, PluginError>> {
        let mut accounts = Vec::new();
        let mut indexes = vec![None; self.accounts.len()];
        let mut evaluation = Vec::with_capacity(numbers.len());
        for number in numbers {
            let account = self.entry(item_of(&requests[*number])).account;
            let index = *indexes[account.get()].get_or_insert_with(|| {
                accounts.push(&self.account(account).account);
                AccountIndex::new(accounts.len() - 1)
            });
            evaluation.push((index, &requests[*number]));
        }
        let responses = call(rules, &accounts, &evaluation);
        assert_eq!(responses.len(), numbers.len(), "rules give one answer per question");
        responses
    }

    /// Asks the shadow revisions of the accounts what `followed` answered, which took so many microseconds.
    fn ask_shadow_revisions<'q, Q, A: Compare>(
        &'q self,
        (followed, followed_micros): (&dyn Rules, u64),
        requests: &'q [Q],
        answered: &[(usize, Result<A, PluginError>)],
        (item_of, question_of): (&impl Fn(&Q) -> EntryIndex, &impl Fn(&'q Q) -> Question<'q>),
        ask: &impl Fn(&dyn Rules, &[usize]) -> Vec<Result<A, PluginError>>,
    ) {
        if !self.records_decisions {
            return;
        }
        let mut by_shadow = BTreeMap::<&str, (&Arc<dyn Rules>, Vec<usize>, Vec<&A>)>::new();
        for (number, answer) in answered {
            let shadow = &self.account(self.entry(item_of(&requests[*number])).account).shadow;
            // What the followed one does not answer has nothing to be compared with.
            let (Some(shadow), Ok(answer)) = (shadow, answer) else { continue };
            let (_, numbers, answers) =
                by_shadow.entry(shadow.digest()).or_insert_with(|| (shadow, Vec::new(), Vec::new()));
            numbers.push(*number);
            answers.push(answer);
        }
        for (shadow, numbers, answers) in by_shadow.into_values() {
            let entries = numbers.iter().map(|number| item_of(&requests[*number])).collect::<Vec<_>>();
            let at = entries.iter().map(|entry| self.entry(*entry).instant).max();
            let at = at.unwrap_or(Timestamp::MIN);
            // One that fails over everything makes each batch slow.
            if matches!(self.breakers.admission(shadow.digest(), at), Admission::Wait(_)) {
                continue;
            }
            let watch = Stopwatch::start();
            let responses = ask(shadow.as_ref(), &numbers);
            let both = (shadow.as_ref(), followed);
            let share = u128::from(followed_micros) * numbers.len() as u128 / answered.len() as u128;
            let times = (watch.micros(), u64::try_from(share).unwrap_or(u64::MAX));
            let mut log = self.shadows.lock().unwrap_or_else(PoisonError::into_inner);
            let answered = entries.into_iter().zip(&responses);
            log.note_health(shadow.as_ref(), at, answered, |response| response.as_ref().err());
            log.add_time(both, times, question_of(&requests[numbers[0]]).at);
            for ((number, answer), response) in numbers.into_iter().zip(answers).zip(&responses) {
                log.add(both, &question_of(&requests[number]), answer, response);
            }
        }
    }

    /// Asks the shadow revision about a plan of the bundle at `index`, which was answered with `answer`.
    pub(crate) fn ask_shadow_plan(&self, index: EntryIndex, request: &PlanRequest<'_>, answer: &PlanAnswer) {
        let account_in_batch = self.account(self.entry(index).account);
        let (Some(rules), Some(shadow)) = (&account_in_batch.rules, &account_in_batch.shadow) else { return };
        if !self.records_decisions {
            return;
        }
        let question = Question {
            entry: index,
            member: request.member,
            bundle: request.bundle,
            orders: request.orders,
            at: request.at,
            command: Some(request.command.name()),
        };
        let request = PlanRequest { account: AccountIndex::new(0), ..*request };
        let response = shadow.make_plans(&[&account_in_batch.account], &[request]).pop();
        let response = response.expect("rules give one answer per question");
        let mut log = self.shadows.lock().unwrap_or_else(PoisonError::into_inner);
        log.add((shadow.as_ref(), rules.as_ref()), &question, answer, &response);
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
