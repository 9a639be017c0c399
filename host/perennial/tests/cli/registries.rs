//! `perennial plugin pull` from registries that ask for tokens, redirect, or mean no good. `tests/registry` has a real one.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;

use base64::Engine as _;
use expect_test::expect;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::support::Folder;
use crate::support::ran;

const TABLE: &str = "table = 1\n[provider]\nid = \"nimbus\"\n[package]\nversion = \"1.0.0\"\nauthors = \"Ann\"\n\
    license = \"MIT\"\ncontract = \"perennial:table@0.1.0\"\n";

/// A request: its line without the version, and what it shows of who sends it.
type Asked = (String, Option<String>);
/// A response: its status, its headers and its body.
type Answer = (u16, String, Vec<u8>);

/// A server that answers like this, and what it was asked so far.
fn serve(answer: impl Fn(&str, &Asked) -> Answer + Send + 'static) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let log = Arc::new(Mutex::new(Vec::new()));
    let (own, kept) = (address.clone(), Arc::clone(&log));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let first = lines.next().unwrap().replace(" HTTP/1.1", "");
            let headers = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>();
            let shown = headers.iter().find_map(|line| line.strip_prefix("authorization: "));
            let asked = (first, shown.map(str::to_owned));
            let (status, headers, body) = answer(&own, &asked);
            kept.lock().unwrap().push(asked);
            let length = body.len();
            // Who has read enough closes the connection.
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n"
            )
            .and_then(|()| stream.write_all(&body));
        }
    });
    (address, log)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn config() -> Vec<u8> {
    json!({ "layerDigests": [digest(TABLE.as_bytes())] }).to_string().into_bytes()
}

/// The manifest of a package of [`TABLE`].
fn manifest() -> serde_json::Value {
    let part = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": part("application/vnd.perennial.table.config.v1+json", &config()),
        "layers": [part("application/vnd.perennial.table.v1+toml", TABLE.as_bytes())],
    })
}

fn body(bytes: impl Into<Vec<u8>>) -> Answer {
    (200, String::new(), bytes.into())
}

fn elsewhere(location: &str) -> Answer {
    (307, format!("location: {location}\r\n"), Vec::new())
}

fn challenge(challenge: &str) -> Answer {
    (401, format!("www-authenticate: {challenge}\r\n"), Vec::new())
}

#[test]
fn a_token_is_fetched_and_no_redirect_is_shown_it() {
    let (storage, stored) = serve(|_, (line, _)| match line.as_str() {
        "GET /token?service=registry&scope=repository%3Aacme%2Fnimbus%3Apull" => {
            body(r#"{"token": "t0ken"}"#)
        }
        _ if line.ends_with(&digest(TABLE.as_bytes())) => body(TABLE),
        _ => body(config()),
    });
    let elsewhere_is = storage.clone();
    let (registry, asked) = serve(move |_, (line, shown)| match shown.as_deref() {
        Some("Bearer t0ken") if line.contains("/manifests/") => body(manifest().to_string()),
        Some("Bearer t0ken") => {
            elsewhere(&format!("http://{elsewhere_is}/blob/{}", line.rsplit('/').next().unwrap()))
        }
        _ => challenge(&format!(
            "Bearer realm=\"http://{elsewhere_is}/token\",service=\"registry\",scope=\"repository:acme/nimbus:pull\""
        )),
    });
    let folder = Folder::new();
    let mut program = folder.program_with(&[
        ("PERENNIAL_REGISTRY_USERNAME", "ann"),
        ("PERENNIAL_REGISTRY_PASSWORD", "wonderland"),
    ]);
    program.args(["plugin", "pull", &format!("{registry}/acme/nimbus:1")]);
    ran(program).succeeded();
    assert_eq!(std::fs::read_to_string(folder.path("nimbus-1.0.0.toml")).unwrap(), TABLE);
    let basic = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode("ann:wonderland"));
    let shown = |log: &Mutex<Vec<Asked>>| {
        log.lock().unwrap().iter().map(|(_, shown)| shown.clone()).collect::<Vec<_>>()
    };
    let token = Some("Bearer t0ken".to_owned());
    assert_eq!(shown(&asked), [None, token.clone(), token.clone(), token]);
    assert_eq!(shown(&stored), [Some(basic), None, None], "only who gives tokens out sees the password");
}

/// What is said of a registry that answers like this; nothing is written.
fn refused(answer: impl Fn(&str, &Asked) -> Answer + Send + 'static) -> String {
    let (registry, asked) = serve(answer);
    let folder = Folder::new();
    let mut program = folder.program_with(&[
        ("PERENNIAL_REGISTRY_USERNAME", "ann"),
        ("PERENNIAL_REGISTRY_PASSWORD", "wonderland"),
    ]);
    program.args(["plugin", "pull", &format!("{registry}/acme/nimbus:1")]);
    let ran = ran(program);
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 0, "{}", ran.stderr());
    assert!(asked.lock().unwrap().iter().all(|(_, shown)| shown.is_none()), "the password was shown");
    format!("{}: {}", ran.code(), ran.stderr())
        .replace(&registry, "REGISTRY")
        .replace(&digest(TABLE.as_bytes()), "[digest]")
        .replace(&digest(&config()), "[digest]")
}

#[test]
fn a_registry_that_means_no_good_gets_nothing_and_writes_nothing() {
    let with = |manifest: serde_json::Value| {
        move |_: &str, (line, _): &Asked| match line.as_str() {
            _ if line.contains("/manifests/") => body(manifest.to_string()),
            _ if line.ends_with(&digest(TABLE.as_bytes())) => body(TABLE),
            _ => body(config()),
        }
    };
    let mut two_layers = manifest();
    two_layers["layers"] = json!([two_layers["layers"][0], two_layers["layers"][0]]);
    let mut odd = manifest();
    odd["layers"][0]["mediaType"] = json!("application/zip");
    odd["layers"][0]["size"] = json!(1_u64 << 40);
    odd["layers"][0]["digest"] = json!("sha256:../../secret");
    let mut short = manifest();
    short["layers"][0]["size"] = json!(10);
    let mut other = manifest();
    other["config"]["digest"] = json!(digest(b"{}"));
    other["config"]["size"] = json!(2);
    let told = [
        refused(|own, _| elsewhere(&format!("http://{own}/again"))),
        refused(|_, _| elsewhere("http://192.0.2.1/elsewhere")),
        refused(|_, _| elsewhere("file:///etc/passwd")),
        refused(|_, _| challenge("Bearer realm=\"http://192.0.2.1/token\"")),
        refused(|_, _| challenge("Negotiate")),
        refused(|_, _| {
            (
                500,
                String::new(),
                br#"{"errors": [{"code": "UNKNOWN", "message": "no \u001b[31m disk"}]}"#.to_vec(),
            )
        }),
        refused(|_, _| body("no manifest")),
        refused(with(two_layers)),
        refused(with(odd)),
        refused(with(short)),
        refused(|_, (line, _)| {
            body(if line.contains("/manifests/") { manifest().to_string() } else { "{}".to_owned() })
        }),
        refused(move |_, (line, _)| {
            let is_layer = line.ends_with(&digest(TABLE.as_bytes()));
            body(if line.contains("/manifests/") {
                other.to_string()
            } else if is_layer {
                TABLE.to_owned()
            } else {
                "{}".to_owned()
            })
        }),
    ];
    expect![[r#"
        1: error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry does not answer: it redirects more than 4 times; nothing was changed, run it again later

        1: error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry does not answer: it points to `http://192.0.2.1`, and everybody on the way could read that; nothing was changed, run it again later

        1: error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry does not answer: it points to `file:///etc/passwd`, which is no address: invalid format; nothing was changed, run it again later

        1: error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry does not answer: it points to `http://192.0.2.1`, and everybody on the way could read that; nothing was changed, run it again later

        1: error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry refuses it with the status 401; look at the credentials, and at what they allow; nothing was changed

        1: error: cannot read the manifest of `REGISTRY/acme/nimbus`: the registry answers with the status 500, "UNKNOWN no [31m disk"; nothing was changed

        2: error: cannot pull `REGISTRY/acme/nimbus:1`: it is no package that can be used; nothing was written:
          its manifest is none of a package: expected ident at line 1 column 2

        2: error: cannot pull `REGISTRY/acme/nimbus:1`: it is no package that can be used; nothing was written:
          it has 2 layers, and a package has one

        2: error: cannot pull `REGISTRY/acme/nimbus:1`: it is no package that can be used; nothing was written:
          it is of the types `application/vnd.perennial.table.config.v1+json` and `application/zip`, which are neither those of a component nor those of a table
          its layer has 1099511627776 bytes; at most 67108864 are accepted
          the digest of its layer is not `sha256:` and 64 digits

        1: error: cannot read the blob [digest] of `REGISTRY/acme/nimbus`: the registry does not answer: its answer broke off, or is longer than what was asked for: length limit exceeded; nothing was changed, run it again later

        1: error: cannot pull `REGISTRY/acme/nimbus:1`: it is not to be trusted; nothing was written:
          its configuration has 2 bytes and the digest sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a, and its manifest says 92 bytes and [digest]: somebody tampered with it, or it was damaged
          its layer has 2 bytes and the digest sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a, and its manifest says 130 bytes and [digest]: somebody tampered with it, or it was damaged

        2: error: cannot pull `REGISTRY/acme/nimbus:1`: it is no package that can be used; nothing was written:
          its configuration names another layer than its manifest
    "#]].assert_eq(&told.join("\n"));
}
