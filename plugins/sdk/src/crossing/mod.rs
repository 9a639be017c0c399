//! The contract's flat lists on one side, a provider's rules about one bundle on the other.
//!
//! Knows in which order the lists are read and written; knows no rule. [`arrival`] reads what the host sent,
//! [`departure`] writes what the rules answer. No text is copied on the way in, and a text of an answer is moved into its
//! list of words.

mod arrival;
mod departure;
#[cfg(test)]
mod tests;

use crate::Order;
use crate::Package;
use crate::PlanRequest;
use crate::Rules;
use crate::bindings::exports::perennial::provider::commands;
use crate::bindings::exports::perennial::provider::lifecycle;
use crate::bindings::exports::perennial::provider::types::Accounts;
use crate::bindings::exports::perennial::provider::types::Bundles;
use crate::bindings::exports::perennial::provider::usage;
use crate::crossing::arrival::BundleReader;
use crate::crossing::arrival::Words;
use crate::crossing::departure::PlanWriter;
use crate::crossing::departure::TimelineWriter;

impl<R: Rules> lifecycle::Guest for R {
    fn timeline(
        words: Vec<String>,
        accounts: Accounts,
        bundles: Bundles,
        requests: Vec<lifecycle::TimelineRequest>,
    ) -> lifecycle::Timelines {
        let words = Words::keep(words);
        let settings = arrival::settings::<R>(words, accounts);
        let mut bundles = BundleReader::of(words, bundles);
        let mut answers = TimelineWriter::for_requests(requests.len());
        let mut bundle = Vec::new();
        for request in requests {
            bundles.read(&mut bundle);
            answers.write(R::timeline(&settings[request.account as usize], request.after, &bundle));
        }
        answers.finish()
    }
}

impl<R: Rules> commands::Guest for R {
    fn make_plans(
        words: Vec<String>,
        accounts: Accounts,
        bundles: Bundles,
        requests: Vec<commands::PlanRequest>,
        orders: Vec<Order>,
    ) -> commands::Plans {
        let words = Words::keep(words);
        let settings = arrival::settings::<R>(words, accounts);
        let mut bundles = BundleReader::of(words, bundles);
        let mut orders = orders.into_iter();
        let mut answers = PlanWriter::for_requests(requests.len());
        let mut bundle = Vec::new();
        for request in requests {
            bundles.read(&mut bundle);
            let asked = PlanRequest {
                at: request.at,
                command: request.command,
                member: request.member,
                bundle,
                orders: orders.by_ref().take(request.orders as usize).collect(),
            };
            answers.write(R::plan(&settings[request.account as usize], &asked));
            // Its memory serves the next request.
            bundle = asked.bundle;
        }
        answers.finish()
    }
}

impl<R: Rules> usage::Guest for R {
    fn allocate(
        words: Vec<String>,
        accounts: Accounts,
        consumptions: Vec<usage::Consumption>,
        packages: Vec<Package>,
    ) -> usage::Allocations {
        let words = Words::keep(words);
        let settings = arrival::settings::<R>(words, accounts);
        let mut packages = packages.into_iter();
        let mut answers =
            usage::Allocations { counts: Vec::with_capacity(consumptions.len()), allocations: Vec::new() };
        for consumption in consumptions {
            let account = consumption.account as usize;
            let asked = arrival::consumption(words, consumption, &mut packages);
            let allocations = R::allocate(&settings[account], &asked);
            answers.counts.push(departure::count(&allocations));
            answers.allocations.extend(allocations);
        }
        answers
    }
}
