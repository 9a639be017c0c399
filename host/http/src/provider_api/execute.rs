//! Executes a plugin's transaction on the writer's thread, for the account of the sender only.

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

use crate::provider_api::ProviderApiServer;
use crate::provider_api::ProviderRequest;
use crate::provider_api::authentication;
use crate::provider_api::authentication::Sender;
use crate::provider_api::failure_of_error;
use crate::provider_api::internal_failure::internal;
use crate::provider_api::query;
use perennial_engine::EngineTx;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::preconditions::Preconditions;
use perennial_service::error::ServiceError;
use perennial_service::limits::Limits;
use perennial_service::writer::WriterContext;

use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::accounts::StoredAccount;
use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::bundles;
use perennial_store::error::StoreError;
use perennial_store::keys::OrderKey;
use perennial_store::provider_keys;
use perennial_store::provider_keys::PreviousUse;
use perennial_store::provider_views;

/// The longest path that the audit log keeps, in bytes.
const PATH_MAX: usize = 200;

/// Why a transaction was rolled back.
enum TransactionError {
    /// The client gets this failure.
    Failure(Failure),
    /// A mutation of an all-or-nothing transaction was refused: its index, the refusal, and what happened on the way to it.
    Refused(usize, Refusal, Vec<RecordedEvent>),
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

/// The outcome of one mutation, and its events.
type MutationResult = (Outcome, Vec<RecordedEvent>);

impl ProviderApiServer {
    /// Executes a transaction and adds its outcomes to the request.
    pub(super) async fn execute(
        &self,
        mut in_progress: ProviderRequest,
        transaction: Transaction,
    ) -> Result<ProviderRequest, Failure> {
        let (provider, limits) = (self.provider.clone(), self.app.limits().clone());
        let executed = self.app.writer().call(move |context| {
            let outcomes = execute_transaction(context, (&provider, &limits), &in_progress, &transaction);
            Ok::<_, ServiceError>(outcomes.map(|outcomes| {
                in_progress.outcomes.extend(outcomes);
                in_progress
            }))
        });
        executed.await.map_err(failure_of_error)?
    }
}

fn execute_transaction(
    context: &mut WriterContext,
    (provider, limits): (&str, &Limits),
    in_progress: &ProviderRequest,
    transaction: &Transaction,
) -> Result<Vec<Outcome>, Failure> {
    let (at, publisher) = (context.now(), context.publisher());
    let executor = TransactionExecutor { at, provider, limits, in_progress, transaction };
    let result = context.engine.in_transaction(|engine| executor.execute_all(engine));
    let result = match result {
        Err(TransactionError::Refused(index, refusal, events)) => {
            context.engine.in_transaction(|engine| executor.record_refusal(engine, index, refusal, &events))
        }
        result => result,
    };
    match result {
        Ok((outcomes, events)) => {
            publisher.publish(&events);
            Ok(outcomes)
        }
        Err(TransactionError::Failure(failure)) => Err(failure),
        Err(TransactionError::Refused(_, refusal, _)) => Err(internal(refusal.message)),
        Err(TransactionError::Service(error)) => Err(failure_of_error(error)),
    }
}

struct TransactionExecutor<'a> {
    at: Timestamp,
    provider: &'a str,
    limits: &'a Limits,
    in_progress: &'a ProviderRequest,
    transaction: &'a Transaction,
}

impl TransactionExecutor<'_> {
    fn sender(&self) -> &Sender {
        &self.in_progress.sender
    }

    /// Executes every mutation and writes the audit record.
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
                    return Err(TransactionError::Refused(index, refusal.clone(), more));
                }
                is_over = true;
            }
            outcomes.push(outcome);
            events.append(&mut more);
            if is_over {
                // Nothing precedes the refused mutation, so there is nothing to roll back.
                outcomes.resize(self.transaction.mutations.len(), Outcome::Aborted);
                break;
            }
        }
        self.record(engine, &outcomes)?;
        Ok((outcomes, events))
    }

    /// Records the refusal of the mutation at `index` after the rollback; the other mutations are aborted.
    fn record_refusal(
        &self,
        engine: &mut EngineTx<'_>,
        index: usize,
        refusal: Refusal,
        before: &[RecordedEvent],
    ) -> Result<(Vec<Outcome>, Vec<RecordedEvent>), TransactionError> {
        let account = self.begin(engine)?;
        let is_of_refusal = |recorded: &&RecordedEvent| {
            matches!(
                recorded.event.what,
                EventKind::CommandRefused { .. }
                    | EventKind::PolicyRuled { .. }
                    | EventKind::PolicyNote { .. }
            )
        };
        let refusals = before.iter().filter(is_of_refusal).map(|recorded| recorded.event.clone()).collect();
        let events = engine.record_again((account.row, account.account.id.as_str()), refusals)?;
        let mut outcomes = vec![Outcome::Aborted; self.transaction.mutations.len()];
        outcomes[index] = Outcome::Refused(refusal);
        self.record(engine, &outcomes)?;
        Ok((outcomes, events))
    }

    /// Checks that the sender's key is in force, and spends the credentials if the transaction rejects replays.
    fn begin(&self, engine: &EngineTx<'_>) -> Result<StoredAccount, TransactionError> {
        let (db, sender) = (engine.tx(), self.sender());
        let key = provider_keys::get(db, &sender.access_key)?;
        if !key.is_some_and(|key| key.is_in_force(self.at)) {
            return Err(TransactionError::Failure(Failure::UnknownAccessKey));
        }
        if let (true, Some((digest, valid_until))) = (self.transaction.reject_replay, &sender.proof) {
            let request = authentication::request_digest(&self.in_progress.request);
            match provider_keys::spend(db, digest, &request, *valid_until)? {
                PreviousUse::None => {}
                PreviousUse::SameRequest => return Err(TransactionError::Failure(Failure::Replayed)),
                // Its sender signs it anew in the next second; nobody else can.
                PreviousUse::OtherRequest => return Err(TransactionError::Failure(Failure::Busy(1))),
            }
        }
        let account = accounts::get(db, &sender.account)?;
        account.ok_or_else(|| EngineError::UnknownAccount(sender.account.clone()).into())
    }

    fn execute_one(
        &self,
        engine: &mut EngineTx<'_>,
        account: &StoredAccount,
        mutation: &Mutation,
    ) -> Result<MutationResult, TransactionError> {
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
                self.check_attribute(engine.db(), resource, name)?;
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

    /// Checks that the resource may have one more attribute, if it has none with this name.
    fn check_attribute(&self, db: &ReadTx, resource: &str, name: &str) -> Result<(), TransactionError> {
        let Some((stored, member)) = bundles::find_by_resource(db, resource)? else { return Ok(()) };
        let present = &stored.bundle[member].attributes;
        let count = if present.contains_key(name) { 0 } else { present.len() + 1 };
        let problem = self.limits.named_problem(resource, 0, count);
        problem.map_or(Ok(()), |problem| Err(TransactionError::Failure(internal(problem))))
    }

    fn command(
        &self,
        engine: &mut EngineTx<'_>,
        account: &StoredAccount,
        instruction: &CommandRequest,
    ) -> Result<MutationResult, TransactionError> {
        let CommandRequest { resource, command } = instruction;
        let id = account.account.id.as_str();
        let last = provider_views::last_order(engine.db())?;
        let result = match query::belongs_to(engine.db(), account, resource)? {
            true => {
                let preconditions = Preconditions {
                    plan_hash: None,
                    requested_by: Some(&self.sender().access_key),
                    is_provider_api: true,
                    omits_orders: self.transaction.omit_orders,
                };
                engine.command_with_preconditions(self.at, Some(id), resource, command, &preconditions)?
            }
            false => engine.refuse_unknown_resource(self.at, Some(id), resource, command)?,
        };
        if let Some(refusal) = result.refusal {
            return Ok((Outcome::Refused(refusal), result.events));
        }
        if let Some(approval) = result.approval {
            return Ok((Outcome::Pending(approval), result.events));
        }
        if let Some(orders) = result.replayed_orders {
            let (cost, refund) = (Micros::ZERO, Micros::ZERO);
            return Ok((Outcome::Applied { orders, cost, refund }, result.events));
        }
        let mut receipt = self.receipt(engine.db(), &result.events, last)?;
        if let (true, Outcome::Applied { orders, .. }) = (self.transaction.omit_orders, &mut receipt) {
            orders.clear();
        }
        Ok((receipt, result.events))
    }

    /// What a command came to that was applied with these events; `last` is the newest order before it.
    fn receipt(
        &self,
        db: &ReadTx,
        events: &[RecordedEvent],
        last: OrderKey,
    ) -> Result<Outcome, TransactionError> {
        // Overdue renewals of the clock were paid before this instant, and are not part of the client's command.
        let (mut orders, mut cost) = provider_views::orders_after(db, last, self.at)?;
        let mut refund = Micros::ZERO;
        let mut add = |order: &String| {
            let is_new = !orders.contains(order);
            if is_new {
                orders.push(order.clone());
            }
            is_new
        };
        for recorded in events {
            let what = &recorded.event.what;
            if let EventKind::Unsubscribed { refunds, .. } = what {
                refund += refunds.iter().map(|(_, amount)| *amount).sum::<Micros>();
                for (order, _) in refunds {
                    add(order);
                }
            } else if let EventKind::OrderPaid { order, cost: paid, refunds, .. } = what {
                refund += refunds.iter().map(|(_, amount)| *amount).sum::<Micros>();
                // One that waited was made before.
                if add(order) {
                    cost += *paid;
                }
            } else if let (EventKind::Converted, Some(resource)) = (what, &recorded.event.resource) {
                for (order, amount) in provider_views::refunded_at(db, resource, self.at)? {
                    refund += amount;
                    add(&order);
                }
            }
        }
        Ok(Outcome::Applied { orders, cost, refund })
    }

    /// Writes the audit record.
    fn record(&self, engine: &EngineTx<'_>, outcomes: &[Outcome]) -> Result<(), StoreError> {
        let exception = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Refused(refusal) => Some(refusal.code.clone()),
            Outcome::Pending(_) => Some("pending_approval".to_owned()),
            Outcome::Resources { .. }
            | Outcome::Orders { .. }
            | Outcome::Balance { .. }
            | Outcome::Proposal { .. }
            | Outcome::Applied { .. }
            | Outcome::Aborted
            | Outcome::Token { .. } => None,
        });
        let request = &self.in_progress.request;
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
            // The plugin makes the response, with its status, only later.
            status: 0,
            outcome: exception.unwrap_or_else(|| "done".to_owned()),
            revision: None,
        };
        audit::insert(engine.tx(), &record)
    }
}

/// A mutation that was applied at no cost.
fn no_cost() -> Outcome {
    Outcome::Applied { orders: Vec::new(), cost: Micros::ZERO, refund: Micros::ZERO }
}

/// The resource of all mutations, if they share one.
fn single_resource(mutations: &[Mutation]) -> Option<String> {
    let mut resources = mutations.iter().filter_map(|mutation| match mutation {
        Mutation::Command(instruction) => Some(&instruction.resource),
        Mutation::SetAttribute { resource, .. } => Some(resource),
        Mutation::ChangeSettings(_) | Mutation::IssueToken(_) => None,
    });
    let first = resources.next()?;
    resources.all(|other| other == first).then(|| first.clone())
}
