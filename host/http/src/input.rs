//! Reads JSON bodies and query parameters, and reports every problem at once.
//!
//! [`perennial_formats`] reads bodies as it reads files: it refuses unknown fields and lists every problem.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::extract::Path;
use axum::http::request::Parts;
use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Caller;

use crate::problem::FieldError;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use perennial_formats::PROBLEMS_MAX;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_formats::body_limits::BodyLimits;
use perennial_service::limits::Limit;

/// A type that is read from a JSON body. The extractor calls [`Body::from_text`] once for each request.
pub(crate) trait Body: Sized + Send + 'static {
    /// Reads the body. Reports every problem at its field and returns `None` if there was one.
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Self>;

    /// Whether `caller` may send it at all, which is found out before any of it is read. A body that may be large overrides this.
    fn check_caller(_caller: &Caller) -> Result<(), Problem> {
        Ok(())
    }

    /// The limit of its bytes.
    fn limit() -> Limit {
        Limit::body_bytes_max()
    }

    /// Parses the text of the body. Only a body that cannot be read without the database overrides this.
    fn from_text(text: &str, limits: BodyLimits) -> Result<Self, Problem> {
        body::read(text, limits, Self::read).map_err(Problem::from)
    }
}

impl From<body::Failure> for Problem {
    fn from(failure: body::Failure) -> Problem {
        match failure {
            body::Failure::NotJson(problems) => {
                let mut problem = Problem::from(problems);
                problem.kind = ProblemType::BadRequest;
                problem
            }
            body::Failure::Wrong(problems) => problems.into(),
        }
    }
}

/// The text of a body that is read later, with access to the database.
#[derive(Clone, Debug)]
pub(crate) struct Document(pub(crate) String);

impl Body for Document {
    fn read(_: JsonCursor<'_, '_>) -> Option<Document> {
        None
    }

    fn from_text(text: &str, _: BodyLimits) -> Result<Document, Problem> {
        Ok(Document(text.to_owned()))
    }
}

/// A body that must be absent or an empty object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EmptyBody;

impl Body for EmptyBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<EmptyBody> {
        cursor.object(&[]).map(|_| EmptyBody)
    }
}

/// Reads a body, no value of which holds more than `limits` say. An empty body is an empty object.
///
/// # Errors
///
/// [`ProblemType::BadRequest`] when it is not JSON, [`ProblemType::InvalidFields`] with every problem.
pub(crate) fn read<T: Body>(bytes: &[u8], limits: BodyLimits) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::new(ProblemType::BadRequest, "the body is not text in UTF-8"))?;
    let text = if text.trim().is_empty() { "{}" } else { text };
    T::from_text(text, limits)
}

/// The accounts that something new is bound to. "All of none" is true for every caller, so a thing with an
/// empty list would be seen by everybody: such a list is refused.
pub(crate) fn accounts(cursor: JsonCursor<'_, '_>) -> Option<BTreeSet<String>> {
    let advice = "name at least one, or leave it out for all of them";
    let accounts = cursor.list_of_some(advice, |_, cursor| cursor.id().map(str::to_owned))?;
    Some(accounts.into_iter().collect())
}

/// Refuses an end of something new that has come already.
pub(crate) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    let Some(past) = expires_at.filter(|expires_at| *expires_at <= now) else { return Ok(()) };
    let detail = format!("{past} has passed, it is {now}; name a later instant, or leave it out");
    Err(Problem::field(ProblemType::InvalidFields, "expires_at", detail))
}

/// The ID in the path of a route.
#[derive(Clone, Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path
            .map_err(|_| Problem::new(ProblemType::BadRequest, "the id in the path is not text in UTF-8"))?;
        Ok(Id(id))
    }
}

/// The query parameters. A handler takes each known parameter, then calls [`Query::finish`].
#[derive(Clone, Debug)]
pub struct Query {
    /// Each with its values, in their order.
    parameters: BTreeMap<String, Vec<String>>,
    recognised: Vec<&'static str>,
    errors: Vec<FieldError>,
    /// Whether there were more problems than are listed.
    has_more: bool,
    /// The most items of a page that may be asked for.
    page_items_max: u32,
}

impl FromRequestParts<AppState> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Query, Problem> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::new(ProblemType::BadRequest, "the parameters behind `?` cannot be read"))?;
        let mut query = Query {
            parameters: BTreeMap::new(),
            recognised: Vec::new(),
            errors: Vec::new(),
            has_more: false,
            page_items_max: app.limits().page_items_max,
        };
        for (name, value) in pairs.0 {
            query.parameters.entry(name).or_default().push(value);
        }
        Ok(query)
    }
}

impl Query {
    /// Takes a parameter, if it is given.
    pub fn take(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.take_all(name);
        if values.len() > 1 {
            self.reject(name, "it is given twice; keep one");
        }
        values.pop()
    }

    /// Takes a parameter that may be given several times: every value of it.
    pub(crate) fn take_all(&mut self, name: &'static str) -> Vec<String> {
        self.recognised.push(name);
        self.parameters.remove(name).unwrap_or_default()
    }

    /// Reports a problem with a parameter.
    pub fn reject(&mut self, name: &str, detail: impl Into<String>) {
        if self.errors.len() >= PROBLEMS_MAX {
            self.has_more = true;
            return;
        }
        self.errors.push(FieldError { field: name.to_owned(), detail: detail.into() });
    }

    /// The most items of a page that may be asked for.
    pub(crate) fn page_items_max(&self) -> u32 {
        self.page_items_max
    }

    /// Takes an instant, if it is given.
    pub fn instant(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.take(name)?;
        let instant = text.parse();
        if instant.is_err() {
            self.reject(name, "expected an instant in RFC 3339 such as `2026-02-28T15:59:59Z`");
        }
        instant.ok()
    }

    /// Takes one of a few words, if it is given.
    pub fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.take(name)?;
        let found = all.iter().copied().find(|choice| word(*choice) == text);
        if found.is_none() {
            let words = all.iter().map(|choice| format!("`{}`", word(*choice))).collect::<Vec<_>>();
            self.reject(name, format!("expected one of {}", words.join(", ")));
        }
        found
    }

    /// Takes `true` or `false`; false when it is not given.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.one_of(name, &[true, false], |flag| if flag { "true" } else { "false" }).unwrap_or(false)
    }

    /// Checks that every parameter was known and valid.
    ///
    /// # Errors
    ///
    /// [`ProblemType::BadRequest`] with every problem, unknown parameters included.
    pub fn finish(mut self) -> Result<(), Problem> {
        let known = self.recognised.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        for name in std::mem::take(&mut self.parameters).into_keys() {
            let detail = match known.is_empty() {
                true => "unknown parameter; there are none here".to_owned(),
                false => format!("unknown parameter; there are {known}"),
            };
            self.reject(&name, detail);
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::listed(ProblemType::BadRequest, self.errors, self.has_more))
        }
    }
}
