//! A connected account with what calling its provider takes: its rules, its key and its secret.

use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::connections;
use perennial_store::connections::StoredConnection;

use crate::connections::caller::ConnectedAccount;
use crate::connections::secret_source;
use crate::connections::secret_source::SecretSourceError;
use crate::error::ServiceError;
use crate::service::Service;

/// Why the provider of an account cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The account is not connected.
    #[error("there is no connected account `{0}`")]
    Unknown(String),
    /// No plugin is loaded that calls the provider's API.
    #[error("no plugin `{0}` is loaded that calls its provider's API")]
    NoConnector(String),
    /// The secret cannot be found.
    #[error(transparent)]
    Secret(#[from] SecretSourceError),
    /// The host failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// The connected account called `id`, ready to be called.
///
/// # Errors
///
/// [`ConnectError`] when its provider cannot be called.
pub async fn connect(service: &Service, id: &str) -> Result<ConnectedAccount, ConnectError> {
    let (asked, known) = (id.to_owned(), id.to_owned());
    let found = service.read(move |db: &ReadTx| {
        let Some(stored) = connections::get(db, &asked)? else { return Ok(None) };
        let account = accounts::get_by_row(db, stored.account)?.account;
        let grants = connections::grants(db, stored.account)?;
        Ok::<_, ServiceError>(Some((stored, account, grants)))
    });
    let (stored, account, grants) = found.await?.ok_or(ConnectError::Unknown(known))?;
    let StoredConnection { connection, .. } = stored;
    let rules = service.providers().get(&account.provider).cloned();
    let rules = rules.filter(|rules| rules.connector().is_some());
    let rules = rules.ok_or_else(|| ConnectError::NoConnector(account.provider.clone()))?;
    let (host, location, of) = (service.clone(), connection.secret, account.id.clone());
    let secret = tokio::task::spawn_blocking(move || {
        let (settings, _) = host.connections();
        secret_source::find(&location, &of, host.secret_box(), settings)
    });
    Ok(ConnectedAccount {
        secret: secret.await.map_err(|_| ServiceError::Stopping)??,
        rules,
        account,
        access_key: connection.access_key,
        endpoint: connection.endpoint,
        grants,
    })
}
