//! A forecast of twelve months through the admin API: how long it takes, and how much memory the server takes for it.

use perennial_service::limits::Limits;

use crate::arguments::Arguments;
use crate::figures;
use crate::figures::Reach;
use crate::server;
use crate::server::Server;
use crate::simulation;

/// Prints what a forecast takes, beside how long one may take when nobody says.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let bundles = arguments.resources.div_ceil(3);
    let inventory = simulation::inventory(bundles);
    let db = server::database(folder.path(), &inventory)?;
    drop(inventory);
    let server = Server::start(folder.path(), &db, &[("PERENNIAL_LIMITS_FORECAST_SECONDS", "3600")])?;
    server.settle()?;
    let before = server.peak_kib();
    let (time, answer) = figures::time(|| server.send("GET", "/v1/forecast?months=12", ""));
    let length = answer?.len();
    let how = format!("12 months over {} resources of both providers in bundles of three, once", bundles * 3);
    figures::title("A forecast through the admin API", &how);
    let limit = Limits::DEFAULT.forecast_seconds;
    let ratio = time.as_secs_f64() / limit.as_secs_f64();
    figures::cells(
        "GET /v1/forecast?months=12",
        &figures::duration(time),
        "how long it may take when nobody says",
        &figures::duration(limit),
        ratio,
        Some(Reach::AtMost(1.0)),
    );
    let after = server.peak_kib();
    let mebibytes = |kib: u64| format!("{} MiB", kib >> 10);
    let grown = after as f64 / before.max(1) as f64;
    figures::cells("peak memory of the server", &mebibytes(after), "before", &mebibytes(before), grown, None);
    println!("  the answer has {} KiB", length >> 10);
    Ok(())
}
