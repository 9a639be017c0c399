//! The listeners of `serve`: binds every address of the configuration, or says which cannot be had and what to do.
//!
//! Nothing is answered here: a connection waits until the host serves.

use std::io;
use std::net::SocketAddr;

use crate::config::Config;
use perennial_http::server::ConnectionLimits;
use perennial_http::server::listener::Listener;
use perennial_http::server::listener::TlsAcceptor;

/// The listeners of a host.
pub(super) struct Listeners {
    /// That of the admin API.
    pub(super) admin: Listener,
    /// Those of providers' own APIs, in the order in which they were asked for.
    pub(super) providers: Vec<Listener>,
}

/// An address that cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address}{for_whom}: {source}; {advice}")]
struct CannotListen {
    address: SocketAddr,
    for_whom: String,
    source: io::Error,
    advice: &'static str,
}

/// Binds the address of the admin API and those of `providers`.
///
/// # Errors
///
/// [`CannotListen`] for the first that cannot be bound.
pub(super) async fn bind(
    config: &Config,
    providers: impl Iterator<Item = (&str, SocketAddr)>,
    tls: Option<&TlsAcceptor>,
) -> anyhow::Result<Listeners> {
    let limits = ConnectionLimits::of(&config.limits);
    let mut listeners = Vec::new();
    for (provider, address) in providers {
        // Tools on this machine speak plain HTTP to it.
        let tls = tls.filter(|_| !address.ip().is_loopback()).cloned();
        let listener = Listener::bind(address, tls, limits).await;
        listeners.push(listener.map_err(|source| failure(address, format!(" for `{provider}`"), source))?);
    }
    let admin = Listener::bind(config.listen, tls.cloned(), limits).await;
    let admin = admin.map_err(|source| failure(config.listen, String::new(), source))?;
    Ok(Listeners { admin, providers: listeners })
}

fn failure(address: SocketAddr, for_whom: String, source: io::Error) -> CannotListen {
    let advice = if source.kind() == io::ErrorKind::AddrInUse {
        "end the program that listens there, or choose another address as `listen` of the configuration or \
         PERENNIAL_LISTEN"
    } else if source.kind() == io::ErrorKind::PermissionDenied {
        "choose a port above 1023 as `listen` of the configuration or PERENNIAL_LISTEN, or allow this program the port"
    } else {
        "choose an address of this machine as `listen` of the configuration or PERENNIAL_LISTEN"
    };
    CannotListen { address, for_whom, source, advice }
}
