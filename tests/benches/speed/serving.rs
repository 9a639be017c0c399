//! The admin API under load from a second process: requests a second, against a bare axum handler that reads the same from
//! the same database.
//!
//! The server is the whole program, with its log in a file; the handler has a listener of its own. They take turns.

use perennial_http::bench;

use crate::arguments::Arguments;
use crate::figures;
use crate::figures::Reach;
use crate::load;
use crate::load::Load;
use crate::load::Served;
use crate::server;
use crate::server::Server;
use crate::simulation;

/// Bundles of three in the database.
const BUNDLES: u32 = 10_000;
/// Connections to the database on both sides, as many as the server has when nobody says.
const READERS: usize = 4;
/// What the server is to reach of the handler's throughput.
const REACH: f64 = 0.5;

/// What is asked: of the server, and of the handler.
struct Asked {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    bare: &'static str,
    body: &'static str,
}

const ASKED: [Asked; 2] = [
    Asked {
        name: "GET /v1/resources/{id}, with a token",
        method: "GET",
        path: "/v1/resources/{}",
        bare: "/v1/resources/{}",
        body: "",
    },
    Asked {
        name: "a dry run of :renew, with a token",
        method: "POST",
        path: "/v1/resources/{}:renew",
        bare: "/v1/plans/{}",
        body: r#"{"dry_run": true}"#,
    },
];

/// Prints the throughput and the 99th percentile of both, for each thing that is asked.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let inventory = simulation::inventory(BUNDLES);
    let primaries = inventory.bundles.iter().map(|imported| imported.bundle.members[0].id.clone());
    let ids = primaries.collect::<Vec<_>>();
    let db = server::database(folder.path(), &inventory)?;
    let server = Server::start(folder.path(), &db, &[])?;
    server.settle()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bare = bench::serve_reads(&runtime, &db, READERS)?;
    let how = format!(
        "requests a second over {} connections from a second process, {} resources; best of {} rounds of {} s",
        arguments.connections,
        BUNDLES * 3,
        arguments.rounds,
        arguments.seconds
    );
    figures::title("The admin API", &how);
    for asked in &ASKED {
        let ours = Load {
            address: server.address,
            method: asked.method.to_owned(),
            path: asked.path.to_owned(),
            ids: ids.clone(),
            body: asked.body.to_owned(),
            token: server.token.clone(),
            key: None,
            first: 0,
            connections: arguments.connections,
            seconds: arguments.seconds,
        };
        let theirs =
            Load { address: bare, path: asked.bare.to_owned(), token: String::new(), ..ours.clone() };
        let (mut own, mut other) = (load::put(&ours)?, load::put(&theirs)?);
        for _ in 1..arguments.rounds {
            own = better(own, load::put(&ours)?);
            other = better(other, load::put(&theirs)?);
        }
        print(asked.name, own, other);
    }
    Ok(())
}

fn better(one: Served, other: Served) -> Served {
    if other.per_second > one.per_second { other } else { one }
}

fn print(name: &str, own: Served, other: Served) {
    let per_second = |served: Served| format!("{:.0} /s", served.per_second);
    let ratio = own.per_second / other.per_second;
    let bare = "a bare handler with the same SQLite read";
    figures::cells(name, &per_second(own), bare, &per_second(other), ratio, Some(Reach::AtLeast(REACH)));
    for (share, of) in
        [("half take at most", own.half / other.half), ("99 of 100 take at most", own.p99 / other.p99)]
    {
        let took = |served: Served| if share.starts_with("half") { served.half } else { served.p99 };
        let shown = |served| figures::duration(std::time::Duration::from_secs_f64(took(served)));
        figures::cells(&format!("  {share}"), &shown(own), "", &shown(other), of, None);
    }
}
