//! A plugin that asks its system for everything: the attribute `does` of a bundle's primary says what of it.
//!
//! What it hears is the value of an attribute that it sets, so that a test sees it.
#![cfg(target_family = "wasm")]

use plugin_sdk::Action;
use plugin_sdk::Allocation;
use plugin_sdk::Attributes;
use plugin_sdk::Consumption;
use plugin_sdk::Kind;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::PolicyRefusal;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Rules;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::profile;

mod bindings {
    #![allow(unsafe_code, clippy::all, missing_docs, reason = "generated from wasi.wit")]

    wit_bindgen::generate!({ path: "wasi.wit", world: "system", generate_all });
}

use bindings::wasi;

struct System;

plugin_sdk::export_provider!(System with_types_in plugin_sdk);

fn refusal(message: &str) -> Refusal {
    Refusal { code: "No".to_owned(), message: message.to_owned() }
}

impl profile::Guest for System {
    fn describe() -> Manifest {
        let policy = || PolicyRefusal { refusal: refusal("policy"), code_setting: None };
        Manifest {
            id: "system".to_owned(),
            name: "System".to_owned(),
            kinds: vec![Kind {
                name: "thing".to_owned(),
                label: "A thing".to_owned(),
                attaches_to: Vec::new(),
                terms: Vec::new(),
                package: false,
            }],
            settings: Vec::new(),
            notices: Vec::new(),
            reads: vec!["does".to_owned()],
            utc_offset_minutes: 0,
            insufficient_balance: refusal("poor"),
            unknown_resource: refusal("unknown"),
            unknown_resource_of: Vec::new(),
            policy_denied: policy(),
            policy_deferred: policy(),
            idempotency: None,
        }
    }

    fn check_settings(_: Attributes) -> Vec<String> {
        Vec::new()
    }
}

impl Rules for System {
    type Settings = ();

    fn settings(_: &[(String, String)]) {}

    fn timeline((): &(), after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
        let does = bundle[0].attributes.iter().find(|(name, _)| name == "does");
        let heard = ask(does.map_or("", |(_, does)| &does[..]));
        let set = Action::SetAttribute(("heard".to_owned(), heard));
        let end = bundle[0].expires_at.unwrap_or(after + 1);
        vec![
            Occurrence { at: after + 1, member: 0, action: set },
            Occurrence { at: end, member: 0, action: Action::Enter(Stage::Released) },
        ]
    }

    fn plan((): &(), _: &PlanRequest) -> Result<Plan, Refusal> {
        Err(refusal("nothing"))
    }

    fn allocate((): &(), _: &Consumption) -> Vec<Allocation> {
        Vec::new()
    }
}

/// Asks for one thing, and says what came.
fn ask(what: &str) -> String {
    match what {
        "time" => {
            let wall = wasi::clocks::wall_clock::now();
            let first = wasi::clocks::monotonic_clock::now();
            wasi::clocks::monotonic_clock::subscribe_duration(1_000_000_000).block();
            let waited = wasi::clocks::monotonic_clock::now() - first;
            format!("{}.{} {waited}", wall.seconds, wall.nanoseconds)
        }
        "random" => {
            let bytes = wasi::random::random::get_random_bytes(11);
            let seed = wasi::random::insecure_seed::insecure_seed();
            format!("{} {bytes:?} {seed:?}", wasi::random::random::get_random_u64())
        }
        "much" => wasi::random::random::get_random_bytes(1 << 40).len().to_string(),
        "environment" => {
            let environment = wasi::cli::environment::get_environment();
            let arguments = wasi::cli::environment::get_arguments();
            format!("{environment:?} {arguments:?} {:?}", wasi::cli::environment::initial_cwd())
        }
        "files" => wasi::filesystem::preopens::get_directories().len().to_string(),
        "read" => {
            let stdin = wasi::cli::stdin::get_stdin();
            let ready = wasi::io::poll::poll(&[&stdin.subscribe()]);
            let ended = matches!(stdin.blocking_read(10), Err(wasi::io::streams::StreamError::Closed));
            format!("{ready:?} {ended}")
        }
        "write" => {
            let stdout = wasi::cli::stdout::get_stdout();
            let room = stdout.check_write().unwrap_or_default();
            format!("{} {}", room > 0, stdout.blocking_write_and_flush(&[b'x'; 4_096]).is_ok())
        }
        "fail" => {
            let stderr = wasi::cli::stderr::get_stderr();
            let _ = stderr.blocking_write_and_flush(b"Traceback:\n  LuckError: out of luck\n");
            core::arch::wasm32::unreachable()
        }
        "connect" => format!("{:?}", wasi::sockets::instance_network::instance_network()),
        "exit" => {
            wasi::cli::exit::exit(Ok(()));
            "still here".to_owned()
        }
        _ => "nothing".to_owned(),
    }
}
