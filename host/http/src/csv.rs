//! CSV (RFC 4180): content negotiation, quoting, and streams of tables of any length.
//!
//! Fields are written unchanged, also those that a spreadsheet would read as a formula.

use std::io;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::input::Query;
use crate::problem::Problem;

/// The content type: RFC 4180, section 3.
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// The format of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListFormat {
    Json,
    Csv,
}

impl ListFormat {
    const ALL: [ListFormat; 2] = [ListFormat::Json, ListFormat::Csv];

    const fn name(self) -> &'static str {
        match self {
            ListFormat::Json => "json",
            ListFormat::Csv => "csv",
        }
    }

    /// Reads the parameter `format`; without it, `Accept` decides: CSV if it has `text/csv` and not `application/json`.
    pub(crate) fn read(query: &mut Query, headers: &HeaderMap) -> ListFormat {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepted = if accept.contains("text/csv") && !accept.contains("application/json") {
            ListFormat::Csv
        } else {
            ListFormat::Json
        };
        query.one_of("format", &ListFormat::ALL, ListFormat::name).unwrap_or(accepted)
    }
}

/// Quotes a field if it needs quotes.
pub(crate) fn quote(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Writes a table in parts, at the pace of the client.
pub(crate) struct CsvWriter(mpsc::Sender<io::Result<Bytes>>);

impl CsvWriter {
    /// Writes the next part. Returns `false` when the client has disconnected.
    pub(crate) async fn write(&self, part: String) -> bool {
        self.0.send(Ok(Bytes::from(part))).await.is_ok()
    }

    /// Aborts the response, so that the client does not take the table for complete.
    pub(crate) async fn abort(&self, problem: &Problem) {
        tracing::warn!(detail = problem.detail, "a table was aborted");
        // The client may have disconnected.
        drop(self.0.send(Err(io::Error::other("the host failed"))).await);
    }
}

/// A response whose body is written while it is sent, and its writer.
pub(crate) fn streaming_response() -> (CsvWriter, Response) {
    let (sender, parts) = mpsc::channel(1);
    (
        CsvWriter(sender),
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], Body::new(BodyChunks(parts))).into_response(),
    )
}

struct BodyChunks(mpsc::Receiver<io::Result<Bytes>>);

impl HttpBody for BodyChunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_as_rfc_4180_requires() {
        for (field, written) in
            [("ecs-1", "ecs-1"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\"")]
        {
            assert_eq!(quote(field), written);
        }
    }
}
