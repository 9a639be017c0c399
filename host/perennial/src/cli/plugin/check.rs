//! `perennial plugin check`: what a plugin answers to many questions, held against the contract.
//!
//! The sandbox checks each answer alone; this adds what takes several: that the same question has the same answer, asked
//! again, alone, among others and in another order. Knows no rule of any provider.

use std::fmt;
use std::io::Write;

use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::TimelineRequest;
use perennial_sandbox::samples;

use crate::cli::output::Output;
use crate::report::text::printable;

/// The most examples of one problem that are shown.
const EXAMPLES_MAX: usize = 5;
/// The most questions that are also asked alone.
const ALONE_MAX: usize = 200;

/// What is against the contract: exit code 1.
#[derive(Debug, thiserror::Error)]
struct FailedChecks(usize);

impl fmt::Display for FailedChecks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { " is" } else { "s are" };
        write!(out, "{} check{plural} not met; a host would refuse these answers", self.0)
    }
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    /// What was found, when all is well.
    summary: String,
    problems: Vec<String>,
}

/// A plugin that is being looked at.
struct Examination<'p> {
    plugin: &'p Plugin,
    account: perennial_domain::account::Account,
    bundles: Vec<Bundle>,
    /// The largest share of a call's fuel, in millionths, and what took it.
    most_fuel: (u64, String),
}

/// Says what a plugin's answers are like. Loading it has checked its exports, imports, types and manifest.
pub(super) fn check(plugin: &Plugin) -> anyhow::Result<()> {
    let manifest = plugin.manifest();
    let account = samples::account(manifest);
    let bundles = samples::bundles(manifest);
    let mut examination = Examination { plugin, account, bundles, most_fuel: (0, "nothing".to_owned()) };
    let findings = [
        contract(plugin),
        examination.timelines(),
        examination.commands(),
        settings(plugin),
        examination.limits(),
    ];
    let mut out = Output::standard();
    writeln!(out, "{}  {}, {}", manifest.id, printable(&manifest.name), plugin.digest())?;
    for finding in &findings {
        let state = if finding.problems.is_empty() { "ok    " } else { "FAILED" };
        writeln!(out, "{:<10} {state}  {}", finding.what, finding.summary)?;
        for problem in finding.problems.iter().take(EXAMPLES_MAX) {
            writeln!(out, "             {}", printable(problem))?;
        }
        if let Some(more @ 1..) = finding.problems.len().checked_sub(EXAMPLES_MAX) {
            writeln!(out, "             and {more} more")?;
        }
    }
    out.finish()?;
    match findings.iter().filter(|finding| !finding.problems.is_empty()).count() {
        0 => Ok(()),
        failed => Err(FailedChecks(failed).into()),
    }
}

fn contract(plugin: &Plugin) -> Finding {
    let interfaces = plugin.interfaces();
    let kind = if plugin.is_table() { "a table" } else { "a component" };
    let imports = match interfaces.imports.is_empty() {
        true => "imports nothing",
        false => "imports WASI, which has no effect here,",
    };
    let api = if plugin.provider_api().is_some() { ", with its provider's own API" } else { "" };
    let granted = plugin.parts().granted;
    let granted = match granted.is_none() {
        true => String::new(),
        false => format!("; an operator has to grant it {granted}"),
    };
    let summary = format!("{kind} that {imports} and exports the contract{api}{granted}");
    Finding { what: "contract", summary, problems: Vec::new() }
}

fn settings(plugin: &Plugin) -> Finding {
    let manifest = plugin.manifest();
    let defaults = manifest.settings.iter();
    let defaults =
        defaults.filter_map(|setting| Some((setting.name.clone(), setting.default.clone()?))).collect();
    let unknown = std::collections::BTreeMap::from([("no-such-setting".to_owned(), "1".to_owned())]);
    let mut problems = Vec::new();
    match plugin.check_settings(&defaults) {
        Ok(found) => {
            problems.extend(found.into_iter().map(|problem| format!("a default is wrong: {problem}")))
        }
        Err(error) => problems.push(error.to_string()),
    }
    match plugin.check_settings(&unknown) {
        Ok(found) if found.is_empty() => problems.push("a setting that there is not is accepted".to_owned()),
        Ok(_) => {}
        Err(error) => problems.push(error.to_string()),
    }
    let summary = format!("{} settings with valid defaults, and no others", manifest.settings.len());
    Finding { what: "settings", summary, problems }
}

impl Examination<'_> {
    fn timelines(&mut self) -> Finding {
        let account = AccountIndex::new(0);
        let instants = samples::instants();
        let requests = self.bundles.iter().flat_map(|bundle| {
            instants.into_iter().map(move |after| TimelineRequest { after, account, bundle })
        });
        let requests = requests.collect::<Vec<_>>();
        let accounts = [&self.account];
        let ask = |requests: &[TimelineRequest<'_>]| self.plugin.timelines(&accounts, requests);
        let question = |request: &TimelineRequest<'_>| {
            format!("the timeline of {} after {}", bundle_text(request.bundle), request.after)
        };
        let (problems, fuel) =
            examine(self.plugin, &requests, &ask, &question, |request| request.bundle.members.len());
        self.most_fuel = fuel;
        let summary = format!(
            "{} timelines of {} bundles: in order, to the end of each member, the same however they are asked",
            requests.len(),
            self.bundles.len()
        );
        Finding { what: "timelines", summary, problems }
    }

    fn commands(&mut self) -> Finding {
        let commands = samples::commands();
        let orders = self.bundles.iter().map(openings).collect::<Vec<_>>();
        let mut requests = Vec::new();
        for (bundle, orders) in self.bundles.iter().zip(&orders) {
            for command in &commands {
                let instants = samples::command_instants().filter(|at| samples::is_up_to_date(bundle, *at));
                requests.extend(instants.map(|at| request(at, command, bundle, orders)));
            }
        }
        let accounts = [&self.account];
        let ask = |requests: &[PlanRequest<'_>]| {
            let answers = self.plugin.make_plans(&accounts, requests).into_iter();
            answers.map(|answer| answer.map(|answer| answer.plan)).collect::<Vec<_>>()
        };
        let question = |request: &PlanRequest<'_>| {
            format!("`{}` on {} at {}", request.command.name(), bundle_text(request.bundle), request.at)
        };
        let size = |request: &PlanRequest<'_>| request.bundle.members.len() + request.orders.len();
        let (problems, fuel) = examine(self.plugin, &requests, &ask, &question, size);
        if fuel.0 > self.most_fuel.0 {
            self.most_fuel = fuel;
        }
        let refused = ask(&requests).into_iter().filter(|answer| matches!(answer, Ok(Err(_)))).count();
        let summary = format!(
            "{} commands in every stage: {} plans and {refused} refusals, the same however they are asked",
            requests.len(),
            requests.len() - refused - problems.len().min(requests.len() - refused)
        );
        Finding { what: "commands", summary, problems }
    }

    fn limits(&self) -> Finding {
        let (share, what) = &self.most_fuel;
        let percent = |millionths: u64| format!("{}.{:02} %", millionths / 10_000, millionths / 100 % 100);
        let size = self.plugin.parts().size_bytes() as u64 * 1_000_000
            / self.plugin.limits().component_max_bytes as u64;
        let summary = format!(
            "at most {} of a call's fuel, for {what}; {} of a file's size",
            percent(*share),
            percent(size)
        );
        Finding { what: "limits", summary, problems: Vec::new() }
    }
}

/// Asks a plugin some questions; an answer or an error each.
type Ask<'a, Q, A, E> = dyn Fn(&[Q]) -> Vec<Result<A, E>> + 'a;

/// Asks everything together, again, in another order and, the first ones, alone. Returns the problems, and the largest share
/// of a call's fuel with the question that took it.
fn examine<Q: Copy, A: PartialEq, E: fmt::Display + PartialEq>(
    plugin: &Plugin,
    requests: &[Q],
    ask: &Ask<'_, Q, A, E>,
    question: &dyn Fn(&Q) -> String,
    size: impl Fn(&Q) -> usize,
) -> (Vec<String>, (u64, String)) {
    let mut problems = Vec::new();
    let together = ask(requests);
    for (request, answer) in requests.iter().zip(&together) {
        if let Err(error) = answer {
            problems.push(format!("{}: {error}", question(request)));
        }
    }
    let mut differs = |place: usize, how: &str| {
        problems.push(format!("{} has another answer {how}", question(&requests[place])));
    };
    for (place, (one, other)) in together.iter().zip(&ask(requests)).enumerate() {
        if one != other {
            differs(place, "when it is asked again");
        }
    }
    let backwards = requests.iter().rev().copied().collect::<Vec<_>>();
    for (place, (one, other)) in together.iter().zip(ask(&backwards).iter().rev()).enumerate() {
        if one != other {
            differs(place, "in another order");
        }
    }
    let step = requests.len().div_ceil(ALONE_MAX).max(1);
    let mut most = (0, "nothing".to_owned());
    for place in (0..requests.len()).step_by(step) {
        let before = plugin.fuel_used();
        let alone = ask(&requests[place..=place]);
        let fuel = plugin.fuel_used() - before;
        let limits = plugin.limits();
        let limit = limits.fuel + limits.fuel_per_item * size(&requests[place]) as u64;
        let share = fuel.saturating_mul(1_000_000) / limit;
        if share > most.0 {
            most = (share, question(&requests[place]));
        }
        if alone.first() != together.get(place) {
            differs(place, "when it is asked alone");
        }
    }
    (problems, most)
}

fn request<'a>(
    at: Timestamp,
    command: &'a Command,
    bundle: &'a Bundle,
    orders: &'a [Order],
) -> PlanRequest<'a> {
    let member = MemberIndex::new(bundle.members.len() - 1);
    let orders = match command {
        Command::Unsubscribe(_) | Command::Change(_) | Command::ConvertNow => orders,
        Command::Renew(_)
        | Command::SetAutoRenew(_)
        | Command::CancelAutoRenew
        | Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::BuyAgain(_)
        | Command::Subscribe(_)
        | Command::PayOrder(_)
        | Command::CancelOrder(_) => &[],
    };
    PlanRequest { at, account: AccountIndex::new(0), command, member, bundle, orders }
}

fn openings(bundle: &Bundle) -> Vec<Order> {
    bundle.iter().filter_map(|(member, resource)| order::opening(resource, member, 0)).collect()
}

/// A sample in words, such as `an ebs in grace, lapse, attached to an ecs`.
fn bundle_text(bundle: &Bundle) -> String {
    let members = bundle.members.iter().rev().map(|member| {
        format!("{} ({}, on expiry {})", member.kind, member.stage.name(), member.on_expiry.name())
    });
    members.collect::<Vec<_>>().join(" attached to ")
}
