//! Deciding on many bundles at once: walking their timelines, trying their renewals, meeting the money.
//!
//! Knows bundles, rules and balances in memory. Does not read or write anything: [`crate::persist`] does.
//!
//! The bundles of a batch come in the order in which their time comes, and meet the money in that order. Rules are
//! asked in rounds, a question for every bundle that has one: timelines, then plans for the tries that are due, then
//! the timelines of what was renewed, until every bundle is asleep.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::apply;
use perennial_domain::apply::ExecutionContext;
use perennial_domain::apply::PlanEffects;
use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::attempt::Key;
use perennial_domain::attempt::State;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::index_types;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Renewal;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timeline_walk::TimelineWalk;
use perennial_domain::timeline_walk::Yield;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::AccountKey;

use crate::application::PlanApplication;
use crate::approval_requests::BatchApproval;
use crate::parallel;
use crate::rules::Providers;
use crate::rules::Rules;
use perennial_formats as formats;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles::OriginalBundle;
use perennial_store::bundles::Schedule;
use perennial_store::bundles::StoredBundle;

/// The most rounds in one batch. A bundle that has more to catch up on is due again at once, in the next batch.
const ROUNDS_MAX: usize = 64;
/// How long a bundle rests after its plugin first gave no usable answer, in seconds; it doubles each time ...
const BACK_OFF_FIRST: i64 = 60;
/// ... up to this, in seconds.
pub(crate) const BACK_OFF_MAX: i64 = 6 * 3600;

index_types! {
    /// The place of a bundle in a batch.
    EntryIndex;
    /// The place of an account in a batch.
    BatchAccountIndex;
}

impl EntryIndex {
    /// The place of the first bundle: of the only one, where a command is decided on.
    pub(crate) const FIRST: EntryIndex = EntryIndex::new(0);
}

/// An account whose bundles are being decided on.
pub struct BatchAccount {
    /// Its row.
    pub row: AccountKey,
    /// What it is; its balance changes as plans are carried out.
    pub account: Account,
    /// Its provider's rules, if they are loaded.
    pub rules: Option<Arc<dyn Rules>>,
    notices: Arc<[String]>,
    /// What it had to spend before.
    initial_available: Micros,
    /// The last bundle whose plan met the balance.
    last_charged: EntryIndex,
    /// The first bundle whose plan met the balance only after a later bundle's had.
    first_out_of_order: Option<EntryIndex>,
    /// Whether the balance did not suffice for a plan.
    has_insufficient_funds: bool,
}

impl BatchAccount {
    /// An account as stored, with its provider's rules.
    pub fn new(stored: StoredAccount, providers: &Providers) -> BatchAccount {
        let rules = providers.get(&stored.account.provider).cloned();
        let notices =
            rules.iter().flat_map(|rules| rules.manifest().notices.iter().map(|notice| notice.name.clone()));
        let notices = notices.collect();
        BatchAccount {
            row: stored.row,
            rules,
            notices,
            initial_available: stored.account.balance.available(),
            account: stored.account,
            last_charged: EntryIndex::FIRST,
            first_out_of_order: None,
            has_insufficient_funds: false,
        }
    }
}

/// A question that a plugin was asked, and what it answered.
pub struct DecisionRecord {
    /// The instant of the decision.
    pub at: Timestamp,
    /// The member that the command named.
    pub member: MemberIndex,
    /// As the decision format writes them.
    pub request: String,
    /// What the plugin answered, as it is kept.
    pub response: String,
}

/// A bundle that is being decided on, and what there is to write down about it.
pub struct BatchEntry {
    /// As it was.
    pub original: OriginalBundle,
    /// Its account.
    pub account: BatchAccountIndex,
    /// The instant of whatever is decided: of tries, and of the money they take.
    pub instant: Timestamp,
    /// The bundle in its present state, and what happened to it.
    pub walk: TimelineWalk,
    /// What the clock is to know of it from now on.
    pub schedule: Schedule,
    /// Why its plugin gave no usable answer, if that is how it ended.
    pub failure: Option<String>,
    /// The plans that were carried out.
    pub effects: Vec<PlanEffects>,
    /// The attempts that were declined.
    pub declined_attempts: Vec<Attempt>,
    /// The approvals that its members were named in; not loaded where no plan ever needs one.
    pub approvals: Vec<BatchApproval>,
    /// What plugins were asked and answered, if decisions are kept.
    pub decisions: Vec<DecisionRecord>,
}

impl BatchEntry {
    /// A bundle as stored, to be decided on at `instant`.
    pub fn new(stored: StoredBundle, account: BatchAccountIndex, instant: Timestamp) -> BatchEntry {
        let (stored, bundle) = stored.into_original();
        let walk = TimelineWalk::new(bundle, stored.schedule.cursor_at);
        BatchEntry {
            account,
            instant,
            walk,
            schedule: stored.schedule,
            failure: None,
            effects: Vec::new(),
            declined_attempts: Vec::new(),
            approvals: Vec::new(),
            decisions: Vec::new(),
            original: stored,
        }
    }

    /// Nothing more is due by the instant; something is at `wake`.
    fn idle_until(&mut self, wake_at: Option<Timestamp>) {
        self.schedule =
            Schedule { cursor_at: self.instant.max(self.original.schedule.cursor_at), wake_at, failures: 0 };
    }

    /// The plugin gave no usable answer: the bundle keeps its state and is retried later.
    fn record_failure(&mut self, message: String) {
        let failures = self.original.schedule.failures.saturating_add(1);
        let doublings = (failures - 1).min(16);
        let rest = (BACK_OFF_FIRST << doublings).min(BACK_OFF_MAX);
        let next_try_at = self.instant + rest;
        self.schedule = Schedule { cursor_at: self.walk.safe_cursor(), wake_at: Some(next_try_at), failures };
        let resource = Some(self.walk.bundle.primary().id.clone());
        let what = EventKind::PluginFailed { message: message.clone(), next_try_at };
        self.walk.events.push(Event { at: self.instant, resource, what });
        self.failure = Some(message);
    }
}

/// Bundles that are decided on together.
pub struct Batch {
    /// Their accounts.
    pub accounts: Vec<BatchAccount>,
    /// The bundles, in the order in which their time comes.
    pub entries: Vec<BatchEntry>,
    /// Whether requests and answers are kept.
    pub records_decisions: bool,
    /// The token that asks; `None` for the clock.
    pub requested_by: Option<String>,
}

/// A renewal try that a walk paused for.
struct RenewalTry {
    entry: EntryIndex,
    member: MemberIndex,
    next_try_at: Option<Timestamp>,
    timeline: Vec<Occurrence>,
}

impl Batch {
    /// No bundles yet.
    pub fn new(keeps_decisions: bool) -> Batch {
        Batch {
            accounts: Vec::new(),
            entries: Vec::new(),
            records_decisions: keeps_decisions,
            requested_by: None,
        }
    }

    /// The bundle at this place.
    pub(crate) fn entry(&self, index: EntryIndex) -> &BatchEntry {
        &self.entries[index.get()]
    }

    fn entry_mut(&mut self, index: EntryIndex) -> &mut BatchEntry {
        &mut self.entries[index.get()]
    }

    /// The account at this place.
    pub(crate) fn account(&self, index: BatchAccountIndex) -> &BatchAccount {
        &self.accounts[index.get()]
    }

    /// How many of the bundles, from the first one on, were rightly decided on together; at least one.
    ///
    /// A bundle that is due again within the batch comes before whatever is due then. So does a bundle's second try
    /// before a later bundle's first, though rounds make them the other way round: where the balance suffices for all of
    /// them nobody can tell, else they must not be decided on together.
    pub(crate) fn valid_prefix(&self) -> usize {
        let next_wakes = |(index, item): (usize, &BatchEntry)| {
            let wake_at = item.schedule.wake_at?;
            Some(self.entries.partition_point(|later| later.instant < wake_at).max(index + 1))
        };
        let next_wakes = self.entries.iter().enumerate().filter_map(next_wakes);
        let short = self.accounts.iter().filter(|account_in_batch| account_in_batch.has_insufficient_funds);
        let overtaken = short
            .filter_map(|account_in_batch| account_in_batch.first_out_of_order)
            .map(|index| index.get() + 1);
        next_wakes.chain(overtaken).chain([self.entries.len()]).min().unwrap_or_default()
    }

    /// Tells balances as they are when the bundles meet the money one after the other, whatever rounds did.
    pub(crate) fn recompute_balances(&mut self) {
        let mut balances = self
            .accounts
            .iter()
            .map(|account_in_batch| account_in_batch.initial_available)
            .collect::<Vec<_>>();
        for item in &mut self.entries {
            for event in &mut item.walk.events {
                if let EventKind::BalanceChanged { amount, balance, .. } = &mut event.what {
                    balances[item.account.get()] += *amount;
                    *balance = balances[item.account.get()];
                }
            }
        }
    }

    /// Decides on every bundle, up to its instant.
    pub fn decide(&mut self) {
        let everything = (0..self.entries.len()).map(EntryIndex::new).collect();
        self.decide_entries(everything);
    }

    /// Decides on the bundles at these places.
    pub(crate) fn decide_entries(&mut self, mut pending: Vec<EntryIndex>) {
        for _ in 0..ROUNDS_MAX {
            if pending.is_empty() {
                return;
            }
            let tries = self.walk_timelines(&pending);
            pending = self.attempt_renewals(tries);
        }
        for index in pending {
            let item = self.entry_mut(index);
            let (cursor_at, wake_at) = (item.walk.safe_cursor(), Some(item.instant));
            item.schedule = Schedule { cursor_at, wake_at, failures: 0 };
        }
    }

    /// Walks these bundles along their timelines; returns the tries they paused for.
    fn walk_timelines(&mut self, pending: &[EntryIndex]) -> Vec<RenewalTry> {
        let timelines = self.request_timelines(pending);
        let mut tries = Vec::new();
        for (index, timeline) in pending.iter().copied().zip(timelines) {
            let item = &mut self.entries[index.get()];
            let timeline = match timeline {
                Ok(timeline) => timeline,
                Err(message) => {
                    item.record_failure(message);
                    continue;
                }
            };
            match item.walk.walk(&timeline, item.instant, &self.accounts[item.account.get()].notices) {
                Yield::Idle { wake } => item.idle_until(wake),
                Yield::Renewal { member, next_try_at } => {
                    tries.push(RenewalTry { entry: index, member, next_try_at, timeline });
                }
            }
        }
        tries
    }

    /// Makes these tries; returns the bundles that are to be walked on.
    fn attempt_renewals(&mut self, tries: Vec<RenewalTry>) -> Vec<EntryIndex> {
        let command = automatic_renewal();
        let evaluation =
            tries.iter().map(|renewal_try| (renewal_try.entry, renewal_try.member)).collect::<Vec<_>>();
        let plans = self.request_plans(&evaluation, &command);
        let mut record = self.decision_records(&evaluation, &command, &plans).into_iter();
        let mut pending = Vec::new();
        for (renewal_try, plan) in tries.into_iter().zip(plans) {
            let record = record.next().flatten();
            match plan {
                Err(message) => self.entry_mut(renewal_try.entry).record_failure(message),
                Ok(plan) => {
                    self.entry_mut(renewal_try.entry).decisions.extend(record);
                    if self.try_renewal(
                        renewal_try.entry,
                        renewal_try.member,
                        plan,
                        renewal_try.next_try_at,
                        &renewal_try.timeline,
                    ) {
                        self.entry_mut(renewal_try.entry).walk.settle();
                        pending.push(renewal_try.entry);
                    } else if self.resume_after_decline(&renewal_try) {
                        pending.push(renewal_try.entry);
                    }
                }
            }
        }
        pending
    }

    /// What is to be kept of these requests, one for each that was answered; nothing if decisions are not kept.
    fn decision_records(
        &self,
        evaluation: &[(EntryIndex, MemberIndex)],
        command: &Command,
        answers: &[Result<Result<Plan, Refusal>, String>],
    ) -> Vec<Option<DecisionRecord>> {
        // Writing them out takes longer than the rule does.
        parallel::map(if self.records_decisions { evaluation.len() } else { 0 }, |number| {
            let (index, member) = evaluation[number];
            let answer = answers[number].as_ref().ok()?;
            Some(self.decision_record(index, member, command, &[], answer))
        })
    }

    /// Walks a bundle on whose try was declined, along the same timeline: nothing has changed. Returns whether it paused
    /// for another try.
    fn resume_after_decline(&mut self, renewal_try: &RenewalTry) -> bool {
        let item = &mut self.entries[renewal_try.entry.get()];
        item.walk.decline();
        match item.walk.walk(&renewal_try.timeline, item.instant, &self.accounts[item.account.get()].notices)
        {
            Yield::Idle { wake } => {
                item.idle_until(wake);
                false
            }
            Yield::Renewal { .. } => true,
        }
    }

    /// Carries out what a try of `member` would do, or holds it, or writes down why not; returns whether it was carried
    /// out. `timeline` is what lies ahead of the bundle.
    pub(crate) fn try_renewal(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        plan: Result<Plan, Refusal>,
        next_try_at: Option<Timestamp>,
        timeline: &[Occurrence],
    ) -> bool {
        let refusal = match plan {
            Ok(plan) if self.needs_approval(index, &plan) => {
                self.request_for_renewal(index, member, &plan, timeline);
                return false;
            }
            Ok(plan) => {
                match self.apply(index, &PlanApplication::of_try(member, &plan, &automatic_renewal())) {
                    Ok(()) => return true,
                    Err(refusal) => {
                        return self.record_decline(
                            index,
                            member,
                            refusal,
                            DeclineClass::Money,
                            next_try_at,
                            Some(&plan),
                        );
                    }
                }
            }
            Err(refusal) => refusal,
        };
        self.record_decline(index, member, refusal, DeclineClass::Rule, next_try_at, None)
    }

    /// Carries a plan out on the bundle at `index`, or makes the order for it.
    ///
    /// # Errors
    ///
    /// The provider's word for it when the balance does not suffice; nothing has changed then.
    pub(crate) fn apply(
        &mut self,
        index: EntryIndex,
        application: &PlanApplication<'_>,
    ) -> Result<(), Refusal> {
        let item = &mut self.entries[index.get()];
        let account_in_batch = &mut self.accounts[item.account.get()];
        if index < account_in_batch.last_charged {
            account_in_batch.first_out_of_order =
                Some(account_in_batch.first_out_of_order.map_or(index, |first| first.min(index)));
        }
        account_in_batch.last_charged = account_in_batch.last_charged.max(index);
        let PlanApplication { named, command, plan, orders, new_id, order_id, paying } = *application;
        let context = ExecutionContext { at: item.instant, named, command, orders, new_id, order_id, paying };
        match apply::apply(plan, &mut item.walk.bundle, &mut account_in_batch.account.balance, &context) {
            Ok(mut carried) => {
                item.walk.events.append(&mut carried.events);
                item.effects.push(carried);
                Ok(())
            }
            Err(shortfall) => {
                account_in_batch.has_insufficient_funds = true;
                let rules = account_in_batch.rules.as_ref().expect("a plan came from the account's rules");
                let refusal = &rules.manifest().insufficient_balance;
                let currency = &account_in_batch.account.currency;
                let message = format!(
                    "{}: {} {currency} needed, {} available",
                    refusal.message, shortfall.needed, shortfall.available
                );
                Err(Refusal { code: refusal.code.clone(), message })
            }
        }
    }

    /// Writes down that a renewal was declined; `plan` is what could not be paid. Always returns false.
    pub(crate) fn record_decline(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        refusal: Refusal,
        class: DeclineClass,
        next_try_at: Option<Timestamp>,
        plan: Option<&Plan>,
    ) -> bool {
        let item = self.entry_mut(index);
        let resource = &item.walk.bundle[member];
        let what =
            EventKind::RenewalDeclined { code: refusal.code, message: refusal.message, class, next_try_at };
        item.walk.events.push(Event { at: item.instant, resource: Some(resource.id.clone()), what });
        let planned_key = plan.and_then(|plan| apply::attempt_key(plan, &item.walk.bundle, member));
        let fallback_key = || {
            let term = resource.renewal_term.or(resource.term)?;
            Some(Key { resource: resource.id.clone(), expires_before: resource.expires_at?, term })
        };
        if let Some(key) = planned_key.or_else(fallback_key) {
            item.declined_attempts.push(Attempt { key, state: State::Declined(class), at: item.instant });
        }
        false
    }

    /// Asks for the timelines of the bundles at these places.
    pub(super) fn request_timelines(&self, indexes: &[EntryIndex]) -> Vec<Result<Vec<Occurrence>, String>> {
        self.call_rules(
            indexes,
            |&index| index,
            |rules, accounts, evaluation| {
                let requests = evaluation
                    .iter()
                    .map(|(account, index)| {
                        let course = &self.entry(**index).walk;
                        TimelineRequest {
                            after: course.ask_after(),
                            account: *account,
                            bundle: &course.bundle,
                        }
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
    ) -> Vec<Result<Result<Plan, Refusal>, String>> {
        self.call_rules(
            evaluation,
            |&(index, _)| index,
            |rules, accounts, evaluation| {
                let requests = evaluation
                    .iter()
                    .map(|(account, (index, member))| {
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
        answer: &Result<Plan, Refusal>,
    ) {
        if self.records_decisions {
            let decided = self.decision_record(index, member, command, orders, answer);
            self.entry_mut(index).decisions.push(decided);
        }
    }

    pub(super) fn decision_record(
        &self,
        index: EntryIndex,
        member: MemberIndex,
        command: &Command,
        orders: &[Order],
        answer: &Result<Plan, Refusal>,
    ) -> DecisionRecord {
        let item = self.entry(index);
        let account = &self.account(item.account).account;
        let evaluation = formats::decision::DecisionInput {
            at: item.instant,
            account: &account.id,
            settings: &account.settings,
            command,
            member,
            bundle: &item.walk.bundle,
            orders,
        };
        let question = formats::decision::question(&evaluation).to_text();
        let answer = formats::decision::answer(answer).to_text();
        DecisionRecord { at: item.instant, member, request: question, response: answer }
    }
}

/// What the clock asks for when a try is due.
pub fn automatic_renewal() -> Command {
    Command::Renew(Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() })
}
