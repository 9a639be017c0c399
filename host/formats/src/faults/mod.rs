//! Faults of a provider sandbox: which requests to a provider's own API go wrong, and how.
//!
//! Knows the file and its bounds. Does not know how a request is made to go wrong.

use std::collections::BTreeMap;

use perennial_domain::term::Term;

use super::Problems;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::fields::Fields;
use super::json_cursor::JsonCursor;
use super::json_tree;
use super::value_lines;

/// The longest that a fault may take, in seconds.
const SECONDS_MAX: u32 = 86_400;
/// The seconds that a fault takes when the file does not say.
const SECONDS: u32 = 5;
/// The most requests that a fault lets pass first, or meets.
const REQUESTS_MAX: u32 = 1_000_000;
/// The fields that every fault may have.
const FIELDS: [&str; 5] = ["fault", "on", "seconds", "skip", "times"];

/// A way in which a request goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is applied, and its response never comes: after so many seconds the connection is cut.
    TimeOut,
    /// The connection is cut at once, and the request is applied so many seconds later.
    Late,
    /// It is turned away with 429, to be sent again in so many seconds.
    Throttle,
    /// It is turned away with 500. Nothing is applied.
    FailBefore,
    /// It is applied, and answered with 500.
    FailAfter,
    /// It is turned away with this status and body. Nothing is applied.
    Reject {
        /// From 400 to 599.
        status: u16,
        /// The content, as it is sent.
        body: String,
    },
    /// It is applied, and the connection is cut in the middle of the response.
    Cut,
    /// It is applied, and what is answered makes no sense.
    Garbage,
    /// It is answered as it was answered the first time.
    Stale,
    /// It is applied, and every currency in the response is another one.
    WrongCurrency,
    /// The provider's clock is so many seconds ahead when it looks at the signature.
    Skew,
    /// Somebody else renews a resource right before it; with options that leave the order unpaid, it waits to be paid.
    SomebodyRenews {
        /// The resource's id.
        resource: String,
        /// For this term; `None` for the resource's own.
        term: Option<Term>,
        /// Options of the provider's.
        options: BTreeMap<String, String>,
    },
}

/// The names of faults that say nothing but how long they take.
pub const NAMES: [(&str, Fault); 10] = [
    ("time_out", Fault::TimeOut),
    ("late", Fault::Late),
    ("throttle", Fault::Throttle),
    ("fail_before", Fault::FailBefore),
    ("fail_after", Fault::FailAfter),
    ("cut", Fault::Cut),
    ("garbage", Fault::Garbage),
    ("stale", Fault::Stale),
    ("wrong_currency", Fault::WrongCurrency),
    ("skew", Fault::Skew),
];

impl Fault {
    /// The word for it in every format.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Reject { .. } => "reject",
            Fault::SomebodyRenews { .. } => "somebody_renews",
            Fault::TimeOut
            | Fault::Late
            | Fault::Throttle
            | Fault::FailBefore
            | Fault::FailAfter
            | Fault::Cut
            | Fault::Garbage
            | Fault::Stale
            | Fault::WrongCurrency
            | Fault::Skew => NAMES.iter().find(|(_, fault)| fault == self).map_or("fault", |(name, _)| name),
        }
    }
}

/// A fault, and the requests that it meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// The method that it meets; `None` for every one.
    pub method: Option<String>,
    /// What the path of those requests begins with.
    pub path: String,
    /// How long it takes, where that means something.
    pub seconds: u32,
    /// How many of those requests pass before it meets the first one.
    pub skip: u32,
    /// How many it meets then; 0 for all.
    pub times: u32,
}

/// Reads a file of faults: a list, of which each request meets the first one that is left for it.
///
/// # Errors
///
/// Every problem of the file, each with its line.
pub fn read(text: &str) -> Result<Vec<FaultRule>, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(text, &problems)?;
    let cursor = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let rules = cursor.list(|_, cursor| rule(cursor));
    problems.finish(rules).map_err(|problems| {
        let lines = value_lines::of(text);
        problems.located(|problem| format!("line {}", value_lines::line(&lines, problem.position())))
    })
}

fn rule(cursor: JsonCursor<'_, '_>) -> Option<FaultRule> {
    let names = NAMES.map(|(name, _)| name);
    let all = [&names[..], &["reject", "somebody_renews"]].concat();
    let fields = cursor.any_object()?;
    let name = fields.required("fault", |cursor| cursor.one_of(&all, |name| name));
    let fault = match name {
        Some("reject") => reject(&fields),
        Some("somebody_renews") => somebody_renews(&fields),
        Some(name) => {
            fields.allow(&FIELDS);
            NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, fault)| fault)
        }
        None => None,
    };
    let on = fields.optional("on", |cursor| cursor.text().and_then(|text| target(text, &cursor)));
    let seconds = fields.optional("seconds", |cursor| cursor.integer(1, SECONDS_MAX)).or(SECONDS);
    let skip = fields.optional("skip", |cursor| cursor.integer(0, REQUESTS_MAX)).or(0);
    let times = fields.optional("times", |cursor| cursor.integer(0, REQUESTS_MAX)).or(1);
    let (method, path) = on.or((None, "/".to_owned()))?;
    Some(FaultRule { fault: fault?, method, path, seconds: seconds?, skip: skip?, times: times? })
}

/// A method and the beginning of a path, such as `POST /v2/orders`; or the latter alone.
fn target(text: &str, cursor: &JsonCursor<'_, '_>) -> Option<(Option<String>, String)> {
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, text),
    };
    let is_method = method.is_none_or(|method| {
        !method.is_empty() && method.chars().all(|character| character.is_ascii_uppercase())
    });
    if !is_method || !path.starts_with('/') || path.contains(' ') {
        cursor
            .report(format!("`{text}` is no method with the beginning of a path, such as `POST /v2/orders`"));
        return None;
    }
    Some((method.map(str::to_owned), path.to_owned()))
}

fn reject(fields: &Fields<'_, '_>) -> Option<Fault> {
    fields.allow(&["body", "fault", "on", "seconds", "skip", "status", "times"]);
    let status = fields.required("status", |cursor| cursor.integer(400, 599));
    let body = fields.optional("body", |cursor| cursor.text().map(str::to_owned)).or(String::new());
    let status = u16::try_from(status?).ok()?;
    Some(Fault::Reject { status, body: body? })
}

fn somebody_renews(fields: &Fields<'_, '_>) -> Option<Fault> {
    fields.allow(&["fault", "on", "options", "resource", "seconds", "skip", "term", "times"]);
    let resource = fields.required("resource", |cursor| cursor.id().map(str::to_owned));
    let term = fields.optional("term", |cursor| cursor.given_term()).option();
    let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
    Some(Fault::SomebodyRenews { resource: resource?, term: term?, options: options? })
}

#[cfg(test)]
mod tests;
