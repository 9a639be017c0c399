//! What policies are told about a plan of a batch, and about the money of its account.
//!
//! Asks the rules for the tries of a period; writes nothing, and knows no policy.

use std::collections::BTreeMap;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::TRIES_BEFORE_MAX;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::Budget;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_domain::policy::figures::Figures;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;

use crate::batch::Batch;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;

/// Who asks for a command of which nobody says who does: that of a scenario.
pub(crate) const UNNAMED: &str = "scenario";

impl BatchAccount {
    /// What it has at `at`.
    pub(crate) fn figures(&self, at: Timestamp) -> Figures {
        Figures {
            balance: self.account.balance.available(),
            spent: self.spending.as_ref().map(|spending| spending.at(at)).unwrap_or_default(),
        }
    }

    /// What policies are told about it when it has `figures`.
    pub(crate) fn facts(&self, figures: Figures) -> AccountFacts {
        let account = &self.account;
        AccountFacts {
            id: account.id.clone(),
            provider: account.provider.clone(),
            currency: account.currency.clone(),
            settings: account.settings.clone(),
            utc_offset_minutes: self.utc_offset_minutes(),
            balance: figures.balance,
            budget: account.budget.map(|limit| Budget { limit, spent: figures.spent }),
        }
    }

    /// The days of its provider, in minutes ahead of UTC.
    pub(crate) fn utc_offset_minutes(&self) -> i16 {
        self.rules.as_ref().map_or(0, |rules| rules.manifest().utc_offset_minutes)
    }
}

impl BatchEntry {
    /// How often a member was renewed, with what is not written yet.
    fn renewals(&self, member: MemberIndex) -> u32 {
        let before = self.renewals.get(member.get()).copied().unwrap_or_default();
        let orders = self.effects.iter().flat_map(|effects| &effects.orders);
        let more = orders.filter(|order| order.member == member && order.kind == OrderKind::Renewal).count();
        before.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
    }
}

impl Batch {
    /// The facts of a plan; the tries are left open.
    pub(crate) fn plan_facts(&self, index: EntryIndex, command: &Command, plan: &Plan) -> PlanFacts {
        let item = self.entry(index);
        let members = item.walk.bundle.iter().map(|(place, member)| (member.clone(), item.renewals(place)));
        let place = AccountIndex::new(item.account.get());
        let mode = self.account(item.account).account.mode;
        let mut facts = PlanFacts::of_plan(place, mode, command, plan, members.collect(), item.instant);
        facts.options = self.options_without_token(item.account, command);
        if command.cause() == Cause::Command {
            facts.requested_by = Some(self.requested_by.clone().unwrap_or_else(|| UNNAMED.to_owned()));
        }
        facts
    }

    /// The options that a command asks for, without its client token: that is how it is sent, and not what it asks for.
    fn options_without_token(
        &self,
        account: BatchAccountIndex,
        command: &Command,
    ) -> Option<BTreeMap<String, String>> {
        options_without(command, self.account(account).token_option())
    }

    /// The provider's tries for the present period of each of these members, those that have passed among them.
    pub(crate) fn period_tries(&self, members: &[(EntryIndex, MemberIndex)]) -> Vec<Tries> {
        let after = |(index, member): (EntryIndex, MemberIndex)| {
            let item = self.entry(index);
            before_period(&item.walk.bundle[member], item.instant)
        };
        let requests = members.iter().map(|one| (one.0, after(*one))).collect::<Vec<_>>();
        let timelines = self.request_timelines_after(&requests);
        let pairs = members.iter().zip(timelines);
        let tries = pairs.map(|((index, member), timeline)| {
            let item = self.entry(*index);
            tries(&timeline.unwrap_or_default(), &item.walk.bundle, *member, item.instant)
        });
        tries.collect()
    }
}

impl BatchAccount {
    /// The option that carries the client token of a command, if its provider has one.
    pub(crate) fn token_option(&self) -> Option<&str> {
        let manifest = self.rules.as_ref()?.manifest();
        manifest.idempotency.as_ref().map(|idempotency| idempotency.option_name.as_str())
    }
}

/// The options that a command asks for, without the one called `token`; `None` when it asks for none.
pub(crate) fn options_without(command: &Command, token: Option<&str>) -> Option<BTreeMap<String, String>> {
    let mut options = command.options()?.clone();
    if let Some(token) = token {
        options.remove(token);
    }
    (!options.is_empty()).then_some(options)
}

/// An instant before every try of the present period of `resource`, and before `at`.
pub(crate) fn before_period(resource: &Resource, at: Timestamp) -> Timestamp {
    let start =
        resource.expires_at.map_or(at, |expires_at| (expires_at - TRIES_BEFORE_MAX).max(resource.started_at));
    start.min(at) - 1
}

/// The tries that `timeline` has for the present period of `member` or, where it has none of its own, of its bundle.
pub(crate) fn tries(timeline: &[Occurrence], bundle: &Bundle, member: MemberIndex, at: Timestamp) -> Tries {
    let expires_at = bundle[member].expires_at;
    let in_period = |next: &&Occurrence| {
        next.action == Action::TryRenewal && expires_at.is_none_or(|expires_at| next.at < expires_at)
    };
    let all = timeline.iter().filter(in_period);
    let own = all.clone().filter(|next| next.member == member).map(|next| next.at).collect::<Vec<_>>();
    let tries = if own.is_empty() { all.map(|next| next.at).collect() } else { own };
    Tries {
        first: tries.first().copied(),
        next: tries.iter().copied().find(|next| *next > at),
        last: tries.last().copied(),
    }
}
