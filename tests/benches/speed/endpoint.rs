//! Signed renewals through the providers' own APIs under load from a second process: requests a second, against a bare
//! axum handler that checks the same HMAC and does the same SQLite writes.

use std::time::Duration;

use perennial_domain::bundle::OnExpiry;
use perennial_formats::inventory::ImportedBundle;
use perennial_formats::inventory::Inventory;
use perennial_http::bench;
use perennial_http::bench::SignedRequest;
use perennial_store::bench::renewal::Sample;
use perennial_store::bench::snapshot;

use crate::arguments::Arguments;
use crate::figures;
use crate::figures::Reach;
use crate::load;
use crate::load::Load;
use crate::load::Served;
use crate::server;
use crate::server::Server;
use crate::signing::Api;
use crate::signing::Key;
use crate::world;
use crate::world::Provider;

/// Bundles of three, in one account.
const BUNDLES: u32 = 100;
/// What the server is to reach of the handler's throughput.
const REACH: f64 = 0.4;

/// Prints the throughput and the 99th percentile of both, for each provider.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let how = format!(
        "signed renewals a second over {} connections from a second process, bundles of three; best of {} rounds of {} s",
        arguments.connections, arguments.rounds, arguments.seconds
    );
    figures::title("The providers' own APIs", &how);
    for (name, api, provider) in
        [("Huawei renew", Api::Huawei, world::HUAWEI), ("Baidu renew", Api::Baidu, world::BAIDU)]
    {
        provider_api(arguments, name, api, provider)?;
    }
    Ok(())
}

fn provider_api(arguments: &Arguments, name: &str, api: Api, provider: Provider) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let inventory = inventory(provider);
    let ids = inventory.bundles.iter().map(|imported| imported.bundle.members[0].id.clone());
    let ids = ids.collect::<Vec<_>>();
    let db = server::database(folder.path(), &inventory)?;
    let (access_key, secret) = server::key(folder.path(), &db, &inventory.accounts[0].id)?;
    let key = Key { api, access_key, secret };
    let (server, address) = Server::start_with(folder.path(), &db, provider.id)?;
    server.settle()?;
    let (before, copy) = (folder.path().join("before.db"), folder.path().join("bare.db"));
    snapshot(&db, &before)?;
    snapshot(&db, &copy)?;
    load::once(address, &key.renewal(&ids[0], 0))?;
    let sample = Sample::of(&db, &before, &ids[0])?;
    let rows = sample.rows();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let verifier = key.clone();
    let verify = move |request: &SignedRequest<'_>| {
        let line = (request.method, request.path, request.query);
        verifier.is_signed(line, request.authorization, request.number, request.body)
    };
    let name_resource = move |request: &SignedRequest<'_>| renewed(api, request);
    let bare = bench::serve_renewals(&runtime, &copy, sample, Box::new(verify), Box::new(name_resource))?;
    let ours = Load {
        address,
        method: String::new(),
        path: String::new(),
        ids,
        body: String::new(),
        token: String::new(),
        key: Some(key),
        first: 1,
        connections: arguments.connections,
        seconds: arguments.seconds,
    };
    let (mut own, mut other) = (None, None);
    for round in 0..arguments.rounds {
        let ours = Load { first: (u64::from(round) + 1) << 32, ..ours.clone() };
        let theirs = Load { address: bare, ..ours.clone() };
        own = Some(better(own, load::put(&ours)?));
        other = Some(better(other, load::put(&theirs)?));
    }
    if let (Some(own), Some(other)) = (own, other) {
        print(&format!("{name}, {rows} rows added"), own, other);
    }
    Ok(())
}

fn inventory(provider: Provider) -> Inventory {
    let expires_at = world::START + 20 * 86_400;
    let account = world::account_of(0);
    let bundle = |number| ImportedBundle {
        account: account.clone(),
        bundle: world::bundle(provider, number, 3, expires_at, OnExpiry::Lapse),
    };
    Inventory { accounts: world::accounts(1, |_| provider), bundles: (0..BUNDLES).map(bundle).collect() }
}

/// The id of the resource that a request renews.
fn renewed(api: Api, request: &SignedRequest<'_>) -> Option<String> {
    match api {
        Api::Huawei => {
            let body = serde_json::from_slice::<serde_json::Value>(request.body).ok()?;
            Some(body["resource_ids"][0].as_str()?.to_owned())
        }
        Api::Baidu => request.path.rsplit('/').next().map(str::to_owned),
    }
}

fn better(so_far: Option<Served>, other: Served) -> Served {
    so_far.filter(|so_far| so_far.per_second > other.per_second).unwrap_or(other)
}

fn print(name: &str, own: Served, other: Served) {
    let per_second = |served: Served| format!("{:.0} /s", served.per_second);
    let bare = "a bare handler, same HMAC and SQLite writes";
    let ratio = own.per_second / other.per_second;
    figures::cells(name, &per_second(own), bare, &per_second(other), ratio, Some(Reach::AtLeast(REACH)));
    let shown = |served: Served| figures::duration(Duration::from_secs_f64(served.p99));
    figures::cells("  99 of 100 take at most", &shown(own), "", &shown(other), own.p99 / other.p99, None);
}
