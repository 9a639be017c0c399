//! The options of a renewal by hand: `relatedRenewFlag`, `cdsCustomPeriod` and `clientToken`.
//!
//! Checks their form, by "Instance Renewal" (BCC); `renewal` knows their effect. The host remembers client tokens and
//! answers a repeated one; this file checks only their form.

use plugin_sdk::Attributes;
use plugin_sdk::Refusal;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::refusals::Code;
use crate::related::FLAGS;
use crate::related::RelatedFlag;

/// The option that carries the client token.
pub(crate) const CLIENT_TOKEN: &str = "clientToken";
/// The option that says whether a purchase is paid at once: `true`, the default, or `false`.
pub(crate) const AUTO_PAY: &str = "autoPay";
/// How long a client token is remembered after its last use, in seconds.
pub(crate) const CLIENT_TOKEN_SECONDS: u32 = 86_400;
const CLIENT_TOKEN_LENGTH_MAX: usize = 64;
/// The option that names the attached products to renew together with the instance.
pub(crate) const RELATED_RENEW_FLAG: &str = "relatedRenewFlag";
/// The option that gives disks terms of their own, as JSON text.
pub(crate) const CDS_CUSTOM_PERIOD: &str = "cdsCustomPeriod";

/// The options of a renewal.
#[derive(Debug, Default)]
pub struct Options {
    /// `None` when the option is absent or empty: the account's setting decides.
    pub related: Option<RelatedFlag>,
    /// Disks that are renewed by a term of their own; each at most once.
    pub custom_periods: Vec<CustomPeriod>,
}

/// A disk's own length of renewal.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CustomPeriod {
    /// The disk's id.
    pub volume_id: String,
    /// Months, 1 to 60.
    pub period: u32,
}

/// Reads the options of a renewal that names a resource of this kind.
///
/// # Errors
///
/// `BadRequest` for an option that a renewal of this kind does not have, or for a value that the option does not have.
pub fn read(kind: Kind, options: &Attributes) -> Result<Options, Refusal> {
    let mut read = Options::default();
    for (name, value) in options {
        match (name.as_str(), kind) {
            (CLIENT_TOKEN, _) => check_token(value)?,
            (RELATED_RENEW_FLAG, Kind::Bcc) => read.related = related(value)?,
            (CDS_CUSTOM_PERIOD, Kind::Bcc) => read.custom_periods = custom_periods(value)?,
            _ => return Err(unknown(name, kind)),
        }
    }
    Ok(read)
}

/// Reads the options of a purchase: whether its order waits to be paid, which it does with `autoPay` `false`.
///
/// # Errors
///
/// `BadRequest` for another option, a token that cannot be one, or another value.
pub(crate) fn is_paid_later(options: &Attributes) -> Result<bool, Refusal> {
    let mut is_paid_later = false;
    for (name, value) in options {
        match (name.as_str(), value.as_str()) {
            (CLIENT_TOKEN, _) => check_token(value)?,
            (AUTO_PAY, "true") => is_paid_later = false,
            (AUTO_PAY, "false") => is_paid_later = true,
            (AUTO_PAY, _) => {
                return Err(Code::BadRequest.because(format!("`{AUTO_PAY}` is `true` or `false`")));
            }
            _ => {
                return Err(Code::BadRequest.because(format!(
                    "`{name}` is not an option of a purchase; there are `{AUTO_PAY}` and `{CLIENT_TOKEN}`"
                )));
            }
        }
    }
    Ok(is_paid_later)
}

/// Whether the text can be a client token.
pub(crate) fn is_client_token(token: &str) -> bool {
    token.is_ascii() && (1..=CLIENT_TOKEN_LENGTH_MAX).contains(&token.len())
}

fn check_token(token: &str) -> Result<(), Refusal> {
    if is_client_token(token) {
        return Ok(());
    }
    Err(Code::BadRequest
        .because(format!("`{CLIENT_TOKEN}` is 1 to {CLIENT_TOKEN_LENGTH_MAX} ASCII characters")))
}

fn related(flag: &str) -> Result<Option<RelatedFlag>, Refusal> {
    match RelatedFlag::of(flag) {
        Some(RelatedFlag::NONE) => Ok(None),
        Some(related) => Ok(Some(related)),
        None => {
            let known = FLAGS.map(|related| format!("`{}`", related.flag)).join(", ");
            Err(Code::BadRequest.because(format!("`{RELATED_RENEW_FLAG}` is `{flag}`; it is one of {known}")))
        }
    }
}

fn custom_periods(text: &str) -> Result<Vec<CustomPeriod>, Refusal> {
    let bad = |problem: String| Code::BadRequest.because(format!("`{CDS_CUSTOM_PERIOD}` {problem}"));
    let periods = serde_json::from_str::<Vec<CustomPeriod>>(text).map_err(|error| {
        bad(format!("is not a list such as `[{{\"volumeId\": \"v-1\", \"period\": 3}}]`: {error}"))
    })?;
    for (index, CustomPeriod { volume_id, period }) in periods.iter().enumerate() {
        if !(1..=60).contains(period) {
            return Err(bad(format!("gives `{volume_id}` {period} months; a disk is renewed by 1 to 60")));
        }
        if periods[..index].iter().any(|earlier| earlier.volume_id == *volume_id) {
            return Err(bad(format!("names `{volume_id}` twice")));
        }
    }
    Ok(periods)
}

fn unknown(name: &str, kind: Kind) -> Refusal {
    let known = match kind {
        Kind::Bcc => format!("`{CLIENT_TOKEN}`, `{RELATED_RENEW_FLAG}` and `{CDS_CUSTOM_PERIOD}`"),
        Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            format!("`{CLIENT_TOKEN}`")
        }
    };
    Code::BadRequest
        .because(format!("`{name}` is not an option of renewing a {}; there is {known}", kind.name()))
}
