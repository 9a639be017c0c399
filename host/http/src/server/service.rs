//! The service of one connection: what it knows of its client goes along with each request, and no request begins before
//! the response to the one before it was taken.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Request;
use axum::http::Response;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CONNECTION;
use axum::http::header::COOKIE;
use hyper::body::Body as _;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Semaphore;

use crate::server::AuthenticatedMark;
use crate::server::ClientAddress;
use crate::server::connections::IsAuthenticated;
use crate::server::exchange::ExchangeStage;
use crate::server::exchange::ResponseBody;
use crate::server::paced_stream::Backlog;

/// The service of one connection.
pub(super) struct ConnectionService {
    pub(super) router: TowerToHyperService<Router>,
    pub(super) address: ClientAddress,
    pub(super) backlog: Backlog,
    pub(super) is_authenticated: IsAuthenticated,
    pub(super) stage: ExchangeStage,
    /// Shared by the connections of the listener.
    pub(super) turns: Turns,
}

/// How many requests of clients that have proved nothing are begun at once. The others wait in line: who floods the host is
/// then never in front of somebody who has proved who they are, since few of the flood's connections have work to do.
const UNPROVED_TURNS_MAX: usize = 1;
/// The paths of monitors, which wait for nobody.
const MONITORS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// Where the paths of calendars begin, whose secret is in the path.
const CALENDARS: &str = "/calendars/";

/// The turns of requests over connections of which none was authenticated. Those that show a token or a session stand in a
/// line of their own.
#[derive(Clone)]
pub(super) struct Turns {
    with_credentials: Arc<Semaphore>,
    without: Arc<Semaphore>,
}

impl Turns {
    pub(super) fn new() -> Turns {
        let line = || Arc::new(Semaphore::new(UNPROVED_TURNS_MAX));
        Turns { with_credentials: line(), without: line() }
    }

    /// The line for a request to `path` with these headers, which has a body or has come as a whole.
    fn line(&self, path: &str, headers: &HeaderMap, has_body: bool) -> Line {
        let has_credentials = headers.contains_key(AUTHORIZATION)
            || headers.contains_key(COOKIE)
            || path.starts_with(CALENDARS);
        let turns = Arc::clone(if has_credentials { &self.with_credentials } else { &self.without });
        Line { turns, is_to_the_end: !has_credentials && !has_body }
    }
}

/// One line of requests.
struct Line {
    turns: Arc<Semaphore>,
    /// Whether a turn lasts until the response: nobody outside can hold up a request that shows nothing and has no body.
    is_to_the_end: bool,
}

impl Line {
    /// Does `work` when it is its turn. The turn of one whose body is to come, or that may be let in, ends when it first waits
    /// for something: so it holds up nobody.
    async fn begin<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        // Nobody closes the turns.
        let mut turn = self.turns.acquire().await.ok();
        if self.is_to_the_end {
            return work.await;
        }
        poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            drop(turn.take());
            polled
        })
        .await
    }
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let (end, is_last) = (self.stage.begin(), self.stage.is_last());
        request.extensions_mut().insert(self.address);
        let path = request.uri().path();
        let is_monitor = MONITORS.contains(&path);
        let line = self.turns.line(path, request.headers(), !request.body().is_end_stream());
        let (backlog, is_authenticated) =
            (self.backlog.clone(), IsAuthenticated::clone(&self.is_authenticated));
        // Nothing is done with the request until this is polled.
        let response = self.router.call(request);
        Box::pin(async move {
            backlog.cleared().await;
            let goes_ahead = is_monitor || is_authenticated.load(Ordering::Relaxed);
            let mut response = if goes_ahead { response.await? } else { line.begin(response).await? };
            if is_last {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            if response.extensions().get::<AuthenticatedMark>().is_some() {
                is_authenticated.store(true, Ordering::Relaxed);
            }
            Ok(response.map(|body| ResponseBody { body, _end: end }))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    use super::*;

    #[test]
    fn clients_that_proved_nothing_begin_in_turns_and_hold_up_nobody() {
        let turns = Turns::new();
        let nothing = turns.line("/", &HeaderMap::new(), true);
        let token = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer x"))]);
        let mut context = Context::from_waker(Waker::noop());
        let taken = (0..UNPROVED_TURNS_MAX).map(|_| nothing.turns.try_acquire().unwrap()).collect::<Vec<_>>();
        let mut third = pin!(nothing.begin(async { 3 }));
        assert_eq!(third.as_mut().poll(&mut context), Poll::Pending, "all turns are taken");
        let token = turns.line("/", &token, false);
        let mut other = pin!(token.begin(async { 4 }));
        assert_eq!(other.as_mut().poll(&mut context), Poll::Ready(4), "it stands in another line");
        drop(taken);
        assert_eq!(third.as_mut().poll(&mut context), Poll::Ready(3));
        // What waits for something, such as a body that does not come, has had its turn.
        let mut endless = (0..10).map(|_| Box::pin(nothing.begin(pending::<()>()))).collect::<Vec<_>>();
        for endless in &mut endless {
            assert_eq!(endless.as_mut().poll(&mut context), Poll::Pending);
        }
        assert_eq!(nothing.turns.available_permits(), UNPROVED_TURNS_MAX);
        let whole = turns.line("/", &HeaderMap::new(), false);
        let mut lasting = Box::pin(whole.begin(pending::<()>()));
        assert_eq!(lasting.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(whole.turns.available_permits(), UNPROVED_TURNS_MAX - 1, "it lasts until the response");
    }
}
