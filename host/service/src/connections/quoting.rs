//! Asking for the prices of what a sync has read: by several calls at once, because a call waits for the network far longer than
//! the quota makes it wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::Quote;
use perennial_domain::connector::Target;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use perennial_store::syncs::SyncItem;
use tokio::task::JoinSet;

use crate::connections::caller::CallError;
use crate::connections::caller::ConnectedAccount;
use crate::connections::reading::StepResult;
use crate::connections::reading::term_of;
use crate::connections::staged;
use crate::service::Service;

/// The most calls that are under way at once.
const CALLS_MAX: u32 = 8;

/// One call for prices: resources that are renewed by the same term.
struct Question {
    term: Term,
    targets: Vec<Target>,
}

/// Whether prices can be asked for: the provider has them, and the call was granted. A call that is not granted is refused
/// before it is signed, so the first one finds out.
pub(super) fn can_quote(of: &ConnectedAccount) -> bool {
    targets_max(of) > 0
}

/// How many resources are asked for at once.
pub(super) fn resources_max(of: &ConnectedAccount) -> u32 {
    targets_max(of).saturating_mul(CALLS_MAX)
}

/// How many resources one call takes.
fn targets_max(of: &ConnectedAccount) -> u32 {
    of.rules.connector().map_or(0, |connector| connector.capabilities().quote_targets_max)
}

/// Asks what the renewals of `items` would cost, which are in the order of their ids. What the provider does not price has no
/// price. What a call that fails was about is left for the next step; where every one fails, so does this one.
pub(super) async fn quote(
    service: &Service,
    of: &Arc<ConnectedAccount>,
    items: Vec<SyncItem>,
    at: Timestamp,
) -> Result<StepResult, CallError> {
    let resources = items.iter().filter_map(|item| staged::read(&item.item)).collect::<Vec<_>>();
    let mut calls = JoinSet::new();
    for question in questions(&resources, targets_max(of)) {
        calls.spawn(ask(service.clone(), Arc::clone(of), question, at));
    }
    if calls.is_empty() {
        return Ok(StepResult::Nothing);
    }
    let (mut asked, mut quotes, mut failure) = (BTreeSet::new(), Vec::new(), None);
    while let Some(answered) = calls.join_next().await {
        match answered.unwrap_or_else(|_| Err(CallError::NotSent("the host is stopping".to_owned()))) {
            Ok((ids, found)) => {
                asked.extend(ids);
                quotes.extend(found);
            }
            Err(error) => failure = Some(error),
        }
    }
    if let (Some(failure), true) = (failure, asked.is_empty()) {
        return Err(failure);
    }
    let is_asked = |item: &SyncItem| asked.contains(&item.id);
    // The next step goes on before the first that is left.
    let until = items.iter().take_while(|item| is_asked(item)).last().map(|item| item.id.clone());
    Ok(StepResult::Quotes { items: items.into_iter().filter(is_asked).collect(), quotes, until })
}

/// The calls for the prices of `resources`, each about at most `most` of them.
fn questions(resources: &[CloudResource], most: u32) -> Vec<Question> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut questions = Vec::<Question>::new();
    for resource in resources {
        let (term, target) = (term_of(resource), target_of(resource));
        let open = questions.iter_mut().find(|open| open.term == term && open.targets.len() < most);
        match open {
            Some(open) => open.targets.push(target),
            None => questions.push(Question { term, targets: vec![target] }),
        }
    }
    questions
}

/// The ids that were asked for, and the prices that the provider says.
async fn ask(
    service: Service,
    of: Arc<ConnectedAccount>,
    question: Question,
    at: Timestamp,
) -> Result<(Vec<String>, Vec<Quote>), CallError> {
    let Question { term, targets } = question;
    let ids = targets.iter().map(|target| target.id.clone()).collect();
    let (_, caller) = service.connections();
    match caller.ask(&of, at, &Query::Quote { targets, term }).await {
        Ok(QueryAnswer::Quotes(quotes)) => Ok((ids, quotes)),
        Ok(QueryAnswer::Resources(_) | QueryAnswer::Orders(_) | QueryAnswer::Balance(_)) => {
            Ok((ids, Vec::new()))
        }
        // Such resources have no price that anybody knows.
        Err(error) if error.is_refusal() => Ok((ids, Vec::new())),
        Err(error) => Err(error),
    }
}

fn target_of(resource: &CloudResource) -> Target {
    Target {
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        region: resource.region.clone(),
        expires_at: resource.expires_at,
        attached_to: resource.attached_to.clone(),
        attributes: resource.attributes.clone(),
    }
}
