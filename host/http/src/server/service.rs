//! The service of one connection: what it knows of its client goes along with each request, and no request begins before
//! the response to the one before it was taken.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::Request;
use axum::http::Response;
use axum::http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

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
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let (end, is_last) = (self.stage.begin(), self.stage.is_last());
        request.extensions_mut().insert(self.address);
        let (backlog, is_authenticated) =
            (self.backlog.clone(), IsAuthenticated::clone(&self.is_authenticated));
        // Nothing is done with the request until this is polled.
        let response = self.router.call(request);
        Box::pin(async move {
            backlog.cleared().await;
            let mut response = response.await?;
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
