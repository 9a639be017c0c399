//! Listeners, TLS, the limits of connections, and the response to malformed requests.

mod connections;
mod exchange;
mod head_guard;
pub mod listener;
mod long_heads;
mod paced_stream;
mod service;

use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use perennial_service::limits::Limits;

pub use paced_stream::Pace;

/// The files of a TLS certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain in PEM, the host's own certificate first.
    pub certificate: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

/// The limits of the connections of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The most open connections. One more takes the place of the oldest whose client has proved nothing.
    pub connections_max: usize,
    /// The most open connections of one address.
    pub per_address_max: usize,
    /// How long a TLS handshake may take, and the head of a request.
    pub head: Duration,
    /// The most bytes of the head of a request. The library takes 8 KiB at least.
    pub head_bytes_max: usize,
    /// The most headers of a request.
    pub head_fields_max: usize,
    /// The most connections that hold a long head.
    pub long_heads_max: usize,
    /// The most of those of one address.
    pub long_heads_per_address_max: usize,
    /// How long a client may take to read.
    pub pace: Pace,
}

/// The responses of a listener to what is no request, each as a whole goes over the wire.
#[derive(Clone, Debug)]
pub struct Refusals {
    /// The response to what is no HTTP, and to a head that does not end in time.
    pub malformed: Vec<u8>,
    /// The response to a head that is too long.
    pub too_long: Vec<u8>,
    /// The response to a long head while there are too many of them.
    pub busy: Vec<u8>,
}

impl ConnectionLimits {
    /// Those of a host with these limits.
    pub fn of(limits: &Limits) -> ConnectionLimits {
        ConnectionLimits {
            connections_max: limits.connections_max,
            per_address_max: limits.connections_per_address_max,
            head: limits.head_seconds,
            head_bytes_max: limits.head_bytes_max,
            head_fields_max: limits.head_fields_max,
            long_heads_max: limits.long_heads_max,
            long_heads_per_address_max: limits.long_heads_per_address_max,
            pace: Pace { stall: limits.stall_seconds, response: limits.response_seconds },
        }
    }
}

/// Whom a limit per address counts as one: an IPv4 address, or the /64 network that one IPv6 client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientAddress(IpAddr);

impl ClientAddress {
    /// That of a connection from `address`.
    pub(crate) fn of(address: IpAddr) -> ClientAddress {
        match address.to_canonical() {
            IpAddr::V4(address) => ClientAddress(address.into()),
            IpAddr::V6(address) => ClientAddress(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
        }
    }
}

/// Marks the response to an authenticated request, in its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthenticatedMark;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_address_or_the_network_of_one() {
        let of = |text: &str| ClientAddress::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
