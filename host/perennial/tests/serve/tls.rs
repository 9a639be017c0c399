//! TLS: a real handshake, with a certificate made for it.

use std::net::TcpStream;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::ServerName;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::ClientConnection;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::StreamOwned;
use tokio_rustls::rustls::crypto::ring;

use crate::server::Served;
use crate::server::finish;
use crate::server::run;
use crate::support::Folder;

/// The configuration that README shows, with the files that it names, made here.
fn configured(folder: &Folder) -> CertificateDer<'static> {
    let readme = include_str!("../../../../README.md");
    let (_, block) = readme.split_once("```toml\n").expect("README shows a configuration");
    folder.write("perennial.toml", block.split("```").next().unwrap());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    folder.write("host.pem", &made.cert.pem());
    folder.write("host.key", &made.signing_key.serialize_pem());
    folder.write("mail.password", "of the mail server");
    made.cert.der().clone()
}

fn client(trusted: Option<CertificateDer<'static>>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    trusted.into_iter().for_each(|certificate| roots.add(certificate).unwrap());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

#[test]
fn the_configuration_of_the_readme_serves_tls() {
    let folder = Folder::new();
    let certificate = configured(&folder);
    let checked = run(&folder, &[], &["serve", "--config", "perennial.toml", "--check-config"]);
    assert_eq!(
        String::from_utf8_lossy(&checked.stdout),
        "the configuration can be used: https://127.0.0.1:0\n"
    );
    // Its log is JSON, which says where it listens in other words.
    let server = Served::start(&folder, &[("PERENNIAL_LOG_FORMAT", "text")], &["--config", "perennial.toml"]);
    let name = ServerName::try_from("localhost").unwrap();
    let connect = |config| {
        let connection = ClientConnection::new(config, name.clone()).unwrap();
        StreamOwned::new(connection, TcpStream::connect(&server.address).unwrap())
    };
    let answer = finish(connect(client(Some(certificate))), &server.head("GET", "/v1/accounts", 0));
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut stranger = connect(client(None));
    let refused = std::io::Write::write_all(&mut stranger, b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    // And there is nothing to be had without TLS.
    let mut plain = TcpStream::connect(&server.address).unwrap();
    std::io::Write::write_all(&mut plain, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
}
