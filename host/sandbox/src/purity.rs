//! Whether a plugin answers the same question the same way: asked again, alone, and in another order.
//!
//! A plugin can reach nothing that differs, so what differs is what it makes of a call's other requests.

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Command;
use perennial_domain::usage::Consumption;

use crate::provider::plugin::Plugin;
use crate::provider::request::PlanRequest;
use crate::provider::request::TimelineRequest;
use crate::samples;

/// How many bundles are asked about at most. It takes milliseconds, and a host that installs a plugin waits for it.
const BUNDLES_MAX: usize = 128;
/// How many of them are also asked about alone.
const ALONE_MAX: usize = 16;

/// Each question, at most `most` of them, that has two answers, as a sentence. Questions that have no usable answer are passed over:
/// whether they should have one is another matter.
pub fn differences(plugin: &Plugin, most: usize) -> Vec<String> {
    let account = samples::account(plugin.manifest());
    let bundles = samples::bundles(plugin.manifest());
    let step = bundles.len().div_ceil(BUNDLES_MAX).max(1);
    let bundles = bundles.iter().step_by(step).collect::<Vec<_>>();
    let mut found = timelines(plugin, &account, &bundles);
    for command in samples::commands() {
        found.extend(plans(plugin, &account, &bundles, &command));
    }
    found.extend(allocations(plugin, &account));
    found.truncate(most);
    found
}

fn timelines(plugin: &Plugin, account: &Account, bundles: &[&Bundle]) -> Vec<String> {
    let after = samples::instants()[1];
    let request = |bundle| TimelineRequest { after, account: AccountIndex::new(0), bundle };
    let requests = bundles.iter().map(|bundle| request(*bundle)).collect::<Vec<_>>();
    let ask = |requests: &[TimelineRequest<'_>]| {
        plugin.timelines(&[account], requests).into_iter().map(Result::ok).collect::<Vec<_>>()
    };
    compare(&requests, &ask, &|place| format!("the timeline of {}", named(bundles[place])))
}

fn plans(plugin: &Plugin, account: &Account, bundles: &[&Bundle], command: &Command) -> Vec<String> {
    let at = samples::instants()[1];
    let up_to_date = bundles.iter().filter(|bundle| samples::is_up_to_date(bundle, at));
    let bundles = up_to_date.copied().collect::<Vec<_>>();
    let (account_index, member) = (AccountIndex::new(0), MemberIndex::PRIMARY);
    let request = |bundle| PlanRequest { at, account: account_index, command, member, bundle, orders: &[] };
    let requests = bundles.iter().map(|bundle| request(*bundle)).collect::<Vec<_>>();
    let ask = |requests: &[PlanRequest<'_>]| {
        let answers = plugin.make_plans(&[account], requests).into_iter();
        answers.map(|answer| answer.ok().map(|answer| answer.plan)).collect::<Vec<_>>()
    };
    compare(&requests, &ask, &|place| format!("`{}` on {}", command.name(), named(bundles[place])))
}

fn allocations(plugin: &Plugin, account: &Account) -> Vec<String> {
    let consumptions = samples::consumptions(plugin.manifest());
    let requests = consumptions.iter().map(|use_of| (AccountIndex::new(0), use_of)).collect::<Vec<_>>();
    let ask = |requests: &[(AccountIndex, &Consumption)]| {
        plugin.allocate(&[account], requests).into_iter().map(Result::ok).collect::<Vec<_>>()
    };
    compare(&requests, &ask, &|place| format!("a use of {}", consumptions[place].amount))
}

/// Asks everything together, again, backwards and, in part, alone; the questions whose answers are not equal.
fn compare<Q: Copy, A: PartialEq>(
    requests: &[Q],
    ask: &dyn Fn(&[Q]) -> Vec<Option<A>>,
    name: &dyn Fn(usize) -> String,
) -> Vec<String> {
    let together = ask(requests);
    let again = ask(requests);
    let backwards = requests.iter().rev().copied().collect::<Vec<_>>();
    let mut backwards = ask(&backwards);
    backwards.reverse();
    let step = requests.len().div_ceil(ALONE_MAX).max(1);
    let mut found = Vec::new();
    for (place, answer) in together.iter().enumerate() {
        let differs = |other: Option<&Option<A>>| matches!((answer, other), (Some(one), Some(Some(other))) if one != other);
        let is_alone = place % step == 0;
        let how = if differs(again.get(place)) {
            "asked again"
        } else if differs(backwards.get(place)) {
            "asked in another order"
        } else if is_alone && differs(ask(&requests[place..=place]).first()) {
            "asked alone"
        } else {
            continue;
        };
        found.push(format!("{} has another answer when it is {how}", name(place)));
    }
    found
}

/// A sample in words, such as `a disk (active) attached to a server (active)`.
fn named(bundle: &Bundle) -> String {
    let members = bundle.members.iter().rev();
    let members = members.map(|member| format!("{} ({})", member.kind, member.stage.name()));
    members.collect::<Vec<_>>().join(" attached to ")
}
