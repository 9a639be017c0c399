//! A request to the admin API and its response. A request names its route, and carries everything that a header of the API
//! says.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

/// What is compared in place of the body when a key comes again.
const FINGERPRINT: &str = "idempotency-fingerprint";
/// The header of an answer that an earlier request under the same key got.
pub(super) const REPLAYED: &str = "idempotency-replayed";
/// Asks for the answer that is stored under a key, and for nothing to be done.
const REPLAY_ONLY: &str = "idempotency-replay-only";

/// A request to the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// What is done, for messages, such as `renew ecs-1`.
    pub(crate) what: String,
    /// The method, such as `POST`.
    pub(crate) method: &'static str,
    /// The path with its query, escaped.
    pub(crate) path: String,
    /// The body, if it has one.
    pub(crate) body: Option<Value>,
    /// Its headers beside those that every request has: names in lower case, and values.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether a name in its path is empty, so that it would be another route's.
    pub(crate) is_unnamed: bool,
    /// Whether it writes nothing.
    pub(crate) is_look: bool,
    /// Whether it has a database to itself, whatever it does there.
    pub(crate) is_alone: bool,
}

impl Request {
    /// A request to a route, which is named as `/openapi.json` names it; `names` take the places of what stands in braces,
    /// in their order.
    pub(crate) fn new(method: &'static str, route: &'static str, names: &[&str]) -> Request {
        let is_unnamed = names.iter().any(|name| name.is_empty());
        let mut names = names.iter();
        let mut path = String::new();
        for (number, part) in route.split(['{', '}']).enumerate() {
            if number % 2 == 0 {
                path += part;
            } else {
                path += &escaped(names.next().expect("every name of the route is given"));
            }
        }
        assert!(names.next().is_none(), "`{route}` has fewer names");
        let is_look = method == "GET";
        let (what, headers) = (String::new(), Vec::new());
        Request { what, method, path, body: None, headers, is_unnamed, is_look, is_alone: false }
    }

    /// The same, with what it does for messages: `cannot …: why`.
    pub(crate) fn to(self, what: impl Into<String>) -> Request {
        Request { what: what.into(), ..self }
    }

    /// The same with a parameter, if it has a value.
    pub(crate) fn query(mut self, name: &str, value: Option<impl std::fmt::Display>) -> Request {
        if let Some(value) = value {
            let between = if self.path.contains('?') { '&' } else { '?' };
            let _ = write!(self.path, "{between}{name}={}", escaped(&value.to_string()));
        }
        self
    }

    /// The same with a body.
    pub(crate) fn body(self, body: Value) -> Request {
        Request { body: Some(body), ..self }
    }

    /// The same with a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Request {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The same with the reason that the audit log keeps, if there is one.
    pub(crate) fn reason(self, reason: Option<&str>) -> Request {
        match reason {
            Some(reason) => self.header("x-reason", reason),
            None => self,
        }
    }

    /// The same under a key by which it is carried out once, however often it is sent.
    pub(crate) fn once(self, key: &str) -> Request {
        self.header("idempotency-key", key)
    }

    /// The same, said to be the same command as every other one for which this is the same: a plan's hash, or the dry run that
    /// it was tried in, is another one whenever the command is run.
    pub(crate) fn wants(self, wanted: &Value) -> Request {
        let digest = Sha256::digest(wanted.to_string());
        let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.header(FINGERPRINT, hex)
    }

    /// The same, which only asks what an earlier one under its key was answered.
    pub(crate) fn replay_only(self) -> Request {
        self.header(REPLAY_ONLY, "true")
    }

    /// Whether it only asks what an earlier one was answered.
    pub(crate) fn is_replay_only(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == REPLAY_ONLY)
    }

    /// The key by which it is carried out once.
    pub(crate) fn key(&self) -> Option<&str> {
        self.headers.iter().find(|(name, _)| *name == "idempotency-key").map(|(_, key)| key.as_str())
    }

    /// The same, said to write nothing: a dry run.
    pub(crate) fn look(self) -> Request {
        Request { is_look: true, ..self }
    }

    /// The same, to be done only if the version of what it changes is still `etag`.
    pub(crate) fn if_match(self, etag: Option<&str>) -> Request {
        match etag {
            Some(etag) => self.header("if-match", etag),
            None => self,
        }
    }

    /// The same, said to need a database for itself: what goes on there by itself, such as a job, goes on meanwhile; and the
    /// route of a dry run may do what is asked and take it back, which takes the thread that writes.
    pub(crate) fn alone(self) -> Request {
        Request { is_alone: true, ..self }
    }

    /// Whether it is answered beside a host that works on the database.
    pub(super) fn is_answered_beside(&self) -> bool {
        self.is_look && !self.is_alone
    }
}

/// A segment of a path or a value of a query, with everything escaped that means something there.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// A response of the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status, such as 200.
    pub(crate) status: u16,
    /// `Content-Type`, without its parameters.
    pub(crate) content_type: String,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// The version of the host, if it says so.
    pub(crate) version: Option<String>,
    /// `ETag`: the version of what was looked at.
    pub(crate) etag: Option<String>,
    /// Whether it is what an earlier request under the same key was answered, and nothing was done now.
    pub(crate) is_replayed: bool,
    /// The body, as it was sent.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Whether the request was done, or waits for an approval.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it was taken on and is not done yet.
    pub(crate) fn is_accepted(&self) -> bool {
        self.status == 202
    }

    /// Whether nothing was answered under the key before, and nothing was done.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.status == 204
    }

    /// The body as JSON; `None` if it is something else.
    pub(crate) fn try_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body of a response in JSON.
    ///
    /// # Errors
    ///
    /// When it is none, or was cut off.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).map_err(|error| anyhow::anyhow!("the answer is not JSON: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_escapes_what_stands_in_its_path_and_its_query() {
        let request = Request::new("POST", "/v1/resources/{id}:renew", &["a/b?c:d é"])
            .query("tag", Some("env=prod&x"))
            .query("kind", None::<&str>)
            .query("limit", Some(5));
        assert_eq!(request.path, "/v1/resources/a%2Fb%3Fc%3Ad%20%C3%A9:renew?tag=env%3Dprod%26x&limit=5");
        assert!(!request.is_look && request.look().is_look);
    }
}
