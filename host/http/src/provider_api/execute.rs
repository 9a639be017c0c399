//! What a plugin wants done: in one transaction, on the writer's thread, for the sender's account and for no other.

use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Refusal;
use perennial_domain::provider_api::Atomicity;
use perennial_domain::provider_api::CommandRequest;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::Mutation;
use perennial_domain::provider_api::Outcome;
use perennial_domain::provider_api::Transaction;
use perennial_domain::timestamp::Timestamp;

use crate::provider_api::Endpoint;
use crate::provider_api::ProviderRequest;
use crate::provider_api::authentication;
use crate::provider_api::authentication::Sender;
use crate::provider_api::failure_of_problem;
use crate::provider_api::internal;
use crate::provider_api::query;
use perennial_engine::EngineTx;
use perennial_engine::command::Preconditions;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_service::error::ServiceError;
use perennial_service::writer::WriterContext;

use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::error::StoreError;
use perennial_store::provider_keys;
use perennial_store::provider_views;

/// The longest path that the audit log keeps, in bytes.
const PATH_MAX: usize = 200;

/// Why nothing of an action was written.
enum TransactionError {
    /// The client is told this.
    Failure(Failure),
    /// One mutation of an action that is whole or nothing was refused: its place, and why.
    Refused(usize, Refusal),
    /// The host or a plugin failed.
    Service(ServiceError),
}

impl From<StoreError> for TransactionError {
    fn from(error: StoreError) -> TransactionError {
        TransactionError::Service(error.into())
    }
}

impl From<EngineError> for TransactionError {
    fn from(error: EngineError) -> TransactionError {
        TransactionError::Service(error.into())
    }
}

/// What one mutation came to, and what happened.
type OperationResult = (Outcome, Vec<RecordedEvent>);

impl Endpoint {
    /// Has an action carried out; the conversation goes on with what came of it.
    pub(super) async fn execute(
        &self,
        mut request_in_progress: ProviderRequest,
        transaction: Transaction,
    ) -> Result<ProviderRequest, Failure> {
        let provider = self.provider.clone();
        let performed = self.app.writer().call(move |context| {
            let outcomes = execute_action(context, &provider, &request_in_progress, &transaction);
            Ok::<_, ServiceError>(outcomes.map(|outcomes| {
                request_in_progress.outcomes.extend(outcomes);
                request_in_progress
            }))
        });
        performed.await.map_err(failure_of_problem)?
    }
}

fn execute_action(
    context: &mut WriterContext,
    provider: &str,
    request_in_progress: &ProviderRequest,
    transaction: &Transaction,
) -> Result<Vec<Outcome>, Failure> {
    let (at, publisher) = (context.now(), context.publisher());
    let executor = TransactionExecutor { at, provider, conversation: request_in_progress, transaction };
    let acted = context.engine.in_transaction(|engine| executor.execute_all(engine));
    let acted = match acted {
        Err(TransactionError::Refused(index, refusal)) => {
            context.engine.in_transaction(|engine| executor.refused(engine, index, refusal))
        }
        acted => acted,
    };
    match acted {
        Ok((outcomes, events)) => {
            publisher.publish(&events);
            Ok(outcomes)
        }
        Err(TransactionError::Failure(failure)) => Err(failure),
        Err(TransactionError::Refused(_, refusal)) => Err(internal(refusal.message)),
        Err(TransactionError::Service(error)) => Err(failure_of_problem(error)),
    }
}

struct TransactionExecutor<'a> {
    at: Timestamp,
    provider: &'a str,
    conversation: &'a ProviderRequest,
    transaction: &'a Transaction,
}

impl TransactionExecutor<'_> {
    fn sender(&self) -> &Sender {
        &self.conversation.sender
    }

    /// Does all mutations, with what has to be written down about them.
    fn execute_all(
        &self,
        engine: &mut EngineTx<'_>,
    ) -> Result<(Vec<Outcome>, Vec<RecordedEvent>), TransactionError> {
        let account = self.begin(engine)?;
        let (mut outcomes, mut events) = (Vec::new(), Vec::new());
        for (index, mutation) in self.transaction.mutations.iter().enumerate() {
            let (outcome, mut more) = self.execute_one(engine, &account, mutation)?;
            let mut is_over = false;
            if let (Outcome::Refused(refusal), Atomicity::AllOrNothing) =
                (&outcome, self.transaction.atomicity)
            {
                if index > 0 {
                    return Err(TransactionError::Refused(index, refusal.clone()));
                }
                is_over = true;
            }
            outcomes.push(outcome);
            events.append(&mut more);
            if is_over {
                // There is nothing before it to be undone, so it leaves what it leaves anywhere else.
                outcomes.resize(self.transaction.mutations.len(), Outcome::Aborted);
                break;
            }
        }
        self.record(engine, &outcomes)?;
        Ok((outcomes, events))
    }

    /// Writes down that the mutation at `place` was refused, and with it all of them: what was done before it is undone.
    fn refused(
        &self,
        engine: &mut EngineTx<'_>,
        index: usize,
        refusal: Refusal,
    ) -> Result<(Vec<Outcome>, Vec<RecordedEvent>), TransactionError> {
        let account = self.begin(engine)?;
        let events = match &self.transaction.mutations[index] {
            Mutation::Command(instruction) => {
                let whose = (account.row, account.account.id.as_str());
                engine.record_refusal(
                    self.at,
                    whose,
                    &instruction.resource,
                    &instruction.command,
                    &refusal,
                )?
            }
            Mutation::SetAttribute { .. } | Mutation::ChangeSettings(_) | Mutation::IssueToken(_) => {
                Vec::new()
            }
        };
        let mut outcomes = vec![Outcome::Aborted; self.transaction.mutations.len()];
        outcomes[index] = Outcome::Refused(refusal);
        self.record(engine, &outcomes)?;
        Ok((outcomes, events))
    }

    /// Makes sure that the sender may still act, and that this proof does not do so a second time.
    fn begin(&self, engine: &EngineTx<'_>) -> Result<StoredAccount, TransactionError> {
        let (db, sender) = (engine.tx(), self.sender());
        let key = provider_keys::get(db, &sender.access_key)?;
        if !key.is_some_and(|key| key.is_in_force(self.at)) {
            return Err(TransactionError::Failure(Failure::UnknownAccessKey));
        }
        if let (true, Some((digest, valid_until))) = (self.transaction.reject_replay, &sender.proof)
            && !provider_keys::spend(db, digest, *valid_until)?
        {
            return Err(TransactionError::Failure(Failure::Replayed));
        }
        let account = accounts::get(db, &sender.account)?;
        account.ok_or_else(|| EngineError::UnknownAccount(sender.account.clone()).into())
    }

    fn execute_one(
        &self,
        engine: &mut EngineTx<'_>,
        account: &StoredAccount,
        mutation: &Mutation,
    ) -> Result<OperationResult, TransactionError> {
        match mutation {
            Mutation::Command(instruction) => self.command(engine, account, instruction),
            Mutation::SetAttribute { resource, name, value } => {
                if !query::belongs_to(engine.db(), account, resource)? {
                    let rules = engine.providers().get(self.provider);
                    let refusal = rules.map(|rules| rules.manifest().unknown_resource.clone());
                    let refusal =
                        refusal.ok_or_else(|| internal("no plugin")).map_err(TransactionError::Failure)?;
                    return Ok((Outcome::Refused(refusal), Vec::new()));
                }
                Ok((no_cost(), engine.set_attribute(self.at, resource, name, value)?))
            }
            Mutation::ChangeSettings(changes) => {
                let changes = changes.iter().cloned().collect();
                Ok(match engine.change_settings(self.at, &account.account.id, &changes)? {
                    Ok(events) => (no_cost(), events),
                    Err(problems) => {
                        let refusal = Refusal { code: "settings".to_owned(), message: problems.join("; ") };
                        (Outcome::Refused(refusal), Vec::new())
                    }
                })
            }
            Mutation::IssueToken(seconds) => {
                let value = perennial_service::random_hex::random_hex::<32>()
                    .map_err(|error| TransactionError::Failure(internal(error)))?;
                let valid_until = self.at + i64::from(*seconds);
                let hash = authentication::token_hash(&value);
                provider_keys::insert_token(engine.tx(), &hash, &self.sender().access_key, valid_until)?;
                Ok((Outcome::Token { value, valid_until }, Vec::new()))
            }
        }
    }

    fn command(
        &self,
        engine: &mut EngineTx<'_>,
        account: &StoredAccount,
        instruction: &CommandRequest,
    ) -> Result<OperationResult, TransactionError> {
        let CommandRequest { resource, command } = instruction;
        let id = account.account.id.as_str();
        let last = provider_views::last_order(engine.db())?;
        let answer = match query::belongs_to(engine.db(), account, resource)? {
            true => {
                let terms = Preconditions { plan_hash: None, requested_by: Some(&self.sender().access_key) };
                engine.command_with_preconditions(self.at, Some(id), resource, command, &terms)?
            }
            false => engine.refuse_unknown_resource(self.at, Some(id), resource, command)?,
        };
        if let Some(refusal) = answer.refusal {
            return Ok((Outcome::Refused(refusal), answer.events));
        }
        if let Some(approval) = answer.approval {
            return Ok((Outcome::Pending(approval), answer.events));
        }
        // What the clock still owed was paid for before this instant, and is none of the client's.
        let (mut orders, cost) = provider_views::orders_after(engine.db(), last, self.at)?;
        let mut refund = Micros::ZERO;
        for recorded in &answer.events {
            if let EventKind::Unsubscribed { refunds, .. } = &recorded.event.what {
                for (order, amount) in refunds {
                    refund += *amount;
                    if !orders.contains(order) {
                        orders.push(order.clone());
                    }
                }
            }
        }
        Ok((Outcome::Applied { orders, cost, refund }, answer.events))
    }

    /// Writes a line of the audit log.
    fn record(&self, engine: &EngineTx<'_>, outcomes: &[Outcome]) -> Result<(), StoreError> {
        let other = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Refused(refusal) => Some(refusal.code.clone()),
            Outcome::Pending(_) => Some("pending_approval".to_owned()),
            Outcome::Resources { .. }
            | Outcome::Orders(_)
            | Outcome::Balance { .. }
            | Outcome::Proposal { .. }
            | Outcome::Applied { .. }
            | Outcome::Aborted
            | Outcome::Token { .. } => None,
        });
        let request = &self.conversation.request;
        let path = request.path.chars().take(PATH_MAX).collect::<String>();
        let record = Record {
            at: self.at,
            token: self.sender().access_key.clone(),
            name: format!("a key of {}", self.provider),
            request: request.id.clone(),
            account: Some(self.sender().account.clone()),
            resource: single_resource(&self.transaction.mutations),
            operation: format!("{} {} {path}", self.provider, request.method),
            reason: None,
            // The plugin has not said yet what the client is answered.
            status: 0,
            outcome: other.unwrap_or_else(|| "done".to_owned()),
        };
        audit::insert(engine.tx(), &record)
    }
}

/// OperationResult, with nothing bought or given back.
fn no_cost() -> Outcome {
    Outcome::Applied { orders: Vec::new(), cost: Micros::ZERO, refund: Micros::ZERO }
}

/// The resource that mutations are about, if it is one.
fn single_resource(mutations: &[Mutation]) -> Option<String> {
    let mut named = mutations.iter().filter_map(|mutation| match mutation {
        Mutation::Command(instruction) => Some(&instruction.resource),
        Mutation::SetAttribute { resource, .. } => Some(resource),
        Mutation::ChangeSettings(_) | Mutation::IssueToken(_) => None,
    });
    let first = named.next()?;
    named.all(|other| other == first).then(|| first.clone())
}
