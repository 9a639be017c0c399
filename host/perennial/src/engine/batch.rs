//! Deciding on many bundles at once: walking their timelines, trying their renewals, meeting the money.
//!
//! Knows bundles, rules and balances in memory. Does not read or write anything: [`crate::engine::write`] does.
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

use crate::engine::hold::OnHold;
use crate::engine::parallel;
use crate::engine::rules::Providers;
use crate::engine::rules::Rules;
use crate::formats;
use crate::sandbox::PlanRequest;
use crate::sandbox::PluginError;
use crate::sandbox::TimelineRequest;
use crate::store::accounts::StoredAccount;
use crate::store::bundles::Agenda;
use crate::store::bundles::Before;
use crate::store::bundles::StoredBundle;

/// The most rounds in one batch. A bundle that has more to catch up on is due again at once, in the next batch.
const ROUNDS_MAX: usize = 64;
/// How long a bundle rests after its plugin first gave no usable answer, in seconds; it doubles each time ...
const BACK_OFF_FIRST: i64 = 60;
/// ... up to this, in seconds.
pub const BACK_OFF_MAX: i64 = 6 * 3600;

/// An account whose bundles are being decided on.
pub struct InPlay {
    /// Its row.
    pub row: i64,
    /// What it is; its balance changes as plans are carried out.
    pub account: Account,
    /// Its provider's rules, if they are loaded.
    pub rules: Option<Arc<dyn Rules>>,
    notices: Arc<[String]>,
    /// What it had to spend before.
    available_before: Micros,
    /// The last bundle whose plan met the balance, by place.
    met_last: usize,
    /// The first bundle whose plan met the balance only after a later bundle's had, by place.
    overtaken: Option<usize>,
    /// Whether the balance did not suffice for a plan.
    is_short: bool,
}

impl InPlay {
    /// An account as stored, with its provider's rules.
    pub fn new(stored: StoredAccount, providers: &Providers) -> InPlay {
        let rules = providers.get(&stored.account.provider).cloned();
        let notices =
            rules.iter().flat_map(|rules| rules.manifest().notices.iter().map(|notice| notice.name.clone()));
        let notices = notices.collect();
        InPlay {
            row: stored.row,
            rules,
            notices,
            available_before: stored.account.balance.available(),
            account: stored.account,
            met_last: 0,
            overtaken: None,
            is_short: false,
        }
    }
}

/// A question that a plugin was asked, and what it answered.
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// The member that the command named.
    pub member: usize,
    /// As the decision format writes them.
    pub question: String,
    /// Likewise.
    pub answer: String,
}

/// A bundle that is being decided on, and what there is to write down about it.
pub struct Item {
    /// As it was.
    pub stored: Before,
    /// Its account, by place in the batch.
    pub account: usize,
    /// The instant of whatever is decided: of tries, and of the money they take.
    pub instant: Timestamp,
    /// As it is by now, and what happened.
    pub walk: TimelineWalk,
    /// What the clock is to know of it from now on.
    pub agenda: Agenda,
    /// Why its plugin gave no usable answer, if that is how it ended.
    pub problem: Option<String>,
    /// The plans that were carried out.
    pub effects: Vec<PlanEffects>,
    /// The attempts that were declined.
    pub declined: Vec<Attempt>,
    /// The approvals that its members were named in; not read where nothing is ever held.
    pub on_hold: Vec<OnHold>,
    /// What plugins were asked and answered, if decisions are kept.
    pub decisions: Vec<Decided>,
}

impl Item {
    /// A bundle as stored, to be decided on at `instant`.
    pub fn new(stored: StoredBundle, account: usize, instant: Timestamp) -> Item {
        let (stored, bundle) = stored.into_before();
        let walk = TimelineWalk::new(bundle, stored.agenda.cursor_at);
        Item {
            account,
            instant,
            walk,
            agenda: stored.agenda,
            problem: None,
            effects: Vec::new(),
            declined: Vec::new(),
            on_hold: Vec::new(),
            decisions: Vec::new(),
            stored,
        }
    }

    /// Nothing more is due by the instant; something is at `wake`.
    fn sleep(&mut self, wake_at: Option<Timestamp>) {
        self.agenda =
            Agenda { cursor_at: self.instant.max(self.stored.agenda.cursor_at), wake_at, failures: 0 };
    }

    /// The plugin gave no usable answer: the bundle stays as it is by now and is asked about again later.
    fn fail(&mut self, message: String) {
        let failures = self.stored.agenda.failures.saturating_add(1);
        let doublings = (failures - 1).min(16);
        let rest = (BACK_OFF_FIRST << doublings).min(BACK_OFF_MAX);
        let next_try_at = self.instant + rest;
        self.agenda = Agenda { cursor_at: self.walk.safe_cursor(), wake_at: Some(next_try_at), failures };
        let resource = Some(self.walk.bundle.primary().id.clone());
        let what = EventKind::PluginFailed { message: message.clone(), next_try_at };
        self.walk.events.push(Event { at: self.instant, resource, what });
        self.problem = Some(message);
    }
}

/// Bundles that are decided on together.
pub struct Batch {
    /// Their accounts.
    pub accounts: Vec<InPlay>,
    /// The bundles, in the order in which their time comes.
    pub items: Vec<Item>,
    /// Whether requests and answers are kept.
    pub keeps_decisions: bool,
    /// The token that asks; `None` for the clock.
    pub asked_by: Option<String>,
}

/// A renewal try that a walk paused for.
struct Try {
    item: usize,
    member: usize,
    next_try_at: Option<Timestamp>,
    timeline: Vec<Occurrence>,
}

impl Batch {
    /// No bundles yet.
    pub fn new(keeps_decisions: bool) -> Batch {
        Batch { accounts: Vec::new(), items: Vec::new(), keeps_decisions, asked_by: None }
    }

    /// How many of the bundles, from the first one on, were rightly decided on together; at least one.
    ///
    /// A bundle that is due again within the batch comes before whatever is due then. So does a bundle's second try
    /// before a later bundle's first, though rounds make them the other way round: where the balance suffices for all of
    /// them nobody can tell, else they must not be decided on together.
    pub fn together(&self) -> usize {
        let again = |(place, item): (usize, &Item)| {
            let wake_at = item.agenda.wake_at?;
            Some(self.items.partition_point(|later| later.instant < wake_at).max(place + 1))
        };
        let again = self.items.iter().enumerate().filter_map(again);
        let short = self.accounts.iter().filter(|in_play| in_play.is_short);
        let overtaken = short.filter_map(|in_play| in_play.overtaken).map(|place| place + 1);
        again.chain(overtaken).chain([self.items.len()]).min().unwrap_or_default()
    }

    /// Tells balances as they are when the bundles meet the money one after the other, whatever rounds did.
    pub fn tell_balances_in_order(&mut self) {
        let mut balances = self.accounts.iter().map(|in_play| in_play.available_before).collect::<Vec<_>>();
        for item in &mut self.items {
            for event in &mut item.walk.events {
                if let EventKind::BalanceChanged { amount, balance, .. } = &mut event.what {
                    balances[item.account] += *amount;
                    *balance = balances[item.account];
                }
            }
        }
    }

    /// Decides on every bundle, up to its instant.
    pub fn decide(&mut self) {
        let everything = (0..self.items.len()).collect();
        self.decide_on(everything);
    }

    /// Decides on the bundles at these places.
    pub fn decide_on(&mut self, mut awake: Vec<usize>) {
        for _ in 0..ROUNDS_MAX {
            if awake.is_empty() {
                return;
            }
            let tries = self.walk(&awake);
            awake = self.attempt(tries);
        }
        for place in awake {
            let item = &mut self.items[place];
            let (cursor_at, wake_at) = (item.walk.safe_cursor(), Some(item.instant));
            item.agenda = Agenda { cursor_at, wake_at, failures: 0 };
        }
    }

    /// Walks these bundles along their timelines; returns the tries they paused for.
    fn walk(&mut self, awake: &[usize]) -> Vec<Try> {
        let timelines = self.timelines(awake);
        let mut tries = Vec::new();
        for (place, timeline) in awake.iter().copied().zip(timelines) {
            let item = &mut self.items[place];
            let timeline = match timeline {
                Ok(timeline) => timeline,
                Err(message) => {
                    item.fail(message);
                    continue;
                }
            };
            match item.walk.walk(&timeline, item.instant, &self.accounts[item.account].notices) {
                Yield::Idle { wake } => item.sleep(wake),
                Yield::Renewal { member, next_try_at } => {
                    tries.push(Try { item: place, member, next_try_at, timeline });
                }
            }
        }
        tries
    }

    /// Makes these tries; returns the bundles that are to be walked on.
    fn attempt(&mut self, tries: Vec<Try>) -> Vec<usize> {
        let command = automatic_renewal();
        let asked = tries.iter().map(|one| (one.item, one.member)).collect::<Vec<_>>();
        let plans = self.plans(&asked, &command);
        let mut kept = self.kept(&asked, &command, &plans).into_iter();
        let mut awake = Vec::new();
        for (one, plan) in tries.into_iter().zip(plans) {
            let kept = kept.next().flatten();
            match plan {
                Err(message) => self.items[one.item].fail(message),
                Ok(plan) => {
                    self.items[one.item].decisions.extend(kept);
                    if self.try_renewal(one.item, one.member, plan, one.next_try_at, &one.timeline) {
                        self.items[one.item].walk.settle();
                        awake.push(one.item);
                    } else if self.walk_on_after_decline(&one) {
                        awake.push(one.item);
                    }
                }
            }
        }
        awake
    }

    /// What is to be kept of these requests, one for each that was answered; nothing if decisions are not kept.
    fn kept(
        &self,
        asked: &[(usize, usize)],
        command: &Command,
        answers: &[Result<Result<Plan, Refusal>, String>],
    ) -> Vec<Option<Decided>> {
        // Writing them out takes longer than the rule does.
        parallel::map(if self.keeps_decisions { asked.len() } else { 0 }, |number| {
            let (place, member) = asked[number];
            let answer = answers[number].as_ref().ok()?;
            Some(self.decided(place, member, command, &[], answer))
        })
    }

    /// Walks a bundle on whose try was declined, along the same timeline: nothing has changed. Returns whether it paused
    /// for another try.
    fn walk_on_after_decline(&mut self, one: &Try) -> bool {
        let item = &mut self.items[one.item];
        item.walk.decline();
        match item.walk.walk(&one.timeline, item.instant, &self.accounts[item.account].notices) {
            Yield::Idle { wake } => {
                item.sleep(wake);
                false
            }
            Yield::Renewal { .. } => true,
        }
    }

    /// Carries out what a try of `member` would do, or holds it, or writes down why not; returns whether it was carried
    /// out. `timeline` is what lies ahead of the bundle.
    pub fn try_renewal(
        &mut self,
        place: usize,
        member: usize,
        plan: Result<Plan, Refusal>,
        next_try_at: Option<Timestamp>,
        timeline: &[Occurrence],
    ) -> bool {
        let refusal = match plan {
            Ok(plan) if self.is_held(place, &plan) => {
                self.hold_try(place, member, &plan, timeline);
                return false;
            }
            Ok(plan) => match self.apply(place, member, Cause::Auto, &plan, &[], "") {
                Ok(()) => return true,
                Err(refusal) => {
                    return self.decline(
                        place,
                        member,
                        refusal,
                        DeclineClass::Money,
                        next_try_at,
                        Some(&plan),
                    );
                }
            },
            Err(refusal) => refusal,
        };
        self.decline(place, member, refusal, DeclineClass::Rule, next_try_at, None)
    }

    /// Carries `plan` out on the bundle at `place`.
    ///
    /// # Errors
    ///
    /// The provider's word for it when the balance does not suffice; nothing has changed then.
    pub fn apply(
        &mut self,
        place: usize,
        named: usize,
        cause: Cause,
        plan: &Plan,
        orders: &[Order],
        new_id: &str,
    ) -> Result<(), Refusal> {
        let item = &mut self.items[place];
        let in_play = &mut self.accounts[item.account];
        if place < in_play.met_last {
            in_play.overtaken = Some(in_play.overtaken.map_or(place, |first| first.min(place)));
        }
        in_play.met_last = in_play.met_last.max(place);
        let context = ExecutionContext { at: item.instant, named, cause, orders, new_id };
        match apply::apply(plan, &mut item.walk.bundle, &mut in_play.account.balance, &context) {
            Ok(mut carried) => {
                item.walk.events.append(&mut carried.events);
                item.effects.push(carried);
                Ok(())
            }
            Err(shortfall) => {
                in_play.is_short = true;
                let rules = in_play.rules.as_ref().expect("a plan came from the account's rules");
                let refusal = &rules.manifest().insufficient_balance;
                let currency = &in_play.account.currency;
                let message = format!(
                    "{}: {} {currency} needed, {} available",
                    refusal.message, shortfall.needed, shortfall.available
                );
                Err(Refusal { code: refusal.code.clone(), message })
            }
        }
    }

    /// Writes down that a renewal was declined; `plan` is what could not be paid. Always returns false.
    pub fn decline(
        &mut self,
        place: usize,
        member: usize,
        refusal: Refusal,
        class: DeclineClass,
        next_try_at: Option<Timestamp>,
        plan: Option<&Plan>,
    ) -> bool {
        let item = &mut self.items[place];
        let resource = &item.walk.bundle.members[member];
        let what =
            EventKind::RenewalDeclined { code: refusal.code, message: refusal.message, class, next_try_at };
        item.walk.events.push(Event { at: item.instant, resource: Some(resource.id.clone()), what });
        let planned = plan.and_then(|plan| apply::attempt_key(plan, &item.walk.bundle, member));
        let asked_for = || {
            let term = resource.renewal_term.or(resource.term)?;
            Some(Key { resource: resource.id.clone(), expires_before: resource.expires_at?, term })
        };
        if let Some(key) = planned.or_else(asked_for) {
            item.declined.push(Attempt { key, state: State::Declined(class), at: item.instant });
        }
        false
    }

    /// Asks for the timelines of the bundles at these places.
    pub(super) fn timelines(&self, places: &[usize]) -> Vec<Result<Vec<Occurrence>, String>> {
        self.ask(
            places,
            |&place| place,
            |rules, accounts, asked| {
                let requests = asked
                    .iter()
                    .map(|(account, place)| {
                        let course = &self.items[**place].walk;
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
    pub fn plans(
        &self,
        asked: &[(usize, usize)],
        command: &Command,
    ) -> Vec<Result<Result<Plan, Refusal>, String>> {
        self.ask(
            asked,
            |&(place, _)| place,
            |rules, accounts, asked| {
                let requests = asked
                    .iter()
                    .map(|(account, (place, member))| {
                        let item = &self.items[*place];
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
    fn ask<Q, A>(
        &self,
        requests: &[Q],
        item_of: impl Fn(&Q) -> usize,
        put: impl Fn(&dyn Rules, &[&Account], &[(usize, &Q)]) -> Vec<Result<A, PluginError>>,
    ) -> Vec<Result<A, String>> {
        let mut by_provider = BTreeMap::<&str, Vec<usize>>::new();
        for (number, question) in requests.iter().enumerate() {
            let account = &self.accounts[self.items[item_of(question)].account].account;
            by_provider.entry(&account.provider).or_default().push(number);
        }
        let mut answers = requests.iter().map(|_| None).collect::<Vec<_>>();
        for (provider, numbers) in by_provider {
            let mut accounts = Vec::new();
            let mut places = vec![usize::MAX; self.accounts.len()];
            let mut asked = Vec::with_capacity(numbers.len());
            let mut rules = None;
            for number in &numbers {
                let account = self.items[item_of(&requests[*number])].account;
                if places[account] == usize::MAX {
                    places[account] = accounts.len();
                    accounts.push(&self.accounts[account].account);
                    rules = self.accounts[account].rules.as_deref();
                }
                asked.push((places[account], &requests[*number]));
            }
            let Some(rules) = rules else {
                for number in numbers {
                    answers[number] =
                        Some(Err(format!("no plugin `{provider}` is loaded; load one with `--plugin FILE`")));
                }
                continue;
            };
            let given = put(rules, &accounts, &asked);
            assert_eq!(given.len(), numbers.len(), "rules give one answer per question");
            for (number, answer) in numbers.into_iter().zip(given) {
                answers[number] = Some(answer.map_err(|error| error.to_string()));
            }
        }
        answers.into_iter().map(|answer| answer.expect("every question belongs to one provider")).collect()
    }

    /// Keeps what was asked about a command and answered, if decisions are kept.
    pub fn keep(
        &mut self,
        place: usize,
        member: usize,
        command: &Command,
        orders: &[Order],
        answer: &Result<Plan, Refusal>,
    ) {
        if self.keeps_decisions {
            let decided = self.decided(place, member, command, orders, answer);
            self.items[place].decisions.push(decided);
        }
    }

    pub(super) fn decided(
        &self,
        place: usize,
        member: usize,
        command: &Command,
        orders: &[Order],
        answer: &Result<Plan, Refusal>,
    ) -> Decided {
        let item = &self.items[place];
        let account = &self.accounts[item.account].account;
        let asked = formats::decision::Asked {
            at: item.instant,
            account: &account.id,
            settings: &account.settings,
            command,
            member,
            bundle: &item.walk.bundle,
            orders,
        };
        let question = formats::decision::question(&asked).to_text();
        let answer = formats::decision::answer(answer).to_text();
        Decided { at: item.instant, member, question, answer }
    }
}

/// What the clock asks for when a try is due.
pub fn automatic_renewal() -> Command {
    Command::Renew(Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() })
}
