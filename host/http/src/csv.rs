//! Tables in CSV, as RFC 4180 has them: when a client gets one, how a field is written, and tables of any length.
//!
//! A field is written as it is: what a spreadsheet would take for a formula stays as it was.

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

/// The type of a table: RFC 4180, section 3.
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// What an answer is written as.
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

    /// What the parameter `format` says or, without it, `Accept`: CSV if the client asks for that and not for JSON.
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

/// A field, in quotes if it needs them.
pub(crate) fn quote(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Writes a table part by part, at the pace of whoever reads it.
pub(crate) struct CsvWriter(mpsc::Sender<io::Result<Bytes>>);

impl CsvWriter {
    /// Writes the next part; `false` when nobody reads it.
    pub(crate) async fn write(&self, part: String) -> bool {
        self.0.send(Ok(Bytes::from(part))).await.is_ok()
    }

    /// Breaks the table off, so that nobody takes it for a whole one.
    pub(crate) async fn abort(&self, problem: &Problem) {
        tracing::warn!(detail = problem.detail, "a table was broken off");
        // Whoever reads it may have gone.
        drop(self.0.send(Err(io::Error::other("the host failed"))).await);
    }
}

/// A table that is still being written, and the way to write it.
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
    fn fields_are_in_quotes_where_rfc_4180_asks_for_it() {
        for (field, written) in
            [("ecs-1", "ecs-1"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\"")]
        {
            assert_eq!(quote(field), written);
        }
    }
}
