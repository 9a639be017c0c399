//! Renewals of accounts that their provider keeps: the plan is priced and its money held, and a call is written down. The
//! dispatcher sends it later.
//!
//! Knows bundles in play and the calls that they have. Sends nothing.

use perennial_domain::apply;
use perennial_domain::apply::PlanEffects;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::advance::advance;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::renewal::Extension;
use perennial_domain::connected::renewal::Renewal;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connected::schedule::jitter;
use perennial_domain::connector::Driver;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::plan;
use perennial_domain::plan::Cause;
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
use crate::persist;

/// How long after its try a renewal of the clock leaves, in seconds: by then the provider's own try at the same instant is
/// over, and shows when the cloud is read ...
const AFTER_TRY: i64 = 3_600;
/// ... and over how many seconds more the calls of one instant are spread.
const SPREAD: u32 = 1_800;
/// How long a provider takes calls after the expiry when its rules name no end, in seconds: a day.
const LAST_DAY: i64 = 86_400;

/// The codes of refusals that no provider gives: another call pays for the same period ...
const UNDER_WAY: &str = "renewal_under_way";
/// ... or this host sends no such plan.
const NOT_SENT: &str = "not_sent";

/// Whether a renewal was refused for want of money, which is an attempt that was declined. Otherwise there is no attempt, or it
/// is another one's.
pub(crate) fn is_for_money(refusal: &Refusal) -> bool {
    ![UNDER_WAY, NOT_SENT].contains(&refusal.code.as_str())
}

/// The calls of a bundle's members for their present expiry, and those that pay for it.
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
        let found = [db.find_call(rows[index], expires_before)?, db.paying_call(&key)?];
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
            Some(Driver::Watch | Driver::Provider) => false,
            Some(Driver::Host) => !self.entry(index).has_call_for(member),
        }
    }

    /// Holds the money of a renewal and writes its call down. `timeline` is what lies ahead of the bundle.
    ///
    /// # Errors
    ///
    /// Why not: it is no renewal, another call pays for one of its periods, or the balance does not suffice. Nothing has
    /// changed then.
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
        let mut renewal = renewal(item, application, timeline)?;
        renewal.options.retain(|name, _| Some(name) != token_option.as_ref());
        if let Some(other) = item.call_paying_for(&renewal) {
            return Err(under_way(other));
        }
        let at = item.instant;
        let cost = renewal.cost();
        self.note_charge(index);
        let balance = &mut self.accounts[account.get()].account.balance;
        let hold = balance.hold(cost).map_err(|shortfall| self.short_of_money(account, shortfall))?;
        // The hold is stored: what settles the call finds it again by its amount.
        drop(hold);
        let act_at = renewal.act_at;
        advance(&mut renewal, Signal::Reserve, at, &Schedule::DEFAULT)
            .expect("what is planned can be reserved");
        renewal.act_at = act_at;
        let entry = Entry {
            at,
            from: Book::Cash,
            to: Book::Held,
            amount: cost,
            reason: Reason::Renewal,
            resource: Some(renewal.named().resource.clone()),
            reference: Some(persist::attempt_id(&renewal)),
        };
        let item = self.entry_mut(index);
        item.effects.push(PlanEffects { entries: vec![entry], ..PlanEffects::default() });
        item.reserved.push(renewal);
        Ok(())
    }
}

impl BatchEntry {
    /// Whether a call is under way or unclear that pays for the present period of `member`, or has paid for it.
    fn has_call_for(&self, member: MemberIndex) -> bool {
        let resource = &self.walk.bundle[member];
        let is_its =
            |one: &Extension| one.resource == resource.id && Some(one.expires_before) == resource.expires_at;
        let stored = self.calls.iter().filter(|call| call.locks_its_keys()).map(|call| &call.renewal);
        stored.chain(&self.reserved).any(|renewal| renewal.extensions.iter().any(is_its))
    }

    /// The call that pays for one of the periods that `renewal` would pay for.
    fn call_paying_for(&self, renewal: &Renewal) -> Option<&StoredCall> {
        let keys = renewal.extensions.iter().map(Extension::key).collect::<Vec<_>>();
        let pays = |call: &&StoredCall| {
            call.locks_its_keys() && call.renewal.extensions.iter().any(|one| keys.contains(&one.key()))
        };
        self.calls.iter().find(pays)
    }
}

/// A planned renewal of what a plan extends: the resource that is named first, then what is renewed along with it.
fn renewal(
    item: &BatchEntry,
    application: &PlanApplication<'_>,
    timeline: &[Occurrence],
) -> Result<Renewal, Refusal> {
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
    let mut renewal = Renewal::new(extensions, term, deadline, at);
    renewal.declines = item
        .calls
        .iter()
        .find(|call| call.renewal.key() == renewal.key())
        .map_or(0, |call| call.renewal.declines);
    if let Some(options) = application.command.options() {
        renewal.options.clone_from(options);
    }
    if application.command.cause() == Cause::Auto {
        renewal.act_at = Some(act_at(&renewal, at));
    }
    Ok(renewal)
}

/// From when on the provider takes nothing for the present period of `member`.
fn deadline(timeline: &[Occurrence], member: MemberIndex) -> Option<Timestamp> {
    let is_end = |next: &&Occurrence| {
        next.member == member && matches!(next.action, Action::Enter(Stage::Released) | Action::Convert)
    };
    timeline.iter().find(is_end).map(|end| end.at)
}

/// When a renewal that the clock tries at `at` leaves: after the provider's own try, spread, and well before what it must prevent.
fn act_at(renewal: &Renewal, at: Timestamp) -> Timestamp {
    let expires_before = renewal.named().expires_before;
    let latest = if at < expires_before { expires_before } else { renewal.deadline };
    let delay = AFTER_TRY + i64::from(jitter(&renewal.key(), SPREAD));
    at + delay.min((latest - at).max(0) / 2)
}

fn under_way(other: &StoredCall) -> Refusal {
    let renewal = &other.renewal;
    let message = format!(
        "a renewal of `{}` from {} is {}; `perennial calls` shows it, and no other is made for the same period until it has \
         ended",
        renewal.named().resource,
        renewal.named().expires_before,
        renewal.state.name()
    );
    Refusal { code: UNDER_WAY.to_owned(), message }
}
