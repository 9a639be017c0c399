//! What policies are told about a plan that would be made now. Asks the rules and writes nothing.

use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Command;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;

use crate::command;
use crate::error::EngineError;
use crate::rules::Providers;
use crate::upcoming::upcoming_timelines;

/// A plan's facts and its account's, or why the provider would refuse the command.
pub type Facts = Result<(AccountFacts, PlanFacts), Refusal>;

/// The facts of `command` on the resource called `resource` at `at`; `None` when there is no such resource.
///
/// # Errors
///
/// [`EngineError`] when it cannot be decided.
pub fn of_command(
    db: &dyn EngineReads,
    providers: &Providers,
    at: Timestamp,
    resource: &str,
    command: &Command,
) -> Result<Option<Facts>, EngineError> {
    let Some((stored, member)) = db.find_bundle(resource)? else { return Ok(None) };
    let (account_key, rows) = (stored.account, stored.rows.clone());
    let proposal = command::propose_for_bundle(db, providers, at, (stored, member), command)?;
    let priced = match (proposal.refusal.clone(), proposal.plans.first()) {
        (None, Some(priced)) => priced,
        (Some(refusal), None | Some(_)) => return Ok(Some(Err(refusal))),
        (None, None) => return Ok(None),
    };
    let renewed = db.orders(&rows)?;
    let renewals = |index: usize| {
        let count = renewed
            .iter()
            .filter(|order| order.kind == OrderKind::Renewal && order.member.get() == index)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let members = proposal.bundle.members.iter().enumerate();
    let members = members.map(|(index, member)| (member.clone(), renewals(index))).collect();
    let mut facts = PlanFacts::of_plan(AccountIndex::new(0), command, &priced.plan, members, at);
    let timelines = upcoming_timelines(db, providers, at, &[(account_key, &proposal.bundle)])?;
    for timeline in timelines {
        facts.tries = tries(&timeline?, &proposal.bundle, member, at);
    }
    let account = &proposal.account;
    let manifest = providers.get(&account.provider).map(|rules| rules.manifest());
    let account = AccountFacts {
        id: account.id.clone(),
        provider: account.provider.clone(),
        currency: account.currency.clone(),
        settings: account.settings.clone(),
        utc_offset_minutes: manifest.map_or(0, |manifest| manifest.utc_offset_minutes),
        balance: account.balance.available(),
        budget: None,
    };
    Ok(Some(Ok((account, facts))))
}

/// The tries that `timeline` has for the present period of `member` or, where it has none of its own, of its bundle.
fn tries(timeline: &[Occurrence], bundle: &Bundle, member: MemberIndex, at: Timestamp) -> Tries {
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
