//! Answers a plugin's queries, for the account of the sender only.

use perennial_domain::plan::Operation;
use perennial_domain::plan::Step;
use perennial_domain::provider_api::CommandRequest;
use perennial_domain::provider_api::Outcome;
use perennial_domain::provider_api::PricedStep;
use perennial_domain::provider_api::Query;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;

use perennial_engine::command;
use perennial_engine::preconditions::Preconditions;
use perennial_engine::proposal::PricedPlan;
use perennial_engine::proposal::Proposal;
use perennial_engine::rules::Providers;
use perennial_service::error::ServiceError;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles;
use perennial_store::error::StoreError;
use perennial_store::provider_views;

/// Answers a query of the holder of `access_key`, which is a key of `account`.
pub(super) fn query(
    db: &ReadTx,
    providers: &Providers,
    at: Timestamp,
    (account, access_key): (&StoredAccount, &str),
    query: &Query,
) -> Result<Outcome, ServiceError> {
    Ok(match query {
        Query::Resources(filter) => {
            let (total, resources) = provider_views::resources(db, &account.account.id, filter)?;
            Outcome::Resources { total, resources }
        }
        Query::Orders(filter) => {
            let (total, orders) = provider_views::orders(db, account.row, filter)?;
            Outcome::Orders { total, orders }
        }
        Query::Balance => Outcome::Balance {
            currency: account.account.currency.clone(),
            available: account.account.balance.available(),
            held: account.account.balance.held(),
        },
        Query::Proposal(command) => proposal(db, providers, at, (account, access_key), command)?,
    })
}

/// Whether the resource `id` belongs to the account.
pub(super) fn belongs_to(db: &ReadTx, account: &StoredAccount, id: &str) -> Result<bool, StoreError> {
    Ok(bundles::find_by_resource(db, id)?.is_some_and(|(stored, _)| stored.account == account.row))
}

fn proposal(
    db: &ReadTx,
    providers: &Providers,
    at: Timestamp,
    (account, access_key): (&StoredAccount, &str),
    request: &CommandRequest,
) -> Result<Outcome, ServiceError> {
    let currency = account.account.currency.clone();
    let asked =
        Preconditions { requested_by: Some(access_key), is_provider_api: true, ..Preconditions::default() };
    let proposal = match belongs_to(db, account, &request.resource)? {
        true => command::propose(db, providers, at, &request.resource, &request.command, &asked)?,
        false => None,
    };
    let Some(proposal) = proposal else {
        let providers = providers.as_bound(db)?;
        let rules = providers.of_account(&account.account.id, &account.account.provider);
        let refusal = rules.map(|rules| rules.manifest().unknown_resource_for(&request.command).clone());
        return Ok(Outcome::Proposal { currency, steps: Vec::new(), refusal });
    };
    let steps = proposal.plans.iter().flat_map(|priced| priced_steps(&proposal, priced)).collect();
    Ok(Outcome::Proposal { currency, steps, refusal: proposal.refusal })
}

fn priced_steps<'a>(proposal: &'a Proposal, priced: &'a PricedPlan) -> impl Iterator<Item = PricedStep> + 'a {
    let prices = priced.costs.iter().zip(&priced.refunds);
    priced.plan.steps.iter().zip(prices).map(|(step, (cost, refund))| PricedStep {
        resource: proposal.bundle[step.member].id.clone(),
        cost: *cost,
        refund: *refund,
        expires_at: new_expiry(step),
    })
}

fn new_expiry(step: &Step) -> Option<Timestamp> {
    match &step.operation {
        Operation::Extend(extension) => Some(extension.expires_at),
        Operation::EndSubscription(ending) => ending.expires_at,
        Operation::Subscribe(subscription) => Some(subscription.expires_at),
        Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::Buy(_)
        | Operation::Convert(_)
        | Operation::ChangeSpecification(_)
        | Operation::SetAttribute(..) => None,
    }
}
