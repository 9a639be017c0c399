//! The service of one connection: what it knows of its client goes along with each request, and no request begins before
//! the response to the one before it was taken.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::Request;
use axum::http::Response;
use axum::http::header::CONNECTION;
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
const UNPROVED_TURNS_MAX: usize = 2;

/// The turns of requests over connections of which none was authenticated.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Turns {
    pub(super) fn new() -> Turns {
        Turns(Arc::new(Semaphore::new(UNPROVED_TURNS_MAX)))
    }

    /// Begins `work` when it is its turn, which ends when `work` first waits for something: one that waits holds up nobody.
    async fn begin<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        // Nobody closes the turns.
        let mut turn = self.0.acquire().await.ok();
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
        let (backlog, is_authenticated, turns) =
            (self.backlog.clone(), IsAuthenticated::clone(&self.is_authenticated), self.turns.clone());
        // Nothing is done with the request until this is polled.
        let response = self.router.call(request);
        Box::pin(async move {
            backlog.cleared().await;
            let has_proved = is_authenticated.load(Ordering::Relaxed);
            let mut response = if has_proved { response.await? } else { turns.begin(response).await? };
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
        let mut context = Context::from_waker(Waker::noop());
        let taken = (0..UNPROVED_TURNS_MAX).map(|_| turns.0.try_acquire().unwrap()).collect::<Vec<_>>();
        let mut third = pin!(turns.begin(async { 3 }));
        assert_eq!(third.as_mut().poll(&mut context), Poll::Pending, "all turns are taken");
        drop(taken);
        assert_eq!(third.as_mut().poll(&mut context), Poll::Ready(3));
        // What waits for something, such as a body that does not come, has had its turn.
        let mut endless = (0..10).map(|_| Box::pin(turns.begin(pending::<()>()))).collect::<Vec<_>>();
        for endless in &mut endless {
            assert_eq!(endless.as_mut().poll(&mut context), Poll::Pending);
        }
        assert_eq!(turns.0.available_permits(), UNPROVED_TURNS_MAX);
    }
}
