//! `perennial plugin check`: what a plugin answers to many questions, held against the contract.
//!
//! The sandbox checks each answer alone; this adds what takes several: that the same question has the same answer, asked
//! again, alone, among others and in another order. Knows no rule of any provider.

mod outcomes;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use perennial_domain::answer_limits;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timeline;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::TimelineRequest;
use perennial_sandbox::samples;

use crate::cli::output::Output;
use crate::cli::plugin::limit_shares;
use crate::cli::plugin::limit_shares::Share;
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
    /// What else was found, a line each.
    details: Vec<String>,
    problems: Vec<String>,
}

/// A plugin that is being looked at.
struct Examination<'p> {
    plugin: &'p Plugin,
    account: perennial_domain::account::Account,
    bundles: Vec<Bundle>,
    /// The largest shares of limits that an answer took.
    shares: Vec<Share>,
}

/// Says what a plugin's answers are like. Loading it has checked its exports, imports, types and manifest.
pub(super) fn check(plugin: &Plugin) -> anyhow::Result<()> {
    let manifest = plugin.manifest();
    let account = samples::account(manifest);
    let bundles = samples::bundles(manifest);
    let mut examination = Examination { plugin, account, bundles, shares: Vec::new() };
    plugin.take_memory_peak_bytes();
    let (timelines, commands, uses) = (examination.timelines(), examination.commands(), examination.uses());
    let findings = [contract(plugin), timelines, commands, uses, settings(plugin), examination.limits()];
    let mut out = Output::standard();
    writeln!(out, "{}  {}, {}", manifest.id, printable(&manifest.name), plugin.digest())?;
    for finding in &findings {
        let state = if finding.problems.is_empty() { "ok    " } else { "FAILED" };
        writeln!(out, "{:<10} {state}  {}", finding.what, finding.summary)?;
        for detail in &finding.details {
            writeln!(out, "             {}", printable(detail))?;
        }
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
    Finding { what: "contract", summary, details: Vec::new(), problems: Vec::new() }
}

fn settings(plugin: &Plugin) -> Finding {
    let manifest = plugin.manifest();
    let defaults = manifest.settings.iter();
    let defaults =
        defaults.filter_map(|setting| Some((setting.name.clone(), setting.default.clone()?))).collect();
    let unknown = BTreeMap::from([("no-such-setting".to_owned(), "1".to_owned())]);
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
    Finding { what: "settings", summary, details: Vec::new(), problems }
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
        let occurrences = |request: &TimelineRequest<'_>, answer: &Vec<Occurrence>| {
            (answer.len(), request.bundle.members.len() * timeline::OCCURRENCES_PER_MEMBER_MAX)
        };
        let questions = Questions {
            requests: &requests,
            ask: &ask,
            name: &question,
            items: &|request| request.bundle.members.len(),
            answer: ("the occurrences that a timeline may have", &occurrences),
        };
        let (problems, shares) = questions.examine(self.plugin);
        self.shares.extend(shares);
        let summary = format!(
            "{} timelines of {} bundles: in order, to the end of each member, the same however they are asked",
            requests.len(),
            self.bundles.len()
        );
        Finding { what: "timelines", summary, details: Vec::new(), problems }
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
        let steps = |request: &PlanRequest<'_>, answer: &Result<Plan, Refusal>| {
            let steps = answer.as_ref().map_or(0, |plan| plan.steps.len());
            (steps, request.bundle.members.len() * answer_limits::STEPS_PER_MEMBER_MAX)
        };
        let questions = Questions {
            requests: &requests,
            ask: &ask,
            name: &question,
            items: &|request| request.bundle.members.len() + request.orders.len(),
            answer: ("the steps that a plan may have", &steps),
        };
        let (problems, shares) = questions.examine(self.plugin);
        self.shares.extend(shares);
        let answers = ask(&requests);
        let refused = answers.iter().filter(|answer| matches!(answer, Ok(Err(_)))).count();
        let asked = requests
            .iter()
            .map(|request| (request.command.name(), request.bundle.members[request.member.get()].stage));
        let details = outcomes::lines(asked.zip(&answers));
        let summary = format!(
            "{} commands in every stage: {} plans and {refused} refusals, the same however they are asked",
            requests.len(),
            answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count()
        );
        Finding { what: "commands", summary, details, problems }
    }

    fn uses(&mut self) -> Finding {
        let consumptions = samples::consumptions(self.plugin.manifest());
        let requests = consumptions.iter().map(|one| (AccountIndex::new(0), one)).collect::<Vec<_>>();
        let accounts = [&self.account];
        let ask = |requests: &[(AccountIndex, &Consumption)]| self.plugin.allocate(&accounts, requests);
        let question = |request: &(AccountIndex, &Consumption)| format!("a use of {}", request.1.amount);
        let named = |request: &(AccountIndex, &Consumption), answer: &Vec<Allocation>| {
            (answer.len(), request.1.packages.len())
        };
        let questions = Questions {
            requests: &requests,
            ask: &ask,
            name: &question,
            items: &|request| request.1.packages.len(),
            answer: ("the packages that a use may be taken of", &named),
        };
        let (problems, shares) = questions.examine(self.plugin);
        let summary = match consumptions.len() {
            0 => "it has no packages".to_owned(),
            count => format!("{count} uses of packages, the same however they are asked"),
        };
        if !consumptions.is_empty() {
            self.shares.extend(shares);
        }
        Finding { what: "uses", summary, details: Vec::new(), problems }
    }

    fn limits(self) -> Finding {
        let details = limit_shares::lines(self.plugin, self.shares);
        let summary = "the largest share that was used of each".to_owned();
        Finding { what: "limits", summary, details, problems: Vec::new() }
    }
}

/// Asks a plugin some questions; an answer or an error each.
type Ask<'a, Q, A, E> = dyn Fn(&[Q]) -> Vec<Result<A, E>> + 'a;
/// How much of a limit an answer has, and the limit.
type Usage<'a, Q, A> = dyn Fn(&Q, &A) -> (usize, usize) + 'a;

/// Questions that a plugin is asked more than once.
struct Questions<'a, Q, A, E> {
    requests: &'a [Q],
    ask: &'a Ask<'a, Q, A, E>,
    /// A question in words.
    name: &'a dyn Fn(&Q) -> String,
    /// How many items a question has, by which its fuel is measured out.
    items: &'a dyn Fn(&Q) -> usize,
    /// The limit of an answer, and how much of it one has.
    answer: (&'static str, &'a Usage<'a, Q, A>),
}

impl<Q: Copy, A: PartialEq, E: fmt::Display + PartialEq> Questions<'_, Q, A, E> {
    /// Asks everything together, again, in another order, some of it alone, and as much as a call takes. Returns the problems, and
    /// the largest shares of limits.
    fn examine(&self, plugin: &Plugin) -> (Vec<String>, [Share; 3]) {
        let Questions { requests, ask, .. } = *self;
        let (what, used) = self.answer;
        let (mut problems, mut of_answer) = (Vec::new(), Share::none(what));
        let together = ask(requests);
        for (request, answer) in requests.iter().zip(&together) {
            match answer {
                Ok(answer) => of_answer.raise(used(request, answer), || (self.name)(request)),
                Err(error) => problems.push(format!("{}: {error}", (self.name)(request))),
            }
        }
        let mut found = Vec::new();
        let mut differs = |place: usize, how: &str| {
            found.push(format!("{} has another answer {how}", (self.name)(&requests[place])));
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
        let mut of_fuel = Share::none("the fuel of a call with one question");
        for place in (0..requests.len()).step_by(step) {
            let (alone, used) = self.measured(plugin, &requests[place..=place]);
            of_fuel.raise(used, || (self.name)(&requests[place]));
            if alone.first() != together.get(place) {
                differs(place, "when it is asked alone");
            }
        }
        let full = self.full_call(plugin);
        let (_, used) = self.measured(plugin, &full);
        let mut of_full = Share::none("the fuel of a full call");
        of_full.raise(used, || format!("{} questions", full.len()));
        // What differs explains more than what is wrong with one answer.
        found.append(&mut problems);
        if used.0 > used.1 && found.is_empty() {
            found.push(format!(
                "a call with {} questions runs out of fuel, so it is halved and asked again: take less, or ask for more with `fuel-per-item`",
                full.len()
            ));
        }
        (found, [of_fuel, of_full, of_answer])
    }

    /// Asks some questions in one call. Returns the answers, and the fuel that was used with that which the call has: more is used
    /// where it ran out and the host asked again.
    fn measured(&self, plugin: &Plugin, requests: &[Q]) -> (Vec<Result<A, E>>, (usize, usize)) {
        let before = plugin.fuel_used();
        let answers = (self.ask)(requests);
        let limits = plugin.limits();
        let items = requests.iter().map(|request| (self.items)(request) as u64).sum::<u64>();
        let number = |fuel: u64| usize::try_from(fuel).unwrap_or(usize::MAX);
        let limit = limits.fuel + limits.fuel_per_item * items;
        (answers, (number(plugin.fuel_used() - before), number(limit)))
    }

    /// As many questions as go into one call, those that there are over and over.
    fn full_call(&self, plugin: &Plugin) -> Vec<Q> {
        let (limits, mut items) = (plugin.limits(), 0);
        let fits = |request: &&Q| {
            items += (self.items)(request);
            items <= limits.items_max
        };
        self.requests.iter().cycle().take(limits.requests_max).take_while(fits).copied().collect()
    }
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

#[cfg(test)]
mod tests;
