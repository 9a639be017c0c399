//! `perennial run`: the clock on real time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use anyhow::Context as _;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use crate::cli::Context;
use crate::cli::disk_space;
use crate::cli::input;
use crate::cli::start;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::rules::Providers;
use perennial_engine::start::check_clock;
use perennial_service::event_log;
use perennial_store::Store;
use perennial_store::clock as store_clock;
use perennial_store::clock::ClockKind;
use perennial_store::clock::ClockState;

/// Runs the clock on real time until it is told to stop by SIGTERM or Ctrl-C. Nothing is lost, however it ends.
///
/// What happens is written to the log. Only one process at a time can do this on one database.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial run
  RUST_LOG=warn perennial --db broker.db run")]
pub(super) struct Arguments {
    /// The most bundles in one transaction.
    #[arg(long, value_name = "BUNDLES", default_value_t = 8192, value_parser = input::whole::<u32>(1..))]
    batch: u32,
    #[command(flatten)]
    start: start::Arguments,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    // First of all, so that being told to stop while it starts is no failure either.
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = stop_on_signals(stopped.clone()).context("cannot listen for signals")?;
    let mut loaded = None;
    let begin = || begin(context, arguments, &mut loaded, &stopped);
    let Some(mut engine) = disk_space::wait(&stop, disk_space::PATIENCE, begin)? else { return Ok(()) };
    start::say_trust(&context.config()?.trust);
    tracing::info!(db = %context.db.display(), "the clock runs");
    clock::run(&mut engine, &stop, &mut event_log::write)?;
    say_stopped("the clock stopped", store_clock::state(engine.db())?);
    Ok(())
}

/// Opens the database and makes an engine of it that can tick. The plugins are loaded once, into `loaded`.
fn begin(
    context: &Context,
    arguments: &Arguments,
    loaded: &mut Option<Providers>,
    stopped: &Arc<AtomicBool>,
) -> anyhow::Result<Engine> {
    let store = Store::open_existing(&context.db)?;
    let providers = match loaded {
        Some(providers) => providers,
        None => loaded.insert(context.providers_with_policies()?),
    };
    let config = context.config()?;
    let allows_missing = config.allow_missing_plugins;
    arguments.start.check_plugins(store.db(), providers, allows_missing)?;
    check_clock(store.db(), ClockKind::Real, clock::now())?;
    store.say_host();
    let mut engine = Engine::new(store, providers.clone(), Retention::Everything)
        .with_batch_size(arguments.batch)
        .with_decision_days(config.limits.decision_days)
        .with_client_tokens_max(config.limits.client_tokens_per_account_max)
        .with_wakes_per_hour_max(config.limits.wakes_per_hour_max)
        .with_failure_limits(config.limits.failure_limits())
        .with_stop_flag(Arc::clone(stopped));
    engine.notice_set_back(clock::now())?;
    engine.bind_loaded(clock::now())?;
    Ok(engine)
}

/// Sets `stopped` and sends a message to the receiver at SIGTERM or SIGINT.
pub(super) fn stop_on_signals(stopped: Arc<AtomicBool>) -> std::io::Result<mpsc::Receiver<()>> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            stopped.store(true, Ordering::Relaxed);
            if sender.send(()).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}

/// Says where the clock of a database stands when nobody moves it any more.
pub(super) fn say_stopped(what: &str, clock: ClockState) {
    match clock {
        ClockState { ticked_at: Some(ticked_at), kind: Some(ClockKind::Virtual) } => {
            let stands_at = ticked_at + 1;
            tracing::info!(%stands_at, "{what}; nothing was left half done, and its clock goes on from where it stands");
        }
        ClockState { .. } => tracing::info!("{what}; nothing was left half done"),
    }
}
