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

use crate::kit::input::Query;
use crate::kit::problem::Problem;

/// The type of a table: RFC 4180, section 3.
pub(crate) const TYPE: &str = "text/csv; charset=utf-8; header=present";

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
}

impl Format {
    const ALL: [Format; 2] = [Format::Json, Format::Csv];

    const fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
        }
    }

    /// What the parameter `format` says or, without it, `Accept`: CSV if the client asks for that and not for JSON.
    pub(crate) fn read(query: &mut Query, headers: &HeaderMap) -> Format {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepted = if accept.contains("text/csv") && !accept.contains("application/json") {
            Format::Csv
        } else {
            Format::Json
        };
        query.one_of("format", &Format::ALL, Format::name).unwrap_or(accepted)
    }
}

/// A field, in quotes if it needs them.
pub(crate) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Writes a table part by part, at the pace of whoever reads it.
pub(crate) struct Writer(mpsc::Sender<io::Result<Bytes>>);

impl Writer {
    /// Writes the next part; `false` when nobody reads it.
    pub(crate) async fn write(&self, part: String) -> bool {
        self.0.send(Ok(Bytes::from(part))).await.is_ok()
    }

    /// Breaks the table off, so that nobody takes it for a whole one.
    pub(crate) async fn break_off(&self, problem: &Problem) {
        tracing::warn!(detail = problem.detail, "a table was broken off");
        // Whoever reads it may have gone.
        drop(self.0.send(Err(io::Error::other("the host failed"))).await);
    }
}

/// A table that is still being written, and the way to write it.
pub(crate) fn table() -> (Writer, Response) {
    let (sender, parts) = mpsc::channel(1);
    (Writer(sender), ([(header::CONTENT_TYPE, TYPE)], Body::new(Parts(parts))).into_response())
}

struct Parts(mpsc::Receiver<io::Result<Bytes>>);

impl HttpBody for Parts {
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
            assert_eq!(quoted(field), written);
        }
    }
}
