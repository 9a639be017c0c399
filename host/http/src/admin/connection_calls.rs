//! What the routes of `/v1/connections` share: finding a connection and its secret, and calling its provider.

use std::collections::BTreeSet;
use std::sync::Arc;

use perennial_domain::connector::CloudBalance;
use perennial_domain::connector::Query as CloudQuery;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::QueryFailureReason;
use perennial_engine::rules::Rules;
use perennial_service::admin_tokens::Caller;
use perennial_service::connections::account;
use perennial_service::connections::account::ConnectError;
use perennial_service::connections::caller::CallError;
use perennial_service::connections::caller::ConnectedAccount;
use perennial_service::connections::secret_source;
use perennial_service::connections::secret_source::Secret;
use perennial_service::connections::secret_source::SecretSourceError;
use perennial_service::connections::sync::SyncError;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::connections;
use perennial_store::connections::SecretLocation;
use perennial_store::connections::StoredConnection;

use crate::admin::connection_bodies::GivenSecret;
use crate::admin::connection_views::ConnectionView;
use crate::auth::require_account;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;

/// In how many seconds to try again when a provider does not say.
const RETRY_SECONDS: u32 = 5;

/// Proves a key by a call that changes nothing; returns the balance if that was the call.
pub(super) async fn prove(
    app: &AppState,
    connected: &Arc<ConnectedAccount>,
) -> Result<Option<CloudBalance>, Problem> {
    let (_, caller) = app.service().connections();
    let has_balance = connected.rules.connector().is_some_and(|connector| connector.capabilities().balance);
    let query = match has_balance {
        true => CloudQuery::Balance,
        false => CloudQuery::List { cursor: None, expires_until: None },
    };
    match caller.ask(connected, app.now(), &query).await {
        Ok(QueryAnswer::Balance(balance)) => Ok(Some(balance)),
        Ok(QueryAnswer::Resources(_) | QueryAnswer::Orders(_) | QueryAnswer::Quotes(_)) => Ok(None),
        // A key that may not read the balance, or is not to, may read the rest.
        Err(error) if has_balance && is_about_permission(&error) => {
            let list = CloudQuery::List { cursor: None, expires_until: None };
            caller.ask(connected, app.now(), &list).await.map(|_| None).map_err(call_problem)
        }
        Err(CallError::Endpoint(why)) => Err(Problem::field(ProblemType::InvalidFields, "endpoint", why)),
        Err(error) => Err(call_problem(error)),
    }
}

/// A connection that the caller can access.
pub(super) async fn load(app: &AppState, caller: &Caller, id: &str) -> Result<StoredConnection, Problem> {
    let (caller, id) = (caller.clone(), id.to_owned());
    app.read(move |db| visible(db, &caller, &id)).await
}

pub(super) fn visible(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredConnection, Problem> {
    require_account(caller, id)?;
    connections::get(db, id)?.ok_or_else(|| Problem::not_found("connected account", id))
}

/// A connection with what calling its provider takes.
pub(super) async fn connect(app: &AppState, stored: &StoredConnection) -> Result<ConnectedAccount, Problem> {
    account::connect(app.service(), &stored.id).await.map_err(|error| match error {
        ConnectError::Unknown(id) => Problem::not_found("connected account", &id),
        ConnectError::NoConnector(_) => {
            Problem::field(ProblemType::InvalidFields, "provider", error.to_string())
        }
        ConnectError::Secret(error) => no_secret(error),
        ConnectError::Service(error) => error.into(),
    })
}

/// A secret of a request: where it will be, and what it is.
pub(super) async fn given(
    app: &AppState,
    account: &str,
    secret: GivenSecret,
) -> Result<(SecretLocation, Secret), Problem> {
    match secret {
        GivenSecret::Inline(secret) => {
            let secret_box = app.service().secret_box().ok_or(SecretSourceError::NoKey).map_err(no_secret)?;
            let sealed = secret_source::seal(secret_box, account, &secret);
            Ok((sealed.map_err(|error| no_secret(error.into()))?, secret))
        }
        GivenSecret::Named(location) => {
            let secret = secret_of(app, account, location.clone()).await?;
            Ok((location, secret))
        }
    }
}

async fn secret_of(app: &AppState, account: &str, location: SecretLocation) -> Result<Secret, Problem> {
    let (app, account) = (app.clone(), account.to_owned());
    let found = tokio::task::spawn_blocking(move || {
        let (settings, _) = app.service().connections();
        secret_source::find(&location, &account, app.service().secret_box(), settings)
    });
    match found.await {
        Ok(found) => found.map_err(no_secret),
        Err(_) => Err(Problem::new(ProblemType::Unavailable, "the host is stopping")),
    }
}

fn no_secret(error: SecretSourceError) -> Problem {
    Problem::new(ProblemType::Conflict, error.to_string())
}

pub(super) fn rules_of(app: &AppState, provider: &str) -> Result<Arc<dyn Rules>, Problem> {
    let rules = app.providers().get(provider).cloned();
    rules.filter(|rules| rules.connector().is_some()).ok_or_else(|| {
        let why = format!("no plugin `{provider}` is loaded that calls its provider's API");
        Problem::field(ProblemType::InvalidFields, "provider", why)
    })
}

/// The reads to grant: those that are named, or all.
pub(super) fn checked_grants(
    rules: &dyn Rules,
    named: Option<BTreeSet<String>>,
) -> Result<BTreeSet<String>, Problem> {
    let reads = rules.connector().into_iter().flat_map(|it| &it.capabilities().reads);
    let all = reads.map(|read| read.name.clone()).collect::<BTreeSet<_>>();
    match named {
        None => Ok(all),
        Some(named) => match named.difference(&all).next() {
            None => Ok(named),
            Some(unknown) => {
                let known = all.iter().cloned().collect::<Vec<_>>().join(", ");
                let why = format!("there is no read `{unknown}`; there are {known}");
                Err(Problem::field(ProblemType::InvalidFields, "reads", why))
            }
        },
    }
}

pub(super) fn view(app: &AppState, db: &ReadTx, stored: StoredConnection) -> Result<ConnectionView, Problem> {
    let account = accounts::get_by_row(db, stored.account)?.account;
    let rules = app.providers().get(&account.provider);
    let connector = rules.and_then(|rules| rules.connector());
    Ok(ConnectionView::of(db, stored, connector.map(|connector| connector.capabilities()))?)
}

/// What went wrong between this host and a provider.
pub(super) fn call_problem(error: CallError) -> Problem {
    let retry_after = error.retry_after().unwrap_or(RETRY_SECONDS);
    let is_passing = |reason| matches!(reason, QueryFailureReason::Throttled | QueryFailureReason::Provider);
    let kind = match &error {
        CallError::Plugin(_) | CallError::Misaddressed(_) => ProblemType::PluginFailed,
        CallError::NotSent(_) | CallError::NoResponse(_) => ProblemType::ProviderUnavailable,
        CallError::Failed(failure) if is_passing(failure.reason) => ProblemType::ProviderUnavailable,
        CallError::NoConnector(_)
        | CallError::NoQuestion(_)
        | CallError::NotPermitted(_)
        | CallError::Endpoint(_)
        | CallError::Failed(_) => ProblemType::Conflict,
    };
    let problem = Problem::new(kind, error.to_string());
    if kind == ProblemType::ProviderUnavailable { problem.retry_after(retry_after) } else { problem }
}

pub(super) fn sync_problem(error: SyncError) -> Problem {
    match error {
        SyncError::Call(error) => call_problem(error),
        SyncError::Service(error) => error.into(),
    }
}

fn is_about_permission(error: &CallError) -> bool {
    match error {
        CallError::NotPermitted(_) => true,
        CallError::Failed(failure) => failure.reason == QueryFailureReason::Permission,
        CallError::NoConnector(_)
        | CallError::Plugin(_)
        | CallError::NoQuestion(_)
        | CallError::Misaddressed(_)
        | CallError::Endpoint(_)
        | CallError::NotSent(_)
        | CallError::NoResponse(_) => false,
    }
}
