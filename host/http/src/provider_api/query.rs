//! What a plugin wants to know for an answer: of the sender's account, and of no other.

use perennial_domain::plan::Operation;
use perennial_domain::plan::Step;
use perennial_domain::provider_api::CommandRequest;
use perennial_domain::provider_api::Outcome;
use perennial_domain::provider_api::PricedStep;
use perennial_domain::provider_api::Query;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;

use perennial_engine::command;
use perennial_engine::proposal::PricedPlan;
use perennial_engine::proposal::Proposal;
use perennial_engine::rules::Providers;
use perennial_service::error::ServiceError;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles;
use perennial_store::error::StoreError;
use perennial_store::provider_views;

/// What is found.
pub(super) fn query(
    db: &ReadTx,
    providers: &Providers,
    at: Timestamp,
    account: &StoredAccount,
    query: &Query,
) -> Result<Outcome, ServiceError> {
    Ok(match query {
        Query::Resources(selection) => {
            let (total, resources) = provider_views::resources(db, account.row, selection)?;
            Outcome::Resources { total, resources }
        }
        Query::Orders(selection) => Outcome::Orders(provider_views::orders(db, account.row, selection)?),
        Query::Balance => Outcome::Balance {
            currency: account.account.currency.clone(),
            available: account.account.balance.available(),
            held: account.account.balance.held(),
        },
        Query::Proposal(instruction) => proposal(db, providers, at, account, instruction)?,
    })
}

/// Whether the resource called `id` is the account's.
pub(super) fn belongs_to(db: &ReadTx, account: &StoredAccount, id: &str) -> Result<bool, StoreError> {
    Ok(bundles::find_by_resource(db, id)?.is_some_and(|(stored, _)| stored.account == account.row))
}

fn proposal(
    db: &ReadTx,
    providers: &Providers,
    at: Timestamp,
    account: &StoredAccount,
    instruction: &CommandRequest,
) -> Result<Outcome, ServiceError> {
    let currency = account.account.currency.clone();
    let found = match belongs_to(db, account, &instruction.resource)? {
        true => command::propose(db, providers, at, &instruction.resource, &instruction.command)?,
        false => None,
    };
    let Some(found) = found else {
        let rules = providers.get(&account.account.provider);
        let refusal = rules.map(|rules| rules.manifest().unknown_resource.clone());
        return Ok(Outcome::Proposal { currency, steps: Vec::new(), refusal });
    };
    let steps = found.plans.iter().flat_map(|priced| priced_steps(&found, priced)).collect();
    Ok(Outcome::Proposal { currency, steps, refusal: found.refusal })
}

fn priced_steps<'a>(proposal: &'a Proposal, priced: &'a PricedPlan) -> impl Iterator<Item = PricedStep> + 'a {
    let prices = priced.costs.iter().zip(&priced.refunds);
    priced.plan.steps.iter().zip(prices).map(|(step, (cost, refund))| PricedStep {
        resource: proposal.bundle.members[step.member].id.clone(),
        cost: *cost,
        refund: *refund,
        expires_at: new_expiry(step),
    })
}

fn new_expiry(step: &Step) -> Option<Timestamp> {
    match &step.operation {
        Operation::Extend(extension) => Some(extension.expires_at),
        Operation::EndSubscription(ending) => ending.expires_at,
        Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::Buy(_)
        | Operation::SetAttribute(..) => None,
    }
}
