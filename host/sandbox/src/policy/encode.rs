//! Turns the facts of plans into the flat records of `wit/policy`: texts become words, lists become ranges of lists.

use std::collections::BTreeMap;
use std::collections::HashMap;

use perennial_domain::bundle::Resource;
use perennial_domain::index::PolicyIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::figures::Figures;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use crate::policy::bindings::rulings;
use crate::policy::bindings::types;

/// The lists of a batch while they grow. Texts are borrowed from the facts.
#[derive(Default)]
pub struct Encoder<'a> {
    words: Vec<&'a str>,
    numbers: HashMap<&'a str, u32>,
    pairs: Vec<rulings::Pair>,
    accounts: Vec<rulings::Account>,
    resources: Vec<rulings::Resource>,
    extensions: Vec<rulings::Extension>,
    quotes: Vec<rulings::Quote>,
    asked: Vec<u32>,
    plans: Vec<rulings::Plan>,
}

impl<'a> Encoder<'a> {
    /// Adds an account with what is left of its money, and returns its number in the batch.
    pub fn account(&mut self, account: &'a AccountFacts, left: Figures) -> u32 {
        let encoded = rulings::Account {
            id: self.word(&account.id),
            provider: self.word(&account.provider),
            currency: self.word(&account.currency),
            settings: self.pairs(&account.settings),
            utc_offset_minutes: account.utc_offset_minutes,
            balance: left.balance.as_micros(),
            budget: account.budget.map(|budget| rulings::Budget {
                limit: budget.limit.as_micros(),
                spent: left.spent.as_micros(),
            }),
        };
        self.accounts.push(encoded);
        number(self.accounts.len() - 1)
    }

    /// Adds a plan of the account with this number, which only `policies` are asked about.
    pub fn plan(&mut self, of_number: u32, plan: &'a PlanFacts, policies: &[PolicyIndex]) {
        let members = plan.members.iter().map(|(resource, renewals)| self.resource(resource, *renewals));
        let members = members.collect::<Vec<_>>();
        let extensions = plan.extensions.iter().map(|one| rulings::Extension {
            price: one.price.as_micros(),
            per: term(one.per),
            extra_days: one.extra_days,
        });
        let quotes =
            plan.quotes.iter().map(|(of, cost)| rulings::Quote { term: term(*of), cost: cost.as_micros() });
        let encoded = rulings::Plan {
            account: of_number,
            command: self.word(&plan.command),
            automatic: plan.cause == Cause::Auto,
            cost: plan.cost.map(Micros::as_micros),
            refund: plan.refund.map(Micros::as_micros),
            at: plan.at.as_second(),
            first_try_at: plan.tries.first.map(Timestamp::as_second),
            next_try_at: plan.tries.next.map(Timestamp::as_second),
            last_try_at: plan.tries.last.map(Timestamp::as_second),
            term: plan.term.map(term),
            options: plan.options.as_ref().map(|options| self.pairs(options)),
            members: append(&mut self.resources, members),
            expires_after: plan.expires_after.map(Timestamp::as_second),
            requested_by: plan.requested_by.as_deref().map(|name| self.word(name)),
            extensions: append(&mut self.extensions, extensions),
            quotes: append(&mut self.quotes, quotes),
            policies: append(&mut self.asked, policies.iter().map(|policy| number(policy.get()))),
            is_pending: plan.is_pending,
        };
        self.plans.push(encoded);
    }

    /// The batch, as the interpreter receives it.
    pub fn batch(&self) -> rulings::Batch<'_> {
        rulings::Batch {
            words: &self.words,
            pairs: &self.pairs,
            accounts: &self.accounts,
            resources: &self.resources,
            extensions: &self.extensions,
            quotes: &self.quotes,
            asked: &self.asked,
            plans: &self.plans,
        }
    }

    fn resource(&mut self, resource: &'a Resource, renewals: u32) -> rulings::Resource {
        rulings::Resource {
            id: self.word(&resource.id),
            kind: self.word(&resource.kind),
            region: self.word(&resource.region),
            stage: self.word(resource.stage.name()),
            tags: self.pairs(&resource.tags),
            attributes: self.pairs(&resource.attributes),
            started_at: resource.started_at.as_second(),
            expires_at: resource.expires_at.map(Timestamp::as_second),
            term: resource.term.map(term),
            price: resource.price.map(Micros::as_micros),
            renewals,
        }
    }

    fn pairs(&mut self, texts: &'a BTreeMap<String, String>) -> rulings::Items {
        let pairs = texts.iter().map(|(name, value)| (self.word(name), self.word(value)));
        let pairs = pairs.map(|(name, value)| rulings::Pair { name, value }).collect::<Vec<_>>();
        append(&mut self.pairs, pairs)
    }

    fn word(&mut self, text: &'a str) -> u32 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.words.push(text);
            number(self.words.len() - 1)
        })
    }
}

/// Appends items, and says where they are.
fn append<T>(list: &mut Vec<T>, items: impl IntoIterator<Item = T>) -> rulings::Items {
    let start = list.len();
    list.extend(items);
    rulings::Items { start: number(start), length: number(list.len() - start) }
}

fn term(term: Term) -> types::Term {
    let unit = match term.unit {
        TermUnit::Day => types::TermUnit::Day,
        TermUnit::Month => types::TermUnit::Month,
        TermUnit::Year => types::TermUnit::Year,
    };
    types::Term { count: term.count.get(), unit }
}

/// The scripts of a set.
pub fn scripts(set: &PolicySet) -> Vec<types::Script<'_>> {
    let scripts = set.policies.iter();
    scripts.map(|policy| types::Script { name: &policy.name, text: &policy.text }).collect()
}

/// The calendars of a set.
pub fn calendars(calendars: &[Calendar]) -> Vec<types::Calendar<'_>> {
    let calendars = calendars.iter();
    calendars.map(|calendar| types::Calendar { name: &calendar.name, days: &calendar.days }).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("no list that is sent has four thousand million items")
}
