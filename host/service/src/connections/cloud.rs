//! A provider as the protocol of calls has it: they become queries and changes of its connector, and their answers
//! readings and replies.
//!
//! Decides nothing: what a reading or a reply proves is the protocol's.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::bundle::Resource;
use perennial_domain::connected::read_back::OrderView;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connector::CloudOrder;
use perennial_domain::connector::CloudOrderState;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Cursor;
use perennial_domain::connector::Driver;
use perennial_domain::connector::Mutation;
use perennial_domain::connector::MutationLimit;
use perennial_domain::connector::MutationName;
use perennial_domain::connector::OrderQuery;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::Target;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::connected::ReadFailure;
use perennial_engine::connected::Reply;
use perennial_engine::connected::Response;
use perennial_engine::connected::run::Work;
use perennial_engine::connected::translation;
use perennial_engine::connected::translation::OrderList;
use perennial_engine::rules::Rules;
use perennial_store::ReadTx;
use perennial_store::calls;
use perennial_store::calls::StoredCall;
use perennial_store::engine_store::EngineReads;
use perennial_store::keys::ResourceKey;

use crate::connections::caller::CallError;
use crate::connections::caller::Caller;
use crate::connections::caller::ConnectedAccount;
use crate::connections::replies::reply;
use crate::connections::replies::reply_to;
use crate::error::ServiceError;
use crate::service::Service;

/// How long before the earliest call orders are read, in seconds: a cloud's clock may be behind ...
const ORDERS_BEFORE_CALL: i64 = 900;
/// ... and how long back what is open is looked for before one is made: a day.
const OPEN_ORDERS: i64 = 86_400;
/// The most pages of orders that are read for a batch. With more of them, the orders are unknown.
const ORDER_PAGES_MAX: usize = 10;
/// The most pages that a search for known resources takes.
const FIND_PAGES_MAX: usize = 100;

/// What was read of a provider's orders.
enum Orders {
    /// These, all of them.
    Listed(Vec<CloudOrder>),
    /// The list could not be read, or not to its end.
    Unread,
    /// The provider's API has no such list.
    Unlisted,
}

impl Orders {
    /// The orders for a call whose token is answered as it was the first time for so many seconds, if it takes one.
    fn of(&self, token_seconds: Option<i64>) -> OrderList<'_> {
        match self {
            Orders::Listed(orders) => OrderList::Listed(orders),
            Orders::Unread => OrderList::Unread,
            Orders::Unlisted => OrderList::Unlisted { token_seconds },
        }
    }
}

/// For how long the provider remembers the token of a mutation, by its plugin; `None` where it takes none.
fn token_seconds(rules: &dyn Rules, mutation: MutationName) -> Option<i64> {
    let limit = rules.connector()?.capabilities().limit(mutation)?;
    let idempotency = rules.manifest().idempotency.as_ref().filter(|_| limit.takes_client_token)?;
    Some(i64::from(idempotency.valid_seconds))
}

/// Whether the provider shows afterwards that a mutation was done.
fn is_shown(rules: &dyn Rules, mutation: MutationName) -> bool {
    let limit = rules.connector().and_then(|connector| connector.capabilities().limit(mutation));
    limit.is_none_or(|limit| limit.is_shown)
}

/// Calls of one account, with what their provider has to be told.
pub(super) struct Batch {
    work: Work,
    /// Every resource that a call prolongs, by its id.
    targets: BTreeMap<String, Target>,
    /// From when on orders are read.
    orders_from: Timestamp,
}

impl Batch {
    /// Finds out at `at` what calling the provider about `work` takes.
    pub(super) async fn load(service: &Service, work: Work, at: Timestamp) -> Result<Batch, ServiceError> {
        let called = work.calls.iter().filter_map(|call| call.record.called_at).min();
        let orders_from = called.map_or(at - OPEN_ORDERS, |called_at| called_at - ORDERS_BEFORE_CALL);
        let of = work.clone();
        let found = service.read(move |db: &ReadTx| {
            let mut targets = BTreeMap::new();
            for call in &of.calls {
                let (stored, _) = db.bundle(call.resource)?;
                let members = &stored.bundle.members;
                for extension in &call.record.extensions {
                    let member = members.iter().find(|member| member.id == extension.resource);
                    let target = member.map(|member| target(member, members));
                    targets.extend(target.map(|target| (extension.resource.clone(), target)));
                }
            }
            Ok::<_, ServiceError>(targets)
        });
        Ok(Batch { work, targets: found.await?, orders_from })
    }

    /// The calls that were found due together.
    pub(super) fn work(&self) -> &Work {
        &self.work
    }

    /// Reads the resources and orders of the calls: one reading for each, in their order, or why the provider did not say.
    pub(super) async fn read(
        &self,
        service: &Service,
        of: &Arc<ConnectedAccount>,
        at: Timestamp,
    ) -> Result<Result<Vec<ReadBack>, ReadFailure>, ServiceError> {
        let (_, caller) = service.connections();
        let (resources, orders) = match self.ask(caller, of, at).await {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let owners = match &orders {
            Orders::Listed(listed) if !listed.is_empty() => self.owners(service).await?,
            Orders::Listed(_) | Orders::Unread | Orders::Unlisted => BTreeMap::new(),
        };
        let reading = |call: &StoredCall| {
            let mutation = call.record.change.mutation();
            let orders = orders.of(token_seconds(&*of.rules, mutation));
            let read = reading(call, &resources, orders, &owners, at);
            if is_shown(&*of.rules, mutation) {
                return read;
            }
            // What the provider shows says nothing of it either way.
            ReadBack { on_expiry: vec![None; read.on_expiry.len()], ..read }
        };
        Ok(Ok(self.work.calls.iter().map(reading).collect()))
    }

    /// What the provider says of the resources and orders of the calls.
    async fn ask(
        &self,
        caller: &Caller,
        of: &Arc<ConnectedAccount>,
        at: Timestamp,
    ) -> Result<(Vec<CloudResource>, Orders), ReadFailure> {
        let resources = self.find(caller, of, at).await.map_err(|error| failure(&self.work.id, &error))?;
        let orders = match self.list_orders(caller, of, at).await {
            Ok(Some(orders)) => Orders::Listed(orders),
            // What is not granted is unknown for good.
            Ok(None) | Err(CallError::NotPermitted(_)) => Orders::Unread,
            Err(CallError::NoQuestion(_)) => Orders::Unlisted,
            Err(error) => return Err(failure(&self.work.id, &error)),
        };
        Ok((resources, orders))
    }

    /// The orders that are known to be of a call, and the resource that it names.
    async fn owners(&self, service: &Service) -> Result<BTreeMap<String, ResourceKey>, ServiceError> {
        let (account, since) = (self.work.account, self.orders_from);
        service.read(move |db: &ReadTx| Ok(calls::orders_since(db, account, since)?)).await
    }

    async fn find(
        &self,
        caller: &Caller,
        of: &Arc<ConnectedAccount>,
        at: Timestamp,
    ) -> Result<Vec<CloudResource>, CallError> {
        let most = of.rules.connector().map_or(1, |connector| connector.capabilities().find_targets_max);
        let targets = self.targets.values().cloned().collect::<Vec<_>>();
        let mut found = Vec::new();
        for targets in targets.chunks(usize::try_from(most.max(1)).unwrap_or(usize::MAX)) {
            let mut cursor = None;
            for _ in 0..FIND_PAGES_MAX {
                let query = Query::Find { targets: targets.to_vec(), cursor };
                let QueryAnswer::Resources(page) = caller.ask(of, at, &query).await? else { break };
                found.extend(page.resources);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The orders since `orders_from`; `None` where there are more than are read.
    async fn list_orders(
        &self,
        caller: &Caller,
        of: &Arc<ConnectedAccount>,
        at: Timestamp,
    ) -> Result<Option<Vec<CloudOrder>>, CallError> {
        let (mut found, mut cursor) = (Vec::new(), None::<Cursor>);
        for _ in 0..ORDER_PAGES_MAX {
            let query =
                OrderQuery { orders: Vec::new(), target: None, created_from: Some(self.orders_from), cursor };
            let answer = caller.ask(of, at, &Query::Orders(query)).await?;
            let QueryAnswer::Orders(page) = answer else { return Ok(None) };
            found.extend(page.orders);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Sends calls that were written as sent, each once: one reply for each, in their order.
    pub(super) async fn send(
        &self,
        caller: &Caller,
        of: &Arc<ConnectedAccount>,
        driver: Driver,
        sent: &[StoredCall],
    ) -> Vec<Reply> {
        let connector = of.rules.connector();
        let limit = |call: &StoredCall| connector?.capabilities().limit(call.record.change.mutation());
        let mut replies = vec![None; sent.len()];
        for places in self.requests(sent, &limit) {
            let calls = places.iter().map(|place| &sent[*place]).collect::<Vec<_>>();
            let answered = self.send_together(caller, of, driver, &calls).await;
            for (place, reply) in places.into_iter().zip(answered) {
                replies[place] = Some(reply);
            }
        }
        replies.into_iter().map(|reply| reply.unwrap_or_else(|| Response::Unproven.into())).collect()
    }

    /// Which of the calls go into one request, by their places: as many as the provider takes, and alike where it wants that.
    fn requests(
        &self,
        sent: &[StoredCall],
        limit: &dyn Fn(&StoredCall) -> Option<MutationLimit>,
    ) -> Vec<Vec<usize>> {
        let mut requests = Vec::<(_, usize, Vec<usize>)>::new();
        for (place, call) in sent.iter().enumerate() {
            let limit = limit(call);
            let most = usize::try_from(limit.map_or(1, batch_of)).unwrap_or(usize::MAX);
            let target = self.targets.get(&call.record.named().resource);
            let kind = target.map(|target| &target.kind).filter(|_| limit.is_some_and(|it| it.same_kind));
            let region =
                target.map(|target| &target.region).filter(|_| limit.is_some_and(|it| it.same_region));
            let alike = (kind, region, &call.record.change);
            let open =
                requests.iter_mut().find(|(other, most, places)| *other == alike && places.len() < *most);
            match open {
                Some((_, _, places)) => places.push(place),
                None => requests.push((alike, most, vec![place])),
            }
        }
        requests.into_iter().map(|(_, _, places)| places).collect()
    }

    async fn send_together(
        &self,
        caller: &Caller,
        of: &Arc<ConnectedAccount>,
        driver: Driver,
        calls: &[&StoredCall],
    ) -> Vec<Reply> {
        let record = &calls[0].record;
        let target = |call: &&StoredCall| self.targets.get(&call.record.named().resource).cloned();
        let targets = calls.iter().filter_map(target).collect::<Vec<_>>();
        let Some(at) = record.called_at.filter(|_| targets.len() == calls.len()) else {
            return vec![Response::NotConnected.into(); calls.len()];
        };
        let attached = calls.iter().flat_map(|call| &call.record.extensions[1..]);
        let along = attached.filter_map(|one| self.targets.get(&one.resource).cloned()).collect();
        let mutation = Mutation {
            targets,
            along,
            change: record.change.clone(),
            client_token: translation::client_token(&record.call_identity()),
        };
        match caller.change(of, driver, at, &mutation).await {
            Ok(outcomes) => {
                let is_shown = is_shown(&*of.rules, record.change.mutation());
                outcomes.iter().map(|outcome| reply(outcome, is_shown)).collect()
            }
            Err(error) => {
                let what = record.change.mutation().name();
                tracing::warn!(account = self.work.id, what, %error, "calls have no reply");
                calls.iter().map(|call| reply_to(&error, call)).collect()
            }
        }
    }
}

/// The most resources of one request: one, where each has a token of its own.
pub(super) fn batch_of(limit: MutationLimit) -> u32 {
    if limit.takes_client_token { 1 } else { limit.targets_max.max(1) }
}

/// What was read of a call. `owners` are the resources that orders are known to be for.
fn reading(
    call: &StoredCall,
    resources: &[CloudResource],
    orders: OrderList<'_>,
    owners: &BTreeMap<String, ResourceKey>,
    at: Timestamp,
) -> ReadBack {
    let OrderList::Listed(listed) = orders else {
        return translation::read_back_of(&call.record, resources, orders, at);
    };
    // An order of another call is none of this one, also where the provider does not say what is in it.
    let is_others =
        |order: &CloudOrder| owners.get(&order.id).is_some_and(|resource| *resource != call.resource);
    let listed = listed.iter().filter(|order| !is_others(order)).cloned().collect::<Vec<_>>();
    let orders = OrderList::Listed(&listed);
    let read = translation::read_back_of(&call.record, resources, orders, at);
    let is_own = listed
        .iter()
        .any(|order| order.state == CloudOrderState::Cancelled && call.orders.contains(&order.id));
    match read.orders {
        OrderView::Cancelled { .. } => ReadBack { orders: OrderView::Cancelled { is_own }, ..read },
        OrderView::Unknown
        | OrderView::Unlisted { .. }
        | OrderView::Absent
        | OrderView::Unpaid
        | OrderView::Paid
        | OrderView::Completed => read,
    }
}

fn target(member: &Resource, members: &[Resource]) -> Target {
    Target {
        id: member.id.clone(),
        kind: member.kind.clone(),
        region: member.region.clone(),
        expires_at: member.expires_at,
        attached_to: member.attached_to.map(|parent| members[parent.get()].id.clone()),
        attributes: member.attributes.clone(),
    }
}

fn failure(account: &str, error: &CallError) -> ReadFailure {
    tracing::warn!(account, %error, "renewals cannot be looked up at their provider");
    if let CallError::Failed(failure) = error {
        translation::read_failure_of(failure)
    } else {
        ReadFailure::Failed
    }
}
