//! The distribution API of OCI registries: manifests by tag or digest, and blobs.
//!
//! Over TLS, but for registries on this machine and where plain HTTP was allowed. Credentials go to the registry itself and, where
//! it asks for a token, to the address that gives tokens out; never along with a redirect to another host.

use std::cell::RefCell;
use std::path::PathBuf;

use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::header;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use crate::client::address::Address;
use crate::client::connection;
use crate::client::connection::RESPONSE_TIMEOUT;
use crate::client::connection::USER_AGENT;
use crate::registry::challenge::Challenge;
use crate::registry::credentials::Credentials;
use crate::registry::image;
use crate::registry::reference::Reference;
use crate::registry::response::RegistryError;
use crate::registry::response::Response;
use perennial_service::tls;

/// The most bytes of a manifest, as registries have it, and of everything else that is no blob.
const DOCUMENT_MAX: usize = 4 << 20;
/// How many redirects are followed for one blob.
const REDIRECTS_MAX: usize = 4;

/// How a registry is reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// A file with credentials, as `docker login` writes it.
    pub(crate) credentials: Option<PathBuf>,
    /// A PEM file of authorities that the registry is known by, beside those that browsers trust.
    pub(crate) certificates: Option<PathBuf>,
    /// Whether a registry on another machine may be asked over plain HTTP.
    pub(crate) allows_plain_http: bool,
}

/// A repository of a registry.
pub(crate) struct RegistryClient {
    runtime: Runtime,
    address: Address,
    repository: String,
    tls: TlsConnector,
    credentials: Option<Credentials>,
    allows_plain_http: bool,
    authorization: RefCell<Option<String>>,
}

/// One request of the API.
struct ApiRequest<'a> {
    /// What it is for, after `cannot`.
    what: String,
    method: &'static str,
    /// The path with its query, on the registry itself.
    path: String,
    headers: Vec<(header::HeaderName, &'a str)>,
    body: &'a [u8],
    /// The most bytes of its response.
    limit: usize,
}

impl RegistryClient {
    /// Of the repository that `reference` names. Sends nothing yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unusable`] when credentials or certificates cannot be read, or the host is none.
    pub(crate) fn new(reference: &Reference, access: Access) -> Result<RegistryClient, RegistryError> {
        let unusable =
            |problem: String| RegistryError::Unusable { registry: reference.registry.clone(), problem };
        let over = |scheme: &str| format!("{scheme}://{}", reference.registry).parse::<Address>();
        let secure = over("https").map_err(unusable)?;
        let address = match secure.is_loopback() || access.allows_plain_http {
            true => over("http").map_err(unusable)?,
            false => secure,
        };
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let credentials = Credentials::find(&reference.registry, access.credentials.as_deref(), &variable);
        let tls = tls::connector(access.certificates.as_deref());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(RegistryClient {
            runtime: runtime.map_err(|error| unusable(error.to_string()))?,
            address,
            repository: reference.repository.clone(),
            tls: tls.map_err(|error| unusable(error.to_string()))?,
            credentials: credentials.map_err(unusable)?,
            allows_plain_http: access.allows_plain_http,
            authorization: RefCell::default(),
        })
    }

    /// A manifest by its tag or digest; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when there is no answer, or another one.
    pub(crate) fn manifest(&self, name: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let mut asked = self.asked("read the manifest", "GET", format!("manifests/{name}"));
        asked.headers.push((header::ACCEPT, image::MANIFEST_TYPE));
        let response = self.send(&asked)?;
        match response.status {
            404 => Ok(None),
            _ => self.expect(&asked, response).map(|response| Some(response.body)),
        }
    }

    /// Writes a manifest under a tag.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when that fails.
    pub(crate) fn put_manifest(
        &self,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        let mut asked = self.asked("write the manifest", "PUT", format!("manifests/{tag}"));
        asked.headers.push((header::CONTENT_TYPE, media_type));
        asked.body = bytes;
        let response = self.send(&asked)?;
        self.expect(&asked, response).map(drop)
    }

    /// A blob of `size` bytes; what comes may have other bytes, and fewer.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when there is none, or more of it.
    pub(crate) fn blob(&self, digest: &str, size: u64) -> Result<Vec<u8>, RegistryError> {
        let mut asked = self.asked(&format!("read the blob {digest}"), "GET", format!("blobs/{digest}"));
        asked.limit = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1);
        let response = self.send(&asked)?;
        self.expect(&asked, response).map(|response| response.body)
    }

    /// Writes a blob, unless it is there.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when that fails.
    pub(crate) fn put_blob(&self, digest: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let what = format!("write the blob {digest}");
        if self.send(&self.asked(&what, "HEAD", format!("blobs/{digest}")))?.is_success() {
            return Ok(());
        }
        let started = self.asked(&what, "POST", "blobs/uploads/".to_owned());
        let response = self.send(&started)?;
        let response = self.expect(&started, response)?;
        let nowhere = |why: &str| RegistryError::NoAnswer { what: what.clone(), why: why.to_owned() };
        let location =
            response.header("location").ok_or_else(|| nowhere("it does not say where to write"))?;
        let (address, path) = self.resolve(&what, &self.address, location)?;
        if address != self.address {
            return Err(nowhere(&format!("it says to write to `{address}`, which is another host")));
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut asked = self.asked(&what, "PUT", String::new());
        asked.path = format!("{path}{separator}digest={digest}");
        asked.headers.push((header::CONTENT_TYPE, "application/octet-stream"));
        asked.body = bytes;
        let response = self.send(&asked)?;
        self.expect(&asked, response).map(drop)
    }

    fn asked<'a>(&self, what: &str, method: &'static str, path: String) -> ApiRequest<'a> {
        let what = format!("{what} of `{}/{}`", self.address.host_header(), self.repository);
        let path = format!("/v2/{}/{path}", self.repository);
        ApiRequest { what, method, path, headers: Vec::new(), body: &[], limit: DOCUMENT_MAX }
    }

    /// Sends a request as often as it takes: with who we are, once the registry asks, and to where it is redirected.
    fn send(&self, asked: &ApiRequest<'_>) -> Result<Response, RegistryError> {
        let (mut address, mut path) = (self.address.clone(), asked.path.clone());
        let mut has_answered = false;
        for _ in 0..=REDIRECTS_MAX {
            let is_home = address == self.address;
            let authorization = self.authorization.borrow().clone().filter(|_| is_home);
            let response = self.once(asked, &address, &path, authorization.as_deref())?;
            match (response.status, response.header("www-authenticate"), response.header("location")) {
                (401, Some(challenge), _) if is_home && !has_answered => {
                    has_answered = true;
                    if !self.answer(asked, challenge)? {
                        return Ok(response);
                    }
                }
                (302 | 303 | 307 | 308, _, Some(location)) if asked.method == "GET" => {
                    (address, path) = self.resolve(&asked.what, &address, location)?;
                }
                _ => return Ok(response),
            }
        }
        let why = format!("it redirects more than {REDIRECTS_MAX} times");
        Err(RegistryError::NoAnswer { what: asked.what.clone(), why })
    }

    /// Does what a challenge asks for; whether there is anything to try.
    fn answer(&self, asked: &ApiRequest<'_>, challenge: &str) -> Result<bool, RegistryError> {
        let basic = self.credentials.as_ref().map(Credentials::basic);
        let authorization = match Challenge::read(challenge) {
            None => None,
            Some(Challenge::Basic) => basic,
            Some(Challenge::Bearer { realm, parameters }) => {
                let (address, mut path) = self.resolve(&asked.what, &self.address, &realm)?;
                for (name, value) in parameters {
                    path.push(if path.contains('?') { '&' } else { '?' });
                    path += &format!("{name}={}", crate::client::request::escaped(&value));
                }
                let token = ApiRequest {
                    what: asked.what.clone(),
                    method: "GET",
                    path: String::new(),
                    headers: Vec::new(),
                    body: &[],
                    limit: DOCUMENT_MAX,
                };
                let response = self.once(&token, &address, &path, basic.as_deref())?;
                let response = self.expect(&token, response)?;
                let json = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default();
                let token = json["token"].as_str().or(json["access_token"].as_str());
                token.map(|token| format!("Bearer {token}"))
            }
        };
        let is_known = authorization.is_some();
        *self.authorization.borrow_mut() = authorization;
        Ok(is_known)
    }

    /// Where a redirect or a challenge points to. Nobody is sent from TLS to plain HTTP.
    fn resolve(
        &self,
        what: &str,
        from: &Address,
        location: &str,
    ) -> Result<(Address, String), RegistryError> {
        let wrong = |why: String| RegistryError::NoAnswer { what: what.to_owned(), why };
        if location.starts_with('/') && !location.starts_with("//") {
            return Ok((from.clone(), location.to_owned()));
        }
        let odd = |error: String| wrong(format!("it points to `{location}`, which is no address: {error}"));
        let uri = location.parse::<Uri>().map_err(|error| odd(error.to_string()))?;
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let address = format!("{scheme}://{authority}").parse::<Address>().map_err(odd)?;
        if !address.is_tls && (from.is_tls || !(address.is_loopback() || self.allows_plain_http)) {
            return Err(wrong(format!("it points to `{address}`, and everybody on the way could read that")));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok((address, path.to_owned()))
    }

    fn once(
        &self,
        asked: &ApiRequest<'_>,
        address: &Address,
        path: &str,
        authorization: Option<&str>,
    ) -> Result<Response, RegistryError> {
        let no_answer = |why: String| RegistryError::NoAnswer { what: asked.what.clone(), why };
        let mut request = hyper::Request::builder()
            .method(asked.method)
            .uri(path)
            .header(header::HOST, address.host_header())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::CONNECTION, "close");
        for (name, value) in &asked.headers {
            request = request.header(name, *value);
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let body = Full::from(Bytes::copy_from_slice(asked.body));
        let request = request.body(body).map_err(|error| no_answer(format!("it cannot be sent: {error}")))?;
        self.runtime.block_on(async {
            let exchanged = connection::exchange(address, &self.tls, request).await;
            let exchange = exchanged.map_err(|failure| no_answer(failure.why))?;
            let (head, body) = exchange.response.into_parts();
            let body =
                tokio::time::timeout(RESPONSE_TIMEOUT, Limited::new(body, asked.limit).collect()).await;
            let body = body.map_err(|_| no_answer("its answer did not come to an end".to_owned()))?;
            let body = body.map_err(|error| {
                no_answer(format!("its answer broke off, or is longer than what was asked for: {error}"))
            })?;
            Ok(Response {
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.to_bytes().to_vec(),
            })
        })
    }

    /// The response, if it was done.
    fn expect(&self, asked: &ApiRequest<'_>, response: Response) -> Result<Response, RegistryError> {
        let (what, status, said) = (asked.what.clone(), response.status, response.said());
        match status {
            _ if response.is_success() => Ok(response),
            401 | 403 => {
                let next = match &self.credentials {
                    Some(_) => "look at the credentials, and at what they allow; nothing was changed",
                    None => {
                        "name a file of credentials with `--credentials`, or set them in the environment; nothing was changed"
                    }
                };
                Err(RegistryError::Denied { what, status, said, next: next.to_owned() })
            }
            _ => Err(RegistryError::Refused { what, status, said }),
        }
    }
}
