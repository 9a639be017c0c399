//! Renewals and commands of accounts that their provider keeps: the plan is priced and its money held, and a call is written
//! down. The dispatcher sends it later.
//!
//! Knows bundles in play and the calls that they have. Sends nothing.

pub(crate) mod provider_driver;

use std::collections::BTreeSet;

use perennial_domain::apply;
use perennial_domain::apply::PlanEffects;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::advance::advance;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::record::Slot;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connected::schedule::jitter;
use perennial_domain::connector::Change;
use perennial_domain::connector::Driver;
use perennial_domain::connector::MutationName;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::plan;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Step;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::MemberKeys;

use crate::application::PlanApplication;
use crate::batch::Batch;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::connected::CallId;

/// How long after its try a renewal of the clock leaves, in seconds: by then the provider's own try at the same instant is
/// over, and shows when the cloud is read ...
const AFTER_TRY: i64 = 3_600;
/// ... and over how many seconds more the calls of one instant are spread.
const SPREAD: u32 = 1_800;
/// For how long a command of a person is tried before it is given up, in seconds: a day.
const COMMAND_SECONDS: i64 = 86_400;
/// How long a provider takes calls after the expiry when its rules name no end, in seconds: a day.
const LAST_DAY: i64 = 86_400;

/// The codes of refusals that no provider gives: another call pays for the same period ...
const UNDER_WAY: &str = "renewal_under_way";
/// ... another call switches or ends the same ...
const COMMAND_UNDER_WAY: &str = "command_under_way";
/// ... or this host sends no such plan.
const NOT_SENT: &str = "not_sent";

/// Whether a renewal was refused for want of money, which is an attempt that was declined. Otherwise there is no attempt, or it
/// is another one's.
pub(crate) fn is_for_money(refusal: &Refusal) -> bool {
    ![UNDER_WAY, COMMAND_UNDER_WAY, NOT_SENT].contains(&refusal.code.as_str())
}

/// The calls of a bundle's members for their present expiry, those that pay for it, and the newest one of each about what
/// happens on expiry.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read.
pub(crate) fn load_calls(
    db: &dyn EngineReads,
    rows: &MemberKeys,
    bundle: &Bundle,
) -> Result<Vec<StoredCall>, StoreError> {
    let mut calls = Vec::new();
    for (index, member) in bundle.iter() {
        let Some(expires_before) = member.expires_at else { continue };
        let key = perennial_domain::attempt::Key { resource: member.id.clone(), expires_before };
        let found = [
            db.find_call(rows[index], expires_before, Slot::Period)?,
            db.find_call(rows[index], expires_before, Slot::End)?,
            db.newest_setting(rows[index])?,
            db.paying_call(&key)?,
        ];
        for call in found.into_iter().flatten() {
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    Ok(calls)
}

impl Batch {
    /// Who renews what the account of the bundle at `index` has; `None` for an account that this host keeps itself.
    pub(crate) fn driver(&self, index: EntryIndex) -> Option<Driver> {
        self.account(self.entry(index).account).driver
    }

    /// Whether this host makes a try of `member`: where it renews, and no call for the same period is under way, unclear or
    /// has paid for it.
    pub(crate) fn makes_try(&self, index: EntryIndex, member: MemberIndex) -> bool {
        match self.driver(index) {
            None => true,
            Some(Driver::Watch) => false,
            Some(Driver::Provider | Driver::Host) => !self.entry(index).has_call_for(member),
        }
    }

    /// Holds the money of a renewal, or of nothing where another change is asked for, and writes the call down. `timeline` is what
    /// lies ahead of the bundle.
    ///
    /// # Errors
    ///
    /// Why not: it is nothing that is sent, another call pays for one of its periods, or the balance does not suffice. Nothing
    /// has changed then.
    pub(crate) fn reserve(
        &mut self,
        index: EntryIndex,
        application: &PlanApplication<'_>,
        timeline: &[Occurrence],
    ) -> Result<(), Refusal> {
        let account = self.entry(index).account;
        let token_option = self.account(account).rules.as_ref().and_then(|rules| {
            let idempotency = rules.manifest().idempotency.as_ref();
            idempotency.map(|idempotency| idempotency.option_name.clone())
        });
        let item = self.entry(index);
        let mut record = match change_of(application.command) {
            Some(change) => command(item, application, change)?,
            None => renewal(item, application, timeline)?,
        };
        if let Some(renewal) = record.renewal_mut() {
            renewal.options.retain(|name, _| Some(name) != token_option.as_ref());
        }
        if let Some(other) = item.call_in_the_way_of(&record) {
            return Err(under_way(other));
        }
        if record.renewal().is_some() {
            self.hold_cost(index, &record)?;
        }
        let (at, act_at) = (self.entry(index).instant, record.act_at);
        advance(&mut record, Signal::Reserve, at, &Schedule::DEFAULT)
            .expect("what is planned can be reserved");
        record.act_at = act_at;
        self.entry_mut(index).reserved.push(record);
        Ok(())
    }

    fn hold_cost(&mut self, index: EntryIndex, record: &CallRecord) -> Result<(), Refusal> {
        let item = self.entry(index);
        let (at, account, cost) = (item.instant, item.account, record.cost());
        self.note_charge(index);
        let balance = &mut self.accounts[account.get()].account.balance;
        let hold = balance.hold(cost).map_err(|shortfall| self.short_of_money(account, shortfall))?;
        // The hold is stored: what settles the call finds it again by its amount.
        drop(hold);
        let entry = Entry {
            at,
            from: Book::Cash,
            to: Book::Held,
            amount: cost,
            reason: Reason::Renewal,
            resource: Some(record.named().resource.clone()),
            reference: Some(record.name()),
        };
        if let Some(spending) = &mut self.accounts[account.get()].spending {
            spending.add(at, std::slice::from_ref(&entry));
        }
        let effects = PlanEffects { entries: vec![entry], ..PlanEffects::default() };
        self.entry_mut(index).effects.push(effects);
        Ok(())
    }
}

impl BatchEntry {
    /// The call that somebody has just asked for, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it names no member of the bundle.
    pub(crate) fn asked_call(&self) -> Result<Option<CallId>, StoreError> {
        let Some(record) = self.reserved.iter().find(|record| record.cause == Cause::Command) else {
            return Ok(None);
        };
        let (resource, expires_before) = (&record.named().resource, record.named().expires_before);
        let resource = self.resource_row(resource)?;
        Ok(Some(CallId { resource, expires_before, slot: record.slot() }))
    }

    /// Whether a call is under way or unclear that pays for the present period of `member`, or has paid for it.
    fn has_call_for(&self, member: MemberIndex) -> bool {
        let resource = &self.walk.bundle[member];
        let is_its =
            |one: &Extension| one.resource == resource.id && Some(one.expires_before) == resource.expires_at;
        let stored = self.calls.iter().filter(|call| call.locks_its_keys()).map(|call| &call.record);
        let reserved = self.reserved.iter().filter(|record| record.locks_its_keys());
        stored.chain(reserved).any(|record| record.extensions.iter().any(is_its))
    }

    /// Has a call go on where an earlier one for the same key and slot has ended.
    fn follow_earlier(&self, record: &mut CallRecord) {
        let (key, slot) = (record.key(), record.slot());
        let is_same = |call: &&StoredCall| call.record.key() == key && call.record.slot() == slot;
        if let Some(earlier) = self.calls.iter().find(is_same) {
            record.follow(&earlier.record);
        }
    }

    /// The call that pays for one of the periods that `record` is about, ends one of them, or switches the same.
    fn call_in_the_way_of(&self, record: &CallRecord) -> Option<&StoredCall> {
        let keys = record.extensions.iter().map(Extension::key).collect::<Vec<_>>();
        let slot = record.slot();
        let is_in_the_way = |call: &&StoredCall| match slot {
            // Also one from before a renewal: read back once the later one is carried out, it would be taken for undone.
            Slot::OnExpiry => {
                let is_same = call.record.named().resource == record.named().resource;
                is_same && call.record.slot() == slot && call.record.is_open()
            }
            Slot::Period | Slot::End => {
                call.locks_its_keys() && call.record.extensions.iter().any(|one| keys.contains(&one.key()))
            }
        };
        self.calls.iter().find(is_in_the_way)
    }
}

/// What a command asks a provider for, beside a renewal.
fn change_of(command: &Command) -> Option<Change> {
    Some(match command {
        Command::SetAutoRenew(auto) => Change::SetAutoRenew(*auto),
        Command::CancelAutoRenew => Change::CancelAutoRenew,
        Command::Unsubscribe(scope) => Change::Unsubscribe(*scope),
        Command::ConvertOnExpiry => Change::ConvertOnExpiry,
        Command::CancelConversion => Change::CancelConversion,
        Command::Renew(_)
        | Command::ConvertNow
        | Command::BuyAgain(_)
        | Command::Change(_)
        | Command::Subscribe(_)
        | Command::PayOrder(_)
        | Command::CancelOrder(_) => return None,
    })
}

/// The mutation that a command takes at the provider of a connected account; `None` for a command that none is sent for.
pub(crate) fn mutation_of(command: &Command) -> Option<MutationName> {
    let renewal = matches!(command, Command::Renew(_)).then_some(MutationName::Renew);
    renewal.or_else(|| change_of(command).map(|change| change.mutation()))
}

/// A call that does what a command asks for: the resource that is named first, then what goes along with it.
fn command(
    item: &BatchEntry,
    application: &PlanApplication<'_>,
    change: Change,
) -> Result<CallRecord, Refusal> {
    let bundle = &item.walk.bundle;
    let mut steps = application.plan.steps.iter().collect::<Vec<_>>();
    steps.sort_by_key(|step| step.member != application.named);
    let extension = |step: &&Step| {
        let member = &bundle[step.member];
        let expires_before = member.expires_at?;
        let expires_planned = match &step.operation {
            Operation::EndSubscription(ending) => ending.expires_at.unwrap_or(expires_before),
            Operation::SetOnExpiry(_) | Operation::SetAutoRenew(_) => expires_before,
            // What only this host keeps is nothing that can be read back.
            Operation::Extend(_)
            | Operation::Convert(_)
            | Operation::Buy(_)
            | Operation::ChangeSpecification(_)
            | Operation::Subscribe(_)
            | Operation::SetAttribute(..) => return None,
        };
        let (resource, cost) = (member.id.clone(), Micros::ZERO);
        Some(Extension { resource, expires_before, expires_planned, cost })
    };
    let mut extensions = steps.iter().filter_map(extension).collect::<Vec<_>>();
    let mut seen = BTreeSet::new();
    extensions.retain(|one| seen.insert(one.resource.clone()));
    let is_named = extensions.first().is_some_and(|one| one.resource == bundle[application.named].id);
    if !is_named {
        let message =
            "the command changes nothing of the resource that it names, so there is nothing to send";
        return Err(Refusal { code: NOT_SENT.to_owned(), message: message.to_owned() });
    }
    let mut record = CallRecord::of_change(extensions, change, item.instant + COMMAND_SECONDS, item.instant);
    item.follow_earlier(&mut record);
    Ok(record)
}

/// A planned renewal of what a plan extends: the resource that is named first, then what is renewed along with it.
fn renewal(
    item: &BatchEntry,
    application: &PlanApplication<'_>,
    timeline: &[Occurrence],
) -> Result<CallRecord, Refusal> {
    let (bundle, at) = (&item.walk.bundle, item.instant);
    let steps = application.plan.steps.iter();
    let extended = steps.filter_map(|step| Some((step, step.operation.as_extend()?)));
    let mut extended = extended.collect::<Vec<(&Step, &plan::Extension)>>();
    extended.sort_by_key(|(step, _)| step.member != application.named);
    let named = extended.first().map(|(step, extension)| (step.member, extension.term));
    let Some((named, term)) = named.filter(|_| application.plan.pay_until.is_none()) else {
        let message = "only renewals that are paid at once are sent to the provider of this account; do it in its console, then \
             `perennial sync`";
        return Err(Refusal { code: NOT_SENT.to_owned(), message: message.to_owned() });
    };
    let extension = |(step, extension): &(&Step, &plan::Extension)| {
        let member = &bundle[step.member];
        Extension {
            resource: member.id.clone(),
            expires_before: member.expires_at.expect("a plan that was checked extends what expires"),
            expires_planned: extension.expires_at,
            cost: apply::step_cost(&step.operation, member, at),
        }
    };
    let extensions = extended.iter().map(extension).collect::<Vec<_>>();
    let expires_before = extensions[0].expires_before;
    let deadline = deadline(timeline, named).unwrap_or(expires_before.max(at) + LAST_DAY);
    let mut record = CallRecord::new(extensions, term, deadline, at);
    item.follow_earlier(&mut record);
    if let (Some(options), Some(renewal)) = (application.command.options(), record.renewal_mut()) {
        renewal.options.clone_from(options);
    }
    record.cause = application.command.cause();
    if record.cause == Cause::Auto {
        record.act_at = Some(act_at(&record, at));
    }
    Ok(record)
}

/// From when on the provider takes nothing for the present period of `member`.
fn deadline(timeline: &[Occurrence], member: MemberIndex) -> Option<Timestamp> {
    let is_end = |next: &&Occurrence| {
        next.member == member && matches!(next.action, Action::Enter(Stage::Released) | Action::Convert)
    };
    timeline.iter().find(is_end).map(|end| end.at)
}

/// When a renewal that the clock tries at `at` leaves: after the provider's own try, spread, and well before what it must prevent.
fn act_at(renewal: &CallRecord, at: Timestamp) -> Timestamp {
    let expires_before = renewal.named().expires_before;
    let latest = if at < expires_before { expires_before } else { renewal.deadline };
    let delay = AFTER_TRY + i64::from(jitter(&renewal.key(), SPREAD));
    at + delay.min((latest - at).max(0) / 2)
}

fn under_way(other: &StoredCall) -> Refusal {
    let record = &other.record;
    let (resource, from) = (&record.named().resource, record.named().expires_before);
    let (what, state) = (record.change.mutation().name(), record.state.name());
    let message = format!(
        "a call `{what}` of `{resource}`, which expires at {from}, is {state}; `perennial calls` shows it, and no other is made \
         for the same until it has ended"
    );
    let code = if record.renewal().is_some() { UNDER_WAY } else { COMMAND_UNDER_WAY };
    Refusal { code: code.to_owned(), message }
}
