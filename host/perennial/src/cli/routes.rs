//! Which command calls which route of the admin API: a table, held against `/openapi.json` and against the commands.

mod asking;

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory;
use perennial_service::connections::Connections;
use perennial_service::limits::Limits;
use perennial_service::limits::Webhooks;
use perennial_store::Store;
use perennial_test_support::plugins;

use crate::cli::Arguments;
use crate::client::Client;
use crate::client::LastWrite;
use crate::client::Request;
use crate::client::local::Local;
use crate::client::local::Setup;

/// Every route, and its command or, behind `-`, why it has none.
const ROUTES: [(&str, &str, &str); 128] = [
    ("GET", "/healthz", "- monitors ask it"),
    ("GET", "/readyz", "- monitors ask it"),
    ("GET", "/metrics", "- monitors ask it"),
    ("GET", "/calendars/{file}", "- calendar programs ask it, by its secret address"),
    ("GET", "/v1/accounts", "account list"),
    ("POST", "/v1/accounts", "account create"),
    ("GET", "/v1/accounts/{id}", "account show"),
    ("PATCH", "/v1/accounts/{id}", "account set"),
    ("GET", "/v1/accounts/{id}/ledger", "account ledger"),
    ("GET", "/v1/accounts/{id}/balances", "account balances"),
    ("POST", "/v1/accounts/{id}:top-up", "account top-up"),
    ("POST", "/v1/accounts/{id}:use", "package use"),
    ("GET", "/v1/resources", "resources"),
    ("POST", "/v1/resources:import", "import"),
    ("GET", "/v1/resources/{id}", "resource show"),
    ("PATCH", "/v1/resources/{id}", "resource tag"),
    ("GET", "/v1/resources/{id}/renewal-window", "resource window"),
    ("GET", "/v1/resources/{id}/explanation", "explain"),
    ("GET", "/v1/resources/{id}/timeline", "resource timeline"),
    ("GET", "/v1/resources/{id}/orders", "resource orders"),
    ("GET", "/v1/resources/{id}/decisions", "resource decisions"),
    ("POST", "/v1/resources/{id}:renew", "resource renew"),
    ("POST", "/v1/resources/{id}:set-auto-renew", "resource auto-renew"),
    ("POST", "/v1/resources/{id}:cancel-auto-renew", "resource auto-renew"),
    ("POST", "/v1/resources/{id}:unsubscribe", "resource unsubscribe"),
    ("POST", "/v1/resources/{id}:convert-on-expiry", "resource convert"),
    ("POST", "/v1/resources/{id}:cancel-conversion", "resource convert"),
    ("POST", "/v1/resources/{id}:convert-now", "resource convert"),
    ("POST", "/v1/resources/{id}:buy-again", "resource buy-again"),
    ("POST", "/v1/resources/{id}:change", "resource change"),
    ("POST", "/v1/resources/{id}:subscribe", "resource subscribe"),
    ("POST", "/v1/resources/{id}:pay-order", "resource pay-order"),
    ("POST", "/v1/resources/{id}:cancel-order", "resource cancel-order"),
    ("GET", "/v1/orders", "orders"),
    ("POST", "/v1/jobs", "job create"),
    ("GET", "/v1/jobs", "job list"),
    ("GET", "/v1/jobs/{id}", "job show"),
    ("GET", "/v1/jobs/{id}/items", "job items"),
    ("POST", "/v1/jobs/{id}:cancel", "job cancel"),
    ("GET", "/v1/attempts", "attempts"),
    ("GET", "/v1/plans", "approvals list"),
    ("GET", "/v1/approvals", "approvals list"),
    ("GET", "/v1/approvals/{id}", "approvals show"),
    ("POST", "/v1/approvals/{id}:approve", "approvals approve"),
    ("POST", "/v1/approvals/{id}:reject", "approvals reject"),
    ("GET", "/v1/packages", "package list"),
    ("GET", "/v1/events", "events"),
    ("GET", "/v1/events:stream", "events"),
    ("GET", "/v1/forecast", "forecast"),
    ("GET", "/v1/prices", "prices"),
    ("GET", "/v1/expiries", "expiries"),
    ("GET", "/v1/calendars", "calendar list"),
    ("POST", "/v1/calendars", "calendar create"),
    ("POST", "/v1/calendars/{id}:rotate", "calendar rotate"),
    ("POST", "/v1/calendars/{id}:revoke", "calendar revoke"),
    ("GET", "/v1/connections", "account connections"),
    ("POST", "/v1/connections", "account connect"),
    ("GET", "/v1/connections/{id}", "account connection"),
    ("POST", "/v1/connections/{id}:grant", "account grant"),
    ("POST", "/v1/connections/{id}:rotate", "account rotate"),
    ("POST", "/v1/connections/{id}:sync", "sync"),
    ("POST", "/v1/connections/{id}:drive", "account drive"),
    ("POST", "/v1/connections/{id}:pause", "account pause"),
    ("POST", "/v1/connections/{id}:resume", "account resume"),
    ("POST", "/v1/connections/{id}:limit-spending", "account limit-spending"),
    ("POST", "/v1/connections:pause", "account pause"),
    ("POST", "/v1/connections:resume", "account resume"),
    ("GET", "/v1/calls", "calls list"),
    ("GET", "/v1/calls/{id}", "calls show"),
    ("POST", "/v1/calls/{id}:resolve", "calls resolve"),
    ("GET", "/v1/drift", "drift"),
    ("GET", "/v1/plugins", "plugins"),
    ("GET", "/v1/plugins/parked", "plugin parked"),
    ("POST", "/v1/plugins/parked:release", "plugin release"),
    ("GET", "/v1/plugins/breakers", "plugin breakers"),
    ("POST", "/v1/plugins/breakers:release", "plugin release"),
    ("GET", "/v1/plugins/revisions", "plugin revisions"),
    ("POST", "/v1/plugins/revisions", "plugin install"),
    ("GET", "/v1/plugins/revisions/{digest}", "plugin revision"),
    ("GET", "/v1/plugins/revisions/{digest}/differences", "plugin differences"),
    ("POST", "/v1/plugins/revisions:backtest", "plugin backtest"),
    ("GET", "/v1/plugins/bindings", "plugin bindings"),
    ("POST", "/v1/plugins/bindings", "plugin bind"),
    ("POST", "/v1/plugins/bindings:unbind", "plugin unbind"),
    ("POST", "/v1/plugins/bindings:promote", "plugin promote"),
    ("POST", "/v1/plugins/bindings:roll-back", "plugin roll-back"),
    ("GET", "/v1/plugins/bindings/history", "plugin history"),
    ("GET", "/v1/policies", "policy list"),
    ("POST", "/v1/policies", "policy install"),
    ("GET", "/v1/policies/{name}", "policy show"),
    ("DELETE", "/v1/policies/{name}", "policy remove"),
    ("GET", "/v1/policies/{name}/history", "policy history"),
    ("GET", "/v1/policies/{name}/differences", "policy differences"),
    ("POST", "/v1/policies:run", "policy run"),
    ("POST", "/v1/policies:compare", "policy compare"),
    ("GET", "/v1/policy-calendars", "policy calendars"),
    ("DELETE", "/v1/policy-calendars/{name}", "policy remove-calendar"),
    ("GET", "/v1/policy-calendars/{name}/history", "policy calendar-history"),
    ("GET", "/v1/tokens", "token list"),
    ("POST", "/v1/tokens", "token create"),
    ("POST", "/v1/tokens/{id}:revoke", "token revoke"),
    ("GET", "/v1/provider-keys", "key list"),
    ("POST", "/v1/provider-keys", "key create"),
    ("POST", "/v1/provider-keys/{id}:rotate", "key rotate"),
    ("POST", "/v1/provider-keys/{id}:revoke", "key revoke"),
    ("GET", "/v1/audit", "audit"),
    ("GET", "/v1/webhooks", "webhook list"),
    ("POST", "/v1/webhooks", "webhook create"),
    ("GET", "/v1/webhooks/{id}", "webhook show"),
    ("PATCH", "/v1/webhooks/{id}", "webhook set"),
    ("DELETE", "/v1/webhooks/{id}", "webhook delete"),
    ("POST", "/v1/webhooks/{id}:rotate-secret", "webhook rotate-secret"),
    ("GET", "/v1/webhooks/{id}/deliveries", "webhook deliveries"),
    ("POST", "/v1/webhooks/{id}:test", "webhook test"),
    ("POST", "/v1/webhooks/{id}:replay", "webhook replay"),
    ("GET", "/v1/channels", "channel list"),
    ("POST", "/v1/channels", "channel create"),
    ("GET", "/v1/channels/{id}", "channel show"),
    ("PATCH", "/v1/channels/{id}", "channel set"),
    ("DELETE", "/v1/channels/{id}", "channel delete"),
    ("GET", "/v1/channels/{id}/deliveries", "channel deliveries"),
    ("POST", "/v1/channels/{id}:test", "channel test"),
    ("POST", "/v1/channels/{id}:resend", "channel resend"),
    ("GET", "/v1/acknowledgements", "warning list"),
    ("POST", "/v1/acknowledgements", "warning acknowledge"),
    ("DELETE", "/v1/acknowledgements/{id}", "warning recall"),
    ("GET", "/v1/clock", "clock show"),
    ("POST", "/v1/clock:advance", "clock advance"),
];

/// Every route that `/openapi.json` describes.
fn described() -> BTreeSet<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("perennial.db");
    drop(Store::open(&db).unwrap());
    let (limits, webhooks) = (Limits::DEFAULT, Webhooks::DEFAULT);
    let connections = Connections::DEFAULT;
    let setup = Setup { db, providers: plugins::bundled(), limits, webhooks, connections, secret_box: None };
    let client = Client::of_database(Local::new(setup), LastWrite::default()).unwrap();
    let api = client.send(&Request::new("GET", "/openapi.json", &[])).unwrap().json().unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        let methods =
            ["get", "put", "post", "patch", "delete"].into_iter().filter(|method| !item[method].is_null());
        routes.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    routes
}

#[test]
fn every_route_of_the_api_has_its_command_or_a_reason() {
    let listed = ROUTES.map(|(method, path, _)| (method.to_owned(), path.to_owned()));
    assert_eq!(described(), BTreeSet::from(listed));
}

#[test]
fn every_command_of_a_route_is_there_and_asks_it() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli"));
    for (_, path, command) in ROUTES.iter().filter(|(.., command)| !command.starts_with('-')) {
        let whole = Arguments::command();
        let mut found = &whole;
        for word in command.split(' ') {
            found = found.find_subcommand(word).unwrap_or_else(|| panic!("there is no `{command}`"));
        }
        let has_target =
            |command: &clap::Command| command.get_arguments().any(|argument| argument.get_id() == "server");
        let parent = command.split(' ').next().unwrap();
        assert!(
            has_target(found) || has_target(whole.find_subcommand(parent).unwrap()),
            "{command}: no --server"
        );
        assert!(sources.contains(&format!("\"{path}\"")), "no command asks `{path}`");
    }
}

/// The text of every file of commands but this one.
fn sources(folder: &Path) -> String {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => sources(&path),
        false if path.ends_with("cli/routes.rs") => String::new(),
        false => std::fs::read_to_string(path).unwrap(),
    };
    paths.map(text).collect()
}
