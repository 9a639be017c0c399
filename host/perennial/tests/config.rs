//! The configuration of `perennial serve`.

use std::time::Duration;

use expect_test::Expect;
use expect_test::expect;
use perennial::config;
use perennial::config::Config;
use perennial::config::LogFormat;
use perennial_sandbox::PluginFile;
use perennial_service::channels::email::MailSecurity;
use perennial_service::channels::email::MailServer;
use perennial_service::limits::Limits;
use perennial_service::limits::Webhooks;

fn check(text: &str, environment: &[(&str, &str)], expect: Expect) {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let shown = match config::read(text, environment) {
        Ok(config) => format!("{config:#?}"),
        Err(error) => error.to_string(),
    };
    expect.assert_eq(&shown);
}

#[test]
fn nothing_said_is_loopback_without_tls() {
    assert_eq!(config::read("", []), Ok(Config::DEFAULT));
    assert!(Config::DEFAULT.listen.ip().is_loopback());
}

#[test]
fn the_environment_goes_before_the_file() {
    let text = "listen = \"127.0.0.1:1\"\n[limits]\nreaders = 2\nbatch = 10\n[webhooks]\nallow_private = false\nsource = \"urn:acme\"\n";
    let environment = [
        ("PERENNIAL_LISTEN", "127.0.0.1:2"),
        ("PERENNIAL_LIMITS_READERS", "3"),
        ("PERENNIAL_LOG_FORMAT", "json"),
        ("PERENNIAL_WEBHOOKS_ALLOW_PRIVATE", "true"),
        ("PERENNIAL_DB", "elsewhere.db"),
        ("HOME", "/root"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected = Config {
        listen: "127.0.0.1:2".parse().unwrap(),
        limits: Limits { readers: 3, batch: 10, ..Limits::DEFAULT },
        log: LogFormat::Json,
        webhooks: Webhooks { allow_private: true, source: Some("urn:acme".to_owned()), ..Webhooks::DEFAULT },
        ..Config::DEFAULT
    };
    assert_eq!(config::read(text, environment), Ok(expected));
}

#[test]
fn how_often_inventories_are_read_is_a_setting() {
    let text = "[connections]\nfull_sync_seconds = 3600\nincremental_sync_seconds = 0\n";
    let read = config::read(text, []).unwrap().connections;
    assert_eq!((read.full_sync_seconds, read.incremental_sync_seconds), (3_600, 0));
    let often = ("PERENNIAL_CONNECTIONS_INCREMENTAL_SYNC_SECONDS".to_owned(), "60".to_owned());
    assert_eq!(config::read(text, [often]).unwrap().connections.incremental_sync_seconds, 60);
    let told = config::read("[connections]\nfull_sync_seconds = 59\n", []).unwrap_err().to_string();
    assert!(
        told.contains("connections.full_sync_seconds: expected a whole number from 60 to 2592000"),
        "{told}"
    );
}

#[test]
fn a_mail_server_is_read_and_gets_no_password_in_clear_text() {
    let text = "[email]\nserver = \"smtp.example.com\"\nsecurity = \"starttls\"\nfrom = \"Perennial <p@example.com>\"\n\
                user = \"p\"\npassword_file = \"mail.password\"\n";
    let expected = MailServer {
        server: "smtp.example.com".to_owned(),
        port: 587,
        security: MailSecurity::StartTls,
        from: "Perennial <p@example.com>".to_owned(),
        user: Some("p".to_owned()),
        password_file: Some("mail.password".into()),
        certificates: None,
    };
    assert_eq!(config::read(text, []), Ok(Config { email: Some(expected), ..Config::DEFAULT }));
    let port = ("PERENNIAL_EMAIL_PORT".to_owned(), "2525".to_owned());
    assert_eq!(config::read(text, [port]).unwrap().email.unwrap().port, 2525);
    let wrong = "[email]\nsecurity = \"none\"\nfrom = \"nobody\"\nuser = \"p\"\n";
    let told = config::read(wrong, []).unwrap_err().to_string();
    for problem in [
        "email.from: expected a sender such as \"Perennial <perennial@example.com>\"",
        "`user` and `password_file` go together",
        "a password would be sent in clear text",
        "email.server",
    ] {
        assert!(told.contains(problem), "{problem}: {told}");
    }
}

#[test]
fn providers_listen_beside_the_admin_api() {
    let text = "[listen]\nhuawei = \"127.0.0.1:1\"\n[secrets]\nkey_file = \"secrets.key\"\n";
    let environment = [("PERENNIAL_LISTEN_BAIDU", "[::1]:2"), ("PERENNIAL_LISTEN", "127.0.0.1:3")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let listen = [("huawei", "127.0.0.1:1"), ("baidu", "[::1]:2")];
    let expected = Config {
        listen: "127.0.0.1:3".parse().unwrap(),
        endpoints: listen.map(|(name, address)| (name.to_owned(), address.parse().unwrap())).into(),
        secrets_key_file: Some("secrets.key".into()),
        ..Config::DEFAULT
    };
    assert_eq!(config::read(text, environment), Ok(expected));
    let alone = [("PERENNIAL_LISTEN_HUAWEI".to_owned(), "127.0.0.1:1".to_owned())];
    let admin = config::read("listen = \"127.0.0.1:4\"", alone).unwrap();
    assert_eq!((admin.listen.port(), admin.endpoints.len()), (4, 1));
}

#[test]
fn plugins_stand_in_the_file_and_in_the_environment() {
    let digest = "AB".repeat(32);
    let text = format!("[plugins]\nfiles = [\"a.wasm\", \"b.wasm@sha256:{digest}\"]\nallow_missing = true\n");
    let file = |path: &str, digest: Option<String>| PluginFile { path: path.into(), digest };
    let read = config::read(&text, []).unwrap();
    assert_eq!(read.plugins, [file("a.wasm", None), file("b.wasm", Some(digest.to_ascii_lowercase()))]);
    assert!(read.allow_missing_plugins && !Config::DEFAULT.allow_missing_plugins);
    let environment =
        [("PERENNIAL_PLUGINS_FILES", "c.wasm, d.wasm"), ("PERENNIAL_PLUGINS_ALLOW_MISSING", "false")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let read = config::read(&text, environment).unwrap();
    assert_eq!(read.plugins, [file("c.wasm", None), file("d.wasm", None)]);
    assert!(!read.allow_missing_plugins);
    check(
        "[plugins]\nfiles = [\"\", \"a.wasm@sha256:12\", 3]\nallow_missing = \"yes\"\n",
        &[],
        expect![[r#"
            4 problems:
              plugins.allow_missing: expected true or false, found the text `yes`
              plugins.files[0]: it is empty; expected some text
              plugins.files[1]: `a.wasm@sha256:12` is no file with a digest; write a path, `@sha256:` and 64 hexadecimal digits, such as the revision that `perennial plugins` shows
              plugins.files[2]: expected text, found the number 3"#]],
    );
}

#[test]
fn hosts_have_names_in_the_configuration() {
    let text = "[profiles.prod]\nserver = \"https://perennial.example\"\ntoken_file = \"prod.token\"\n\
                [profiles.lab]\nserver = \"http://lab:8420\"\nallow_plain_http = true\ncertificates = \"lab.pem\"\n";
    let environment = ["PERENNIAL_SERVER", "PERENNIAL_TOKEN_FILE", "PERENNIAL_PROFILE"];
    let read = config::read(text, environment.map(|name| (name.to_owned(), "a".to_owned()))).unwrap();
    let [lab, prod] = ["lab", "prod"].map(|name| &read.profiles[name]);
    assert_eq!(prod.token_file.as_deref(), Some("prod.token".as_ref()));
    assert!(lab.allow_plain_http && !prod.allow_plain_http && lab.certificates.is_some());
    check(
        "[profiles.prod]\nservr = \"a\"\ntoken_file = \"\"\n",
        &[],
        expect![[r#"
        3 problems:
          profiles.prod.server: the field is missing
          profiles.prod.servr: unknown field `servr` (did you mean `server`?)
          profiles.prod.token_file: it is empty; expected some text"#]],
    );
}

#[test]
fn a_provider_is_not_served_to_the_world_without_tls() {
    let open = "[listen]\nhuawei = \"0.0.0.0:1\"\nbaidu = \"127.0.0.1:2\"\n";
    check(
        open,
        &[],
        expect![[r#"
            1 problem:
              the file: `listen.huawei` is 0.0.0.0:1, which can be reached from outside: that takes [tls]"#]],
    );
    let tls = "[listen]\nhuawei = \"0.0.0.0:1\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
    assert!(config::read(tls, []).is_ok());
}

#[test]
fn no_two_listen_at_the_same_address() {
    check(
        "[listen]\nadmin = \"127.0.0.1:1\"\nhuawei = \"127.0.0.1:1\"\nbaidu = \"127.0.0.1:2\"\n",
        &[],
        expect![[r#"
            1 problem:
              the file: `listen.huawei` is 127.0.0.1:1, and so is `listen.admin`"#]],
    );
    let any = "[listen]\nadmin = \"127.0.0.1:0\"\nhuawei = \"127.0.0.1:0\"\n";
    assert!(config::read(any, []).is_ok(), "each gets a port of its own");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "liste = 1\nlisten = \"everywhere\"\n[tls]\ncertificate = \"\"\n[limits]\nreaders = 0\nreader = 1\n[log]\nformat = \"xml\"\n[webhooks]\nallow_private = 1\nsource = \"not a URI\"\n";
    check(
        text,
        &[("PERENNIAL_LIMITS_BATCH", "many")],
        expect![[r#"
            10 problems:
              limits.batch: expected a whole number from 1 to 1000000, found the text `many`
              limits.reader: unknown field `reader` (did you mean `readers`?)
              limits.readers: expected a whole number from 1 to 256, found the number 0
              liste: unknown field `liste` (did you mean `listen`?)
              listen: expected an address and port such as "127.0.0.1:8420", found the text `everywhere`
              log.format: there is no `xml`; expected `text` or `json`
              tls.key: the field is missing
              tls.certificate: it is empty; expected some text
              webhooks.allow_private: expected true or false, found the number 1
              webhooks.source: expected a URI such as "https://perennial.example", found the text `not a URI`"#]],
    );
}

#[test]
fn a_variable_that_is_no_key_is_refused() {
    check(
        "",
        &[("PERENNIAL_LIMIT_READERS", "3")],
        expect![
            "`PERENNIAL_LIMIT_READERS` in the environment is no key of the configuration (did you mean `PERENNIAL_LIMITS_READERS`?); unset it, or look its name up in README.md"
        ],
    );
}

#[test]
fn what_other_parts_of_the_program_read_is_no_key_and_passes() {
    let others = ["PERENNIAL_PROVIDER_SECRET", "PERENNIAL_SECRETS_KEY", "PERENNIAL_TOKEN_FILE"];
    let environment = others.map(|name| (name.to_owned(), "a".to_owned()));
    assert_eq!(config::read("", environment), Ok(Config::DEFAULT));
}

#[test]
fn what_is_not_toml_says_where() {
    check(
        "listen = \n",
        &[],
        expect![[r#"
        it is not TOML: TOML parse error at line 1, column 10
          |
        1 | listen = 
          |          ^
        string values must be quoted, expected literal string
    "#]],
    );
}

#[test]
fn a_time_is_seconds_or_milliseconds_and_a_number_neither() {
    let config = config::read("[limits]\nhead_seconds = \"50ms\"\nbody_seconds = 2\n", []).unwrap();
    let limits = config.limits;
    assert_eq!(
        (limits.head_seconds, limits.body_seconds),
        (Duration::from_millis(50), Duration::from_secs(2))
    );
    for (text, problem) in [
        ("head_seconds = \"0ms\"", "expected whole seconds from 1 to 3600, or such as \"50ms\""),
        ("head_seconds = \"3600001ms\"", "expected whole seconds from 1 to 3600, or such as \"50ms\""),
        ("head_seconds = \"2\"", "expected whole seconds from 1 to 3600, or such as \"50ms\""),
        ("webhooks_max = \"50ms\"", "expected a whole number from 1 to 10000"),
    ] {
        let error = config::read(&format!("[limits]\n{text}\n"), []).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn readme_has_every_limit_with_its_default() {
    let readme = include_str!("../../../README.md");
    let rows =
        readme.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').map(str::trim));
    let listed = rows.flat_map(|mut cells| {
        let (names, defaults) = (cells.nth(1).unwrap_or_default(), cells.next().unwrap_or_default());
        let names = names.split(", ").map(|name| name.trim_matches('`').to_owned());
        names.zip(defaults.split(", ").map(str::to_owned)).collect::<Vec<_>>()
    });
    let listed = listed.filter(|(name, _)| Limits::NAMES.contains(&name.as_str())).collect::<Vec<_>>();
    for limit in Limits::ALL {
        let default = (limit.get)(&Limits::DEFAULT).to_string();
        let found = listed.iter().filter(|(name, _)| name == limit.name).map(|(_, value)| value);
        assert_eq!(found.collect::<Vec<_>>(), [&default], "{}", limit.name);
    }
}
