//! Where a request goes: its URL, parsed once, so that the client connects to exactly what was checked.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use hyper::Uri;
use hyper::http::uri::Scheme;

use crate::outbound::Reach;
use crate::outbound::address;

/// The longest URL, in bytes.
const URL_MAX: usize = 2048;
/// Suffixes of names for this machine and for local networks.
const LOCAL_SUFFIXES: [&str; 6] = ["localhost", "local", "internal", "localdomain", "lan", "home.arpa"];

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetHost {
    /// A name in lower case, not yet resolved.
    Name(String),
    /// An address that needs no look-up.
    Address(IpAddr),
}

impl fmt::Display for TargetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetHost::Name(name) => f.write_str(name),
            TargetHost::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            TargetHost::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// The receiver of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether the connection uses TLS.
    pub tls: bool,
    /// The name or address of the host.
    pub host: TargetHost,
    /// The port, from 1 to 65535.
    pub port: u16,
    /// The path with the query.
    pub path: String,
}

impl Target {
    /// Parses a URL and refuses targets that are out of `reach`: plain HTTP, other services' ports and private addresses.
    /// The client checks the addresses of a name for each request.
    ///
    /// # Errors
    ///
    /// The reason, for people.
    pub fn read(url: &str, reach: Reach) -> Result<Target, String> {
        if url.len() > URL_MAX {
            return Err(format!("a URL has at most {URL_MAX} bytes; this one has {}", url.len()));
        }
        if url.contains('#') {
            return Err("a URL to send to has no part behind a `#`".to_owned());
        }
        let (allow_private, unless) = (reach.allow_private, reach.unless());
        let uri = url.parse::<Uri>().map_err(|error| format!("it is not a URL: {error}"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP && allow_private => false,
            Some(scheme) if *scheme == Scheme::HTTP => {
                return Err(format!("it is plain HTTP; use `https`{unless}"));
            }
            Some(_) | None => return Err(schemes(allow_private).to_owned()),
        };
        let authority = uri.authority().ok_or_else(|| schemes(allow_private).to_owned())?;
        if authority.as_str().contains('@') {
            return Err("it names a user; a receiver knows the host by the signature".to_owned());
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(_) | None => authority
                .port_u16()
                .filter(|port| *port > 0)
                .ok_or("its port is not a number from 1 to 65535")?,
        };
        let host = parse_host(authority.host())?;
        let target = Target {
            tls,
            host,
            port,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        };
        if !allow_private {
            target.check(&unless)?;
        }
        Ok(target)
    }

    /// Refuses targets that are known to be private without resolving a name.
    fn check(&self, unless: &str) -> Result<(), String> {
        if self.port != 443 && self.port < 1024 {
            return Err(format!(
                "port {} is another service's; use 443, or 1024 and above{unless}",
                self.port
            ));
        }
        match &self.host {
            TargetHost::Address(address) if !address::is_global(*address) => {
                Err(format!("{address} is a private or special address; use a public one{unless}"))
            }
            TargetHost::Name(name)
                if LOCAL_SUFFIXES.iter().any(|local| {
                    name.strip_suffix(local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                }) =>
            {
                Err(format!(
                    "`{name}` is a name of this machine or a local network; use a public one{unless}"
                ))
            }
            TargetHost::Address(_) | TargetHost::Name(_) => Ok(()),
        }
    }

    /// The header `Host`.
    pub fn host(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.to_string(),
            (true | false, port) => format!("{}:{port}", self.host),
        }
    }
}

fn schemes(allow_private: bool) -> &'static str {
    if allow_private {
        "expected a URL such as `https://example.com` or `http://10.0.0.1`"
    } else {
        "expected a URL such as `https://example.com`"
    }
}

fn parse_host(host: &str) -> Result<TargetHost, String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return match address {
            Some(address) => Ok(TargetHost::Address(address.into())),
            None => Err(format!("`{host}` is not an IPv6 address")),
        };
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(TargetHost::Address(address.into()));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // Resolvers read `0x7f.1` and `017700000001` as addresses.
    if last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{host}` is neither a name nor an address as it is written"));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(format!("`{host}` is not a name; write one that is not ASCII in Punycode"));
    }
    Ok(TargetHost::Name(name))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn urls_are_accepted_or_refused() {
        let long = format!("https://example.com/{}", "a".repeat(URL_MAX));
        let urls = [
            "https://example.com",
            "https://Example.COM./webhook?a=1&b=%20",
            "https://example.com:8443/webhook",
            "https://xn--bcher-kva.example/",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]:8443/",
            "http://example.com/",
            "http://10.0.0.1:8080/webhook",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fe80::1%25eth0]/",
            "https://localhost/",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://notlocalhost/",
            "https://example.com:22/",
            "https://example.com:80/",
            "https://example.com:0/",
            "https://example.com:/",
            "https://example.com:65536/",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://example.com@127.0.0.1/",
            "https://example.com\\@127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://017700000001/",
            "https://127.1/",
            "https://1.1.1.1.1/",
            "https://example..com/",
            "https://bücher.example/",
            "https://example.com/a#b",
            "https://example.com/a b",
            "https:///webhook",
            "ftp://example.com/",
            "example.com/webhook",
            "/webhook",
            "",
            &long,
        ];
        let mut text = String::new();
        for url in urls {
            let describe = |allow_private| match Target::read(url, Reach::webhooks(allow_private)) {
                Ok(target) => {
                    format!(
                        "{} {} port {} {}",
                        if target.tls { "TLS" } else { "plain" },
                        target.host(),
                        target.port,
                        target.path
                    )
                }
                Err(why) => format!("refused: {why}"),
            };
            let (closed, open) = (describe(false), describe(true));
            let url = url.get(..60).unwrap_or(url);
            text += &format!("{url}\n    {closed}\n");
            if open != closed {
                text += &format!("    allowed: {open}\n");
            }
        }
        expect![[r#"
            https://example.com
                TLS example.com port 443 /
            https://Example.COM./webhook?a=1&b=%20
                TLS example.com port 443 /webhook?a=1&b=%20
            https://example.com:8443/webhook
                TLS example.com:8443 port 8443 /webhook
            https://xn--bcher-kva.example/
                TLS xn--bcher-kva.example port 443 /
            https://1.1.1.1/
                TLS 1.1.1.1 port 443 /
            https://[2606:4700::1111]:8443/
                TLS [2606:4700::1111]:8443 port 8443 /
            http://example.com/
                refused: it is plain HTTP; use `https`, or set `webhooks.allow_private = true` in the host's configuration
                allowed: plain example.com port 80 /
            http://10.0.0.1:8080/webhook
                refused: it is plain HTTP; use `https`, or set `webhooks.allow_private = true` in the host's configuration
                allowed: plain 10.0.0.1:8080 port 8080 /webhook
            https://127.0.0.1/
                refused: 127.0.0.1 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS 127.0.0.1 port 443 /
            https://169.254.169.254/latest/meta-data/
                refused: 169.254.169.254 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS 169.254.169.254 port 443 /latest/meta-data/
            https://[::1]/
                refused: ::1 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS [::1] port 443 /
            https://[::ffff:127.0.0.1]/
                refused: ::ffff:127.0.0.1 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS [::ffff:127.0.0.1] port 443 /
            https://[fe80::1%25eth0]/
                refused: `[fe80::1%25eth0]` is not an IPv6 address
            https://localhost/
                refused: `localhost` is a name of this machine or a local network; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS localhost port 443 /
            https://a.localhost/
                refused: `a.localhost` is a name of this machine or a local network; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS a.localhost port 443 /
            https://metadata.google.internal/
                refused: `metadata.google.internal` is a name of this machine or a local network; use a public one, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS metadata.google.internal port 443 /
            https://notlocalhost/
                TLS notlocalhost port 443 /
            https://example.com:22/
                refused: port 22 is another service's; use 443, or 1024 and above, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS example.com:22 port 22 /
            https://example.com:80/
                refused: port 80 is another service's; use 443, or 1024 and above, or set `webhooks.allow_private = true` in the host's configuration
                allowed: TLS example.com:80 port 80 /
            https://example.com:0/
                refused: its port is not a number from 1 to 65535
            https://example.com:/
                refused: its port is not a number from 1 to 65535
            https://example.com:65536/
                refused: its port is not a number from 1 to 65535
            https://user@example.com/
                refused: it names a user; a receiver knows the host by the signature
            https://user:secret@example.com/
                refused: it names a user; a receiver knows the host by the signature
            https://example.com@127.0.0.1/
                refused: it names a user; a receiver knows the host by the signature
            https://example.com\@127.0.0.1/
                refused: it is not a URL: invalid uri character
            https://0x7f.1/
                refused: `0x7f.1` is neither a name nor an address as it is written
            https://2130706433/
                refused: `2130706433` is neither a name nor an address as it is written
            https://017700000001/
                refused: `017700000001` is neither a name nor an address as it is written
            https://127.1/
                refused: `127.1` is neither a name nor an address as it is written
            https://1.1.1.1.1/
                refused: `1.1.1.1.1` is neither a name nor an address as it is written
            https://example..com/
                refused: `example..com` is not a name; write one that is not ASCII in Punycode
            https://bücher.example/
                refused: it is not a URL: invalid uri character
            https://example.com/a#b
                refused: a URL to send to has no part behind a `#`
            https://example.com/a b
                refused: it is not a URL: invalid uri character
            https:///webhook
                refused: it is not a URL: invalid format
            ftp://example.com/
                refused: expected a URL such as `https://example.com`
                allowed: refused: expected a URL such as `https://example.com` or `http://10.0.0.1`
            example.com/webhook
                refused: it is not a URL: invalid format
            /webhook
                refused: expected a URL such as `https://example.com`
                allowed: refused: expected a URL such as `https://example.com` or `http://10.0.0.1`

                refused: it is not a URL: empty string
            https://example.com/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
                refused: a URL has at most 2048 bytes; this one has 2068
        "#]]
        .assert_eq(&text);
    }
}
