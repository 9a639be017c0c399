//! A plugin that misbehaves: the attribute `does` of a bundle's primary selects how.
//!
//! Knows every misbehaviour that the tests of the sandbox try: about one bundle, and in the lists of a whole answer. A
//! bundle without the attribute gets a correct result, so that a test sees which bundles another one affects.
#![cfg(target_family = "wasm")]

use plugin_sdk::Action;
use plugin_sdk::Alert;
use plugin_sdk::Allocation;
use plugin_sdk::Attributes;
use plugin_sdk::Consumption;
use plugin_sdk::Kind;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::Package;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::PolicyRefusal;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Rules;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Timestamp;
use plugin_sdk::commands;
use plugin_sdk::exports::perennial::provider::types::Accounts;
use plugin_sdk::exports::perennial::provider::types::Bundles;
use plugin_sdk::exports::perennial::provider::types::Pair;
use plugin_sdk::lifecycle;
use plugin_sdk::profile;
use plugin_sdk::settings::get;
use plugin_sdk::usage;

/// A kind of which the first of a call is released later, the more there are in the call.
const MOOD: &str = "mood";

fn kind(name: &str, label: &str) -> Kind {
    let attaches_to = vec![name.to_owned()];
    Kind { name: name.to_owned(), label: label.to_owned(), attaches_to, terms: Vec::new(), package: false }
}

struct Hostile;

plugin_sdk::export_provider!(Hostile with_types_in plugin_sdk);

impl profile::Guest for Hostile {
    fn describe() -> Manifest {
        let refusal = |code: &str| Refusal { code: code.to_owned(), message: "no".to_owned() };
        Manifest {
            id: "hostile".to_owned(),
            name: "Hostile".to_owned(),
            kinds: vec![kind("thing", "A thing"), kind(MOOD, "What is answered by the company it is in")],
            settings: Vec::new(),
            notices: Vec::new(),
            reads: vec!["does".to_owned(), "region".to_owned()],
            utc_offset_minutes: 0,
            insufficient_balance: refusal("Poor"),
            unknown_resource: refusal("Unknown"),
            unknown_resource_of: Vec::new(),
            policy_denied: PolicyRefusal { refusal: refusal("denied"), code_setting: None },
            policy_deferred: PolicyRefusal { refusal: refusal("later"), code_setting: None },
            idempotency: None,
        }
    }

    fn check_settings(settings: Attributes) -> Vec<String> {
        match get(&settings, "does").unwrap_or_default() {
            "lists" => vec![String::new(); 100_000],
            does => {
                misbehave(does);
                settings.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
            }
        }
    }
}

impl lifecycle::Guest for Hostile {
    /// The timelines of [`Bundlewise`], unless a word of the call selects lists that do not belong together.
    fn timeline(
        words: Vec<String>,
        accounts: Accounts,
        bundles: Bundles,
        requests: Vec<lifecycle::TimelineRequest>,
    ) -> lifecycle::Timelines {
        let does = |what: &str| words.iter().any(|word| word == what);
        let (few, many, uneven, repeats) = (does("few"), does("many"), does("uneven"), does("repeat"));
        let last = requests.last().map_or(0, |request| request.after + 1);
        let company = if does(MOOD) { requests.len() as Timestamp } else { 0 };
        let mut answer = <Bundlewise as lifecycle::Guest>::timeline(words, accounts, bundles, requests);
        let set = |word| lifecycle::Occurrence {
            at: last,
            member: 0,
            action: lifecycle::Action::SetAttribute(Pair { name: word, value: word }),
        };
        if few {
            answer.counts.pop();
        }
        if many {
            answer.counts.push(0);
        }
        if uneven {
            answer.counts[0] += 1;
        }
        for occurrence in &mut answer.occurrences {
            if let lifecycle::Action::SetAttribute(pair) = &mut occurrence.action
                && answer.words[pair.name as usize] == "wordless"
            {
                pair.value = u32::MAX;
            }
        }
        if let (Some(occurrence), true) = (answer.occurrences.first_mut(), company > 0) {
            occurrence.at += company;
        }
        if repeats {
            answer.words = vec!["x".repeat(100_000)];
            answer.counts[0] += 1_000;
            answer.occurrences.splice(0..0, (0..1_000).map(|_| set(0)));
        }
        answer
    }
}

/// What the plugin does wrong about one bundle at a time.
struct Bundlewise;

impl Rules for Bundlewise {
    type Settings = ();

    fn settings(_: &[(String, String)]) {}

    fn timeline((): &(), after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
        occurrences(after, bundle)
    }

    fn plan((): &(), request: &PlanRequest) -> Result<Plan, Refusal> {
        plan(request)
    }

    fn allocate((): &(), consumption: &Consumption) -> Vec<Allocation> {
        allocations(consumption)
    }
}

/// The timeline of a bundle: each member is released when it expires, unless `does` selects another result.
fn occurrences(after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    let release =
        |at: Timestamp, member: u32| Occurrence { at, member, action: Action::Enter(Stage::Released) };
    let attempt = |at: Timestamp, member: u32| Occurrence { at, member, action: Action::TryRenewal };
    let honest = || {
        let members = (0..).zip(bundle);
        members.filter_map(|(place, member)| Some(release(member.expires_at?, place))).collect()
    };
    match does(bundle) {
        "string" => {
            let name = "x".repeat(2 << 20);
            vec![Occurrence { at: after + 1, member: 0, action: Action::SetAttribute((name, String::new())) }]
        }
        "lists" => vec![attempt(after + 1, 0); 50_000],
        "endless" => (1..=600).map(|second| attempt(after + second, 0)).collect(),
        "unending" => vec![attempt(after + 1, 0)],
        "past" => vec![release(after, 0)],
        "disorder" => vec![attempt(after + 2, 0), release(after + 1, 0)],
        "outside" => vec![release(after + 1, 7)],
        "back" => [Stage::Grace, Stage::Active, Stage::Grace, Stage::Active]
            .into_iter()
            .zip(after + 1..)
            .map(|(stage, at)| Occurrence { at, member: 0, action: Action::Enter(stage) })
            .collect(),
        "wordless" => {
            let action = Action::SetAttribute(("wordless".to_owned(), String::new()));
            vec![Occurrence { at: after + 1, member: 0, action }]
        }
        "notice" => vec![Occurrence { at: after + 1, member: 0, action: Action::Notice(3) }],
        "echo" => {
            let member = &bundle[0];
            let names = member.attributes.iter().map(|(name, value)| format!("{name}={value}"));
            let told = [format!("id={}", member.id), format!("kind={}", member.kind)];
            let echoed = told.into_iter().chain(names).collect::<Vec<_>>().join(" ");
            let action = Action::SetAttribute(("told".to_owned(), echoed));
            let mut answer = vec![Occurrence { at: after + 1, member: 0, action }];
            answer.extend::<Vec<_>>(honest());
            answer
        }
        does => {
            misbehave(does);
            honest()
        }
    }
}

impl commands::Guest for Hostile {
    /// The plans of [`Bundlewise`], unless a word of the call selects lists that do not belong together.
    fn make_plans(
        words: Vec<String>,
        accounts: Accounts,
        bundles: Bundles,
        requests: Vec<commands::PlanRequest>,
        orders: Vec<Order>,
    ) -> commands::Plans {
        let does = |what: &str| words.iter().any(|word| word == what);
        let (few, uneven, spare) = (does("few"), does("uneven"), does("spare"));
        let mut answer =
            <Bundlewise as commands::Guest>::make_plans(words, accounts, bundles, requests, orders);
        let nothing = commands::Refusal { code: u32::MAX, message: u32::MAX };
        if few {
            answer.answers.pop();
        }
        if uneven && let Some(Ok(plan)) = answer.answers.first_mut() {
            plan.steps += 1;
        }
        for refusal in answer.answers.iter_mut().filter_map(|one| one.as_mut().err()) {
            if answer.words[refusal.code as usize] == "wordless" {
                refusal.message = u32::MAX;
            }
        }
        if spare {
            answer.skipped.push(commands::SkippedMember { member: 0, reason: nothing });
        }
        answer
    }
}

/// The plan of a command: empty, unless `does` selects another result.
fn plan(request: &PlanRequest) -> Result<Plan, Refusal> {
    let step = |member, operation| Step { member, operation };
    let extend = |expires_at, count| {
        let term = plugin_sdk::Term { count, unit: plugin_sdk::TermUnit::Month };
        let extension = commands::Extension { expires_at, term, extra_days: 0, anchor_day: None };
        step(0, Operation::Extend(extension))
    };
    let steps = match does(&request.bundle) {
        "past" => vec![extend(request.at, 1)],
        "no-time" => vec![extend(request.at + (1 << 40), 0)],
        "outside" => vec![step(7, Operation::SetOnExpiry(OnExpiry::Lapse))],
        "refusal" => return Err(Refusal { code: "No".to_owned(), message: "not this one".to_owned() }),
        "wordless" => return Err(Refusal { code: "wordless".to_owned(), message: String::new() }),
        does => {
            misbehave(does);
            Vec::new()
        }
    };
    Ok(Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None })
}

impl usage::Guest for Hostile {
    /// The allocations of [`Bundlewise`], unless a word of the call selects lists that do not belong together.
    fn allocate(
        words: Vec<String>,
        accounts: Accounts,
        consumptions: Vec<usage::Consumption>,
        packages: Vec<Package>,
    ) -> usage::Allocations {
        let does = |what: &str| words.iter().any(|word| word == what);
        let (few, uneven) = (does("few"), does("uneven"));
        let mut answer = <Bundlewise as usage::Guest>::allocate(words, accounts, consumptions, packages);
        if few {
            answer.counts.pop();
        }
        if uneven {
            answer.counts[0] += 1;
        }
        answer
    }
}

/// The allocation of a consumption: all of it to the first package, unless the type of resource selects another result.
fn allocations(consumption: &Consumption) -> Vec<Allocation> {
    let allocation = |package, amount| Allocation { package, amount, alert: Alert::None };
    match &*consumption.resource_type {
        "greedy" => vec![allocation(0, i64::MAX)],
        "outside" => vec![allocation(7, consumption.amount)],
        does => {
            misbehave(does);
            vec![allocation(0, consumption.amount)]
        }
    }
}

fn does(bundle: &[Resource]) -> &str {
    bundle.first().and_then(|primary| get(&primary.attributes, "does")).unwrap_or_default()
}

/// The misbehaviours that are possible for any request.
fn misbehave(does: &str) {
    match does {
        "loop" => endless_loop(),
        "memory" => hoard(),
        "stack" => {
            std::hint::black_box(descend(0));
        }
        "trap" => panic!("as asked"),
        _ => {}
    }
}

fn endless_loop() {
    let mut turns = 0_u64;
    while std::hint::black_box(turns) < u64::MAX {
        turns += 1;
    }
}

fn hoard() {
    let mut hoard = Vec::new();
    loop {
        // Not written to: that would use up the fuel first.
        hoard.push(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

fn descend(depth: u64) -> u64 {
    let deeper = std::hint::black_box(depth) + 1;
    if deeper == u64::MAX { deeper } else { descend(deeper) + std::hint::black_box(1) }
}
