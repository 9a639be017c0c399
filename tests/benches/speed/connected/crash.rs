//! A process that is killed with ten thousand calls under way, and how soon the next one calls again.
//!
//! This program starts itself twice: the first process writes the calls down as sent and is killed, the second one serves the
//! same database. The time counts from the start of the second process to its first call.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::SendingLimits;
use perennial_domain::connected::read_back::OrderView;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::connected::Cloud;
use perennial_engine::connected::Interruption;
use perennial_engine::connected::ReadFailure;
use perennial_engine::connected::Response;
use perennial_engine::connected::run;
use perennial_engine::connected::run::Progress;
use perennial_service::connections::dispatcher::CallDispatcher;
use perennial_service::limits::Limits;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_store::Store;
use perennial_test_support::plugins;
use serde_json::json;

use crate::connected::NOW;
use crate::connected::OPEN;
use crate::connected::broker;
use crate::connected::instant_cloud::InstantCloud;
use crate::connected::sync;
use crate::figures;

/// Set in the processes that this program starts: what to do, and with which database.
const CRASH: &str = "SPEED_CRASH";
/// Calls under way.
const UNDER_WAY: u32 = 10_000;
/// What the first call is to come within, after the process was started.
const REACH: Duration = Duration::from_secs(2);
/// What a child writes once it may be killed.
const READY: &str = "ready";

/// Whether this process is one of the two.
pub fn is_child() -> bool {
    std::env::var_os(CRASH).is_some()
}

/// Does what the process was started for.
pub fn child() -> anyhow::Result<()> {
    let task = std::env::var(CRASH)?;
    match task.split_once(' ') {
        Some(("send", path)) => send(Path::new(path)),
        Some(("serve", path)) => serve(Path::new(path)),
        _ => anyhow::bail!("{CRASH} is `{task}`"),
    }
}

/// Measures it, and prints it.
#[expect(clippy::disallowed_methods, reason = "a benchmark waits for the host that it measures")]
pub fn measure() -> anyhow::Result<()> {
    figures::title("After a crash", &format!("{UNDER_WAY} calls under way at SIGKILL; once"));
    let cloud = InstantCloud::start(UNDER_WAY, NOW);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("crash.db");
    let broker = broker(&cloud.endpoint());
    sync(&broker);
    let drive = broker.post_to_admin("/v1/connections/acme:drive", &json!({ "driver": "host" }));
    assert_eq!(drive.status, 200, "{}", drive.body);
    let job = json!({ "command": { "renew": {} }, "filter": { "account": "acme" } });
    let made = broker.post_to_admin("/v1/jobs", &job).json();
    let job = format!("/v1/jobs/{}", made["id"].as_str().unwrap_or_default());
    while broker.ask_admin("GET", &job, "").json()["state"] != "done" {
        std::thread::sleep(Duration::from_millis(50));
    }
    let files = broker.files();
    drop(broker);
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name.replace("test.db", "crash.db")), bytes)?;
    }
    let mut sending = start("send", &path)?;
    wait_until_ready(&mut sending)?;
    sending.kill()?;
    sending.wait()?;
    cloud.forget_first_call();
    let started = Instant::now();
    let mut serving = start("serve", &path)?;
    let taken = cloud.first_call() - started;
    serving.kill()?;
    serving.wait()?;
    figures::row("the first call after a restart", taken, "what it is to take at most", REACH, Some(1.0));
    Ok(())
}

fn start(task: &str, path: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe()?;
    let task = format!("{task} {}", path.display());
    Ok(Command::new(program).env(CRASH, task).stdout(Stdio::piped()).spawn()?)
}

fn wait_until_ready(child: &mut Child) -> anyhow::Result<()> {
    let stdout = child.stdout.take().ok_or_else(|| anyhow::anyhow!("a child without output"))?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    anyhow::ensure!(line.trim() == READY, "a child said `{line}`");
    Ok(())
}

/// A cloud that shows every resource as it was, and never answers a call: whoever calls is killed meanwhile.
struct Silence;

impl Cloud for Silence {
    fn read(
        &mut self,
        _account: &str,
        records: &[CallRecord],
        at: Timestamp,
    ) -> Result<Vec<ReadBack>, ReadFailure> {
        let read = |record: &CallRecord| ReadBack {
            at,
            expiries: record.extensions.iter().map(|one| Some(one.expires_before)).collect(),
            on_expiry: Vec::new(),
            orders: OrderView::Absent,
        };
        Ok(records.iter().map(read).collect())
    }

    fn change(
        &mut self,
        _account: &str,
        _records: &[CallRecord],
        _at: Timestamp,
    ) -> Result<Vec<Response>, Interruption> {
        Err(Interruption)
    }
}

/// Writes every call down as sent, and waits to be killed.
fn send(path: &Path) -> anyhow::Result<()> {
    let mut engine = Engine::new(Store::open(path)?, plugins::bundled(), Retention::Everything);
    let limits = SendingLimits { calls_per_minute: 60_000_000, burst: 1_000_000, ..SendingLimits::DEFAULT };
    let mut dispatcher = Dispatcher::new(limits);
    let now = NOW.parse::<Timestamp>()?;
    while matches!(
        run::step(&mut engine, &mut dispatcher, &mut Silence, now, Schedule::DEFAULT)?,
        Progress::Worked | Progress::Stopped
    ) {}
    println!("{READY}");
    loop {
        std::thread::park();
    }
}

/// Serves the database as a host does, until it is killed.
fn serve(path: &Path) -> anyhow::Result<()> {
    // What was sent is in doubt, and is asked about after some seconds.
    let now = NOW.parse::<Timestamp>()? + 60;
    let (service, writer) =
        Service::start(Store::open(path)?, path, plugins::bundled(), Some(now), Limits::DEFAULT)?;
    service.set_secret_box(SecretBox::new(&[7; 32]));
    service.configure_connections(OPEN)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let moving = service.clone();
    runtime.spawn(async move {
        // The first readings are due five seconds after the doubt.
        drop(moving.writer().call(move |writer| writer.advance(now + 10)).await);
    });
    runtime.block_on(CallDispatcher::new(&service).run());
    drop(writer.join());
    Ok(())
}
