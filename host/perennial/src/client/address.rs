//! The address of a running host: what may be named, and what may not. Connects to nothing.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;

/// Where a host listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether it proves who it is.
    pub(crate) is_tls: bool,
    /// Its name or address, without brackets.
    pub(crate) host: String,
    /// The TCP port that it listens on.
    pub(crate) port: u16,
    /// What stands before every path: empty, or such as `/perennial`.
    pub(crate) base: String,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let wrong = |why: &str| {
            format!("`{text}` is no address of a host: {why}; write one such as `http://127.0.0.1:8420`")
        };
        let uri = text.parse::<Uri>().map_err(|error| wrong(&error.to_string()))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(wrong("it begins with neither `http://` nor `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a name and a password have no place in it"));
        }
        if uri.query().is_some() {
            return Err(wrong("it has a query"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Address { is_tls, host, port, base: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl Address {
    /// Whether it is this machine, as far as its name says.
    pub(crate) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The header `Host`.
    pub(crate) fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.is_tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(formatter, "{scheme}://{}{}", self.host_header(), self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_a_port_and_a_path() {
        for (text, shown, is_loopback) in [
            ("http://127.0.0.1:8420", "http://127.0.0.1:8420", true),
            ("http://localhost", "http://localhost", true),
            ("http://[::1]:8420/", "http://[::1]:8420", true),
            ("https://perennial.example:443", "https://perennial.example", false),
            ("https://example.com/perennial/", "https://example.com/perennial", false),
        ] {
            let address = text.parse::<Address>().unwrap();
            assert_eq!((address.to_string().as_str(), address.is_loopback()), (shown, is_loopback), "{text}");
        }
        for text in ["127.0.0.1:8420", "ftp://a", "http://", "http://a@b", "http://a?b=c", "a b"] {
            assert!(text.parse::<Address>().unwrap_err().contains("http://127.0.0.1:8420"), "{text}");
        }
    }
}
