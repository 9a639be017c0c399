//! What policies are told about a plan that would be made now. Asks the rules and writes nothing.

use perennial_domain::index::AccountIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Renewal;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::figures::Figures;
use perennial_domain::timestamp::Timestamp;
use perennial_sandbox::TimelineRequest;
use perennial_store::engine_store::EngineReads;

use crate::batch_entry::BatchAccount;
use crate::command;
use crate::error::EngineError;
use crate::load_batch;
use crate::policy_facts;
use crate::policy_prices;
use crate::preconditions::Preconditions;
use crate::rules::Providers;

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
    let (account_key, renewals) = (stored.account, load_batch::count_renewals(db, &stored.rows)?);
    let asked = Preconditions::default();
    let propose = |command: &Command| {
        command::propose_for_bundle(db, providers, at, (stored.clone(), member), command, &asked)
    };
    let proposal = propose(command)?;
    let priced = match (proposal.refusal.clone(), proposal.plans.first()) {
        (None, Some(priced)) => priced,
        (Some(refusal), None | Some(_)) => return Ok(Some(Err(refusal))),
        (None, None) => return Ok(None),
    };
    let mode = proposal.account.mode;
    let members = proposal.bundle.members.iter().cloned().zip(renewals).collect();
    let mut facts = PlanFacts::of_plan(AccountIndex::new(0), mode, command, &priced.plan, members, at);
    if let Command::Renew(renewal) = command {
        for term in policy_prices::usual_terms().filter(|term| facts.term != Some(*term)) {
            let other = Command::Renew(Renewal { term: Some(term), ..renewal.clone() });
            let proposal = propose(&other)?;
            if let (None, Some(priced)) = (&proposal.refusal, proposal.plans.first()) {
                let members = facts.members.clone();
                let of_other =
                    PlanFacts::of_plan(AccountIndex::new(0), mode, &other, &priced.plan, members, at);
                facts.quotes.extend(of_other.cost.map(|cost| (term, cost)));
            }
        }
    }
    let account = BatchAccount::new(db.account(account_key)?, &providers.as_bound(db)?);
    if let Some(rules) = &account.rules {
        let after = policy_facts::before_period(&proposal.bundle[member], at);
        let request = TimelineRequest { after, account: AccountIndex::new(0), bundle: &proposal.bundle };
        for timeline in rules.timelines(&[&proposal.account], &[request]) {
            facts.tries = policy_facts::tries(&timeline?, &proposal.bundle, member, at);
        }
    }
    let since = at.month_start(account.utc_offset_minutes());
    let spent = db.spent_since(account_key, since)?;
    let figures = Figures { balance: proposal.account.balance.available(), spent };
    Ok(Some(Ok((account.facts(figures), facts))))
}
