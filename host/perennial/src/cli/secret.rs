//! Secrets that the admin API shows once: they go to the standard output alone, and are ended where that cannot be written.

use serde_json::Value;

use crate::cli::UserError;
use crate::cli::output;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// What is done about a secret that could not be shown.
pub(super) enum Unshown {
    /// It is ended again with this request. What was in force before is as this says; empty where there was nothing.
    End(Request, String),
    /// It took the place of another. It stays in force, and this says what became of the one before and what to do next.
    Stays(String),
}

/// Sends a request whose response has a secret in its field `secret`, or a secret address in `path`, and shows it: alone or,
/// as JSON, in the whole response. `unshown` says what is done where it cannot be shown.
///
/// # Errors
///
/// When nothing would be shown: nothing is asked then; and when it cannot be, after it was ended.
pub(super) fn show(
    client: &Client,
    request: &Request,
    format: ListFormat,
    unshown: impl FnOnce(&Value) -> Unshown,
) -> anyhow::Result<()> {
    let text = |made: &Value| match format {
        ListFormat::Json => Some(format!("{made:#}")),
        ListFormat::Table | ListFormat::Csv => {
            let host = if client.is_host() { client.name() } else { String::new() };
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
    text: impl FnOnce(&Value) -> Option<String>,
    unshown: impl FnOnce(&Value) -> Unshown,
) -> anyhow::Result<()> {
    if Output::standard().is_lost() {
        let message = "the secret is shown once, on the standard output, and that is closed or the null device; nothing was done";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let made = client.send(request)?.json()?;
    let Some(text) = text(&made) else {
        anyhow::bail!("it was made before, and its secret was shown then");
    };
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
