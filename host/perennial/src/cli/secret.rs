//! Secrets that the admin API shows once: they go to the standard output alone. What cannot be shown is not kept: a database
//! shows it before it commits, and a host is asked to end it again.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use perennial_http::write::BeforeCommit;
use serde_json::Value;

use crate::cli::output;
use crate::cli::output::NotShown;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// What is done about a secret of a running host that could not be shown.
pub(super) enum Unshown {
    /// It is ended again with this request. What was in force before is as this says; empty where there was nothing.
    End(Request, String),
    /// It took the place of another. It stays in force, and this says what became of the one before and what to do next.
    Stays(String),
}

/// Sends a request whose response has a secret in its field `secret`, or a secret address in `path`, and shows it: alone or,
/// as JSON, in the whole response. `unshown` says what is done where a host made it and it cannot be shown.
///
/// # Errors
///
/// When nothing would be shown: nothing is asked then; and when it cannot be. A database has kept nothing of it, and a host was
/// asked to end it.
pub(super) fn show(
    client: &Client,
    request: &Request,
    format: ListFormat,
    unshown: impl FnOnce(&Value) -> Unshown,
) -> anyhow::Result<()> {
    let host = if client.is_host() { client.name() } else { String::new() };
    let text = move |made: &Value| match format {
        ListFormat::Json => Some(format!("{made:#}")),
        ListFormat::Table | ListFormat::Csv => {
            let path = made["path"].as_str().map(|path| format!("{host}{path}"));
            made["secret"].as_str().map(str::to_owned).or(path)
        }
    };
    show_as(client, request, text, unshown)
}

/// The same, with what is shown of the response; `None` where it has no secret, because it is that of an earlier request.
///
/// # Errors
///
/// Those of [`show`].
pub(super) fn show_as(
    client: &Client,
    request: &Request,
    text: impl Fn(&Value) -> Option<String> + Send + Sync + 'static,
    unshown: impl FnOnce(&Value) -> Unshown,
) -> anyhow::Result<()> {
    output::can_show_secrets()?;
    if !client.is_host() {
        return show_before_commit(client, request, text);
    }
    let made = client.send(request)?.json()?;
    let text = text(&made).ok_or_else(shown_before)?;
    let Err(error) = output::line(text) else { return Ok(()) };
    let told = match unshown(&made) {
        Unshown::Stays(then) => format!("the secret could not be shown, and is in force: {then}"),
        Unshown::End(request, before) => match client.send(&request) {
            Ok(_) => format!("the secret could not be shown, so it was ended again{before}"),
            Err(error) => format!(
                "the secret could not be shown and is in force, because it could not be ended again: {error:#}{before}"
            ),
        },
    };
    Err(anyhow::Error::from(error).context(told))
}

/// Has the routes of a database make a secret, and shows it in the transaction that keeps it.
fn show_before_commit(
    client: &Client,
    request: &Request,
    text: impl Fn(&Value) -> Option<String> + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let shown = Arc::new(Mutex::new(None::<Result<(), NotShown>>));
    let showing = Arc::clone(&shown);
    let before_commit = BeforeCommit::new(move |body| {
        let made = serde_json::from_str::<Value>(body).unwrap_or_default();
        let result = text(&made).map(|text| output::secret(&text));
        let is_shown = matches!(result, Some(Ok(())));
        *showing.lock().unwrap_or_else(PoisonError::into_inner) = result;
        is_shown
    });
    let sent = client.send_showing(request, before_commit);
    match shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(Err(not_shown)) => Err(not_shown.into()),
        Some(Ok(())) => sent.map(drop),
        None => Err(sent.map_or_else(|error| error, |_| shown_before())),
    }
}

fn shown_before() -> anyhow::Error {
    anyhow::anyhow!("it was made before, and its secret was shown then")
}
