//! The one client of the admin API, which every command that acts goes through: it asks a running host over HTTP, or the
//! database's own routes in this process.
//!
//! A request names its route as `/openapi.json` does, so that a test can hold the commands against the routes. Knows no
//! command and shows nothing.

pub(crate) mod address;
pub(crate) mod connection;
mod failure;
pub(crate) mod local;
pub(crate) mod remote;
pub(crate) mod request;
mod server_events;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use perennial_http::write::BeforeCommit;
use tokio::runtime::Runtime;

pub(crate) use crate::client::failure::ClientError;
pub(crate) use crate::client::failure::ProblemReport;
use crate::client::local::Local;
use crate::client::remote::Remote;
use crate::client::remote::StreamEnd;
pub(crate) use crate::client::request::Request;
pub(crate) use crate::client::request::Response;
use crate::client::server_events::ServerEvents;

/// How long a stream that broke off waits before it goes on ...
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// ... and how often in a row that may fail.
const RECONNECTS_MAX: u32 = 30;

/// What answers requests.
pub(crate) struct Client {
    runtime: Runtime,
    target: Target,
    written: LastWrite,
}

/// The last request that wrote something and was answered, in words, such as `renew ecs-1`: what was done stays done,
/// whatever fails after it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastWrite(Rc<RefCell<Option<String>>>);

impl LastWrite {
    /// What was done last; `None` when nothing was.
    pub(crate) fn what(&self) -> Option<String> {
        self.0.borrow().clone()
    }
}

enum Target {
    Host(Remote),
    Database(Box<Local>),
}

impl Client {
    /// A client of a running host.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn of_host(remote: Remote, written: LastWrite) -> anyhow::Result<Client> {
        Client::new(Target::Host(remote), written)
    }

    /// A client of the routes of a database, in this process.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn of_database(local: Local, written: LastWrite) -> anyhow::Result<Client> {
        Client::new(Target::Database(Box::new(local)), written)
    }

    fn new(target: Target, written: LastWrite) -> anyhow::Result<Client> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Ok(Client { runtime: runtime.context("cannot start threads")?, target, written })
    }

    /// Whether a running host answers.
    pub(crate) fn is_host(&self) -> bool {
        matches!(self.target, Target::Host(_))
    }

    /// What answers, for messages: the address of the host, or the database.
    pub(crate) fn name(&self) -> String {
        match &self.target {
            Target::Host(remote) => remote.name(),
            Target::Database(local) => local.name(),
        }
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when there is no response, and when it is a problem.
    pub(crate) fn send(&self, request: &Request) -> anyhow::Result<Response> {
        self.send_with(request, None)
    }

    /// The same; a database shows `before_commit` a secret of the response before it is kept. A host keeps it first.
    ///
    /// # Errors
    ///
    /// [`ClientError`], also when the secret was not taken.
    pub(crate) fn send_showing(
        &self,
        request: &Request,
        before_commit: BeforeCommit,
    ) -> anyhow::Result<Response> {
        self.send_with(request, Some(before_commit))
    }

    fn send_with(&self, request: &Request, before_commit: Option<BeforeCommit>) -> anyhow::Result<Response> {
        if request.is_unnamed {
            return Err(ClientError::Unnamed { what: request.what.clone() }.into());
        }
        let response = match &self.target {
            Target::Host(remote) => self.runtime.block_on(remote.send(request))?,
            Target::Database(local) => local.send(&self.runtime, request, before_commit)?,
        };
        if let Some(key) = request.key().filter(|_| response.is_replayed) {
            tracing::warn!(
                key,
                "this was asked under its idempotency key before; nothing is done again, and this is what it was answered then"
            );
        }
        if response.is_success() {
            if !request.is_look
                && request.method != "GET"
                && !request.is_replay_only()
                && !response.is_replayed
            {
                *self.written.0.borrow_mut() = Some(request.what.clone());
            }
            return Ok(response);
        }
        let problem = ProblemReport::read(request, &self.name(), &response);
        Err(problem
            .map_or_else(|| ClientError::not_perennial(self.name(), &response), ClientError::Problem)
            .into())
    }

    /// Waits before the same is asked again.
    pub(crate) fn pause(&self, patience: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(patience).await });
    }

    /// Follows a stream of events until `each` returns false. It begins after the event that `last` names, and goes on
    /// behind the last one when the connection breaks off.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the host does not answer or refuses, and those of `each`.
    pub(crate) fn follow(
        &self,
        request: &Request,
        last: Option<String>,
        each: &mut dyn FnMut(&str) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let Target::Host(remote) = &self.target else { return Err(ClientError::NothingToFollow.into()) };
        let mut events = ServerEvents::new(last);
        let (mut has_begun, mut failures) = (false, 0);
        loop {
            let request = match events.last_id() {
                Some(id) => request.clone().header("last-event-id", id),
                None => request.clone(),
            };
            let mut has_come = false;
            let streamed = self.runtime.block_on(remote.stream(&request, &mut |bytes| {
                (has_begun, has_come) = (true, true);
                for event in events.read(bytes) {
                    if !each(&event)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }));
            match streamed {
                Ok(StreamEnd::Enough) => return Ok(()),
                Ok(StreamEnd::Over) => {}
                Err(error) if !has_begun || !ClientError::is_worth_retrying(&error) => return Err(error),
                Err(_) if failures >= RECONNECTS_MAX => {
                    return Err(ClientError::BrokenOff { target: self.name() }.into());
                }
                Err(_) => {}
            }
            failures = if has_come { 0 } else { failures + 1 };
            tracing::warn!("the stream broke off, and is asked to go on where it was");
            self.pause(RECONNECT_AFTER);
        }
    }
}
