//! The routes of a database, in this process: the same router that `perennial serve` serves, asked as the command line.
//!
//! What only looks is answered beside a host that works on the database; what writes has the database to itself.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header;
use perennial_engine::rules::Providers;
use perennial_http::Router;
use perennial_http::admin;
use perennial_http::auth::CommandLine;
use perennial_http::middleware;
use perennial_http::state::AppState;
use perennial_http::write::BeforeCommit;
use perennial_service::connections::Connections;
use perennial_service::limits::Limits;
use perennial_service::limits::Webhooks;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_service::service::StartError;
use perennial_service::writer::WriterHandle;
use perennial_store::Store;
use perennial_store::error::StoreError;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::client::request::REPLAYED;
use crate::client::request::Request;
use crate::client::request::Response;

/// How long a request may take: nobody waits but the one who asks.
const TIME_MAX: Duration = Duration::from_secs(86_400);

/// What the routes of a database need beside it.
pub(crate) struct Setup {
    /// The file of the database.
    pub(crate) db: PathBuf,
    /// The rules of every provider, and the policies.
    pub(crate) providers: Providers,
    /// The limits of the configuration.
    pub(crate) limits: Limits,
    /// How events are sent to webhooks, which a host does later.
    pub(crate) webhooks: Webhooks,
    /// How providers of connected accounts are called.
    pub(crate) connections: Connections,
    /// What seals secrets, where there is a key.
    pub(crate) secret_box: Option<SecretBox>,
}

/// The routes of a database.
pub(crate) struct Local {
    setup: Setup,
    looking: OnceCell<Routes>,
    working: OnceCell<Routes>,
}

/// The router, and what is behind it.
struct Routes {
    router: Router,
    service: Service,
    /// The thread that writes, if it may.
    writer: Option<WriterHandle>,
}

/// Somebody else works on the database.
#[derive(Debug, thiserror::Error)]
enum InUse {
    #[error(
        "a host works on the database. With `perennial serve`, changes go through it: name it with `--server`, such as \
         `--server http://127.0.0.1:8420`; `perennial run` takes none, so stop it first"
    )]
    Host(#[source] StoreError),
    #[error("another command works on the database; run this again when that has ended")]
    Command(#[source] StoreError),
}

impl Local {
    /// The routes; nothing is opened before the first request.
    pub(crate) fn new(setup: Setup) -> Local {
        Local { setup, looking: OnceCell::new(), working: OnceCell::new() }
    }

    /// The database, for messages.
    pub(crate) fn name(&self) -> String {
        format!("`{}`", self.setup.db.display())
    }

    /// Asks the routes; `before_commit` is shown a secret before it is kept.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened.
    pub(crate) fn send(
        &self,
        runtime: &Runtime,
        request: &Request,
        before_commit: Option<BeforeCommit>,
    ) -> anyhow::Result<Response> {
        let routes = match (self.working.get(), request.is_answered_beside()) {
            (Some(working), _) => working,
            (None, true) => opened(&self.looking, || self.look())?,
            (None, false) => opened(&self.working, || self.work())?,
        };
        let router = routes.router.clone();
        runtime.block_on(async move {
            let mut asked = http_request(request)?;
            if let Some(before_commit) = before_commit {
                asked.extensions_mut().insert(before_commit);
            }
            let response = router.oneshot(asked).await?;
            let (head, body) = response.into_parts();
            let body =
                body.collect().await.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
            let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
            Ok(Response {
                status: head.status.as_u16(),
                content_type: text("content-type").unwrap_or_default().to_owned(),
                retry_after: text("retry-after").and_then(|value| value.parse().ok()),
                version: text(middleware::VERSION.as_str()).map(str::to_owned),
                etag: text("etag").map(str::to_owned),
                is_replayed: text(REPLAYED).is_some(),
                body: body.to_bytes().to_vec(),
            })
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            request_seconds: TIME_MAX,
            forecast_seconds: TIME_MAX,
            readers: 2,
            ..self.setup.limits.clone()
        }
    }

    fn look(&self) -> anyhow::Result<Routes> {
        let service = Service::start_looking(&self.setup.db, self.setup.providers.clone(), self.limits())?;
        self.routes(service, None)
    }

    fn work(&self) -> anyhow::Result<Routes> {
        let store = Store::open_existing(&self.setup.db).map_err(|error| {
            let is_host = matches!(error, StoreError::InUse { is_host: true, .. });
            if is_host {
                InUse::Host(error).into()
            } else if matches!(error, StoreError::InUse { .. }) {
                InUse::Command(error).into()
            } else {
                anyhow::Error::from(error)
            }
        })?;
        let started: Result<_, StartError> =
            Service::start_idle(store, &self.setup.db, self.setup.providers.clone(), self.limits());
        let (service, writer) = started?;
        self.routes(service, Some(writer))
    }

    fn routes(&self, service: Service, writer: Option<WriterHandle>) -> anyhow::Result<Routes> {
        service.configure_webhooks(self.setup.webhooks.clone());
        service.configure_connections(self.setup.connections.clone())?;
        if let Some(secret_box) = &self.setup.secret_box {
            service.set_secret_box(secret_box.clone());
        }
        let state = AppState::new(service.clone());
        Ok(Routes { router: admin::router(&state), service, writer })
    }
}

fn opened(
    routes: &OnceCell<Routes>,
    open: impl FnOnce() -> anyhow::Result<Routes>,
) -> anyhow::Result<&Routes> {
    if let Some(routes) = routes.get() {
        return Ok(routes);
    }
    let opened = open()?;
    Ok(routes.get_or_init(|| opened))
}

fn http_request(request: &Request) -> anyhow::Result<hyper::Request<Full<Bytes>>> {
    let mut built =
        hyper::Request::builder().method(request.method).uri(request.path.as_str()).extension(CommandLine);
    for (name, value) in &request.headers {
        built = built.header(*name, value.as_bytes());
    }
    let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
    if request.body.is_some() {
        built = built.header(header::CONTENT_TYPE, "application/json");
    }
    Ok(built.body(Full::from(body))?)
}

impl Drop for Routes {
    /// Ends the threads, so that the database is whole without the files beside it.
    fn drop(&mut self) {
        self.service.begin_shutdown();
        self.service.close_readers();
        self.service.writer().stop();
        let ended = self.writer.take().map(WriterHandle::join);
        if let Some(Ok(Err(error))) = ended {
            tracing::warn!(%error, "what could be done later was not written");
        }
    }
}
