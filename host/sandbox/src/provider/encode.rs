//! Encodes domain values as the contract's flat lists, with only the attributes that the rules read. Borrows texts.

use std::collections::BTreeMap;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use perennial_domain::account::Account;
use perennial_domain::account_settings;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Scope;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::usage::Offer;

use crate::provider::bindings::commands as wit_commands;
use crate::provider::bindings::types as wit;
use crate::provider::bindings::usage as wit_usage;

/// The name under which rules read the region.
const REGION: &str = "region";

/// Several lists in one allocation: a batch has thousands of members, and each would have lists of its own.
#[derive(Debug)]
pub struct Lists<T> {
    items: Vec<T>,
    ends: Vec<usize>,
}

impl<T> Lists<T> {
    /// Starts without an item.
    pub fn new() -> Lists<T> {
        Lists { items: Vec::new(), ends: Vec::new() }
    }

    /// Adds a list behind the others.
    pub fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.items.extend(list);
        self.ends.push(self.items.len());
    }

    /// The list that was pushed after `number` others.
    pub fn get(&self, number: usize) -> &[T] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start..self.ends[number]]
    }
}

/// The words of a call, each once. Texts are borrowed from domain values.
#[derive(Debug, Default)]
pub struct Words<'a> {
    words: Vec<&'a str>,
    numbers: HashMap<&'a str, u32, RandomState>,
}

impl<'a> Words<'a> {
    /// All of them, in the order of their numbers.
    pub fn list(&self) -> &[&'a str] {
        &self.words
    }

    /// The number of a text.
    pub fn number(&mut self, text: &'a str) -> u32 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.words.push(text);
            index(self.words.len() - 1)
        })
    }

    fn pair(&mut self, name: &'a str, value: &'a str) -> wit::Pair {
        wit::Pair { name: self.number(name), value: self.number(value) }
    }
}

/// The accounts of a call.
#[derive(Debug)]
pub struct AccountLists {
    counts: Vec<u32>,
    settings: Vec<wit::Pair>,
}

impl AccountLists {
    /// The accounts with those of their settings that are the provider's.
    pub fn of<'a>(words: &mut Words<'a>, accounts: &[&'a Account]) -> AccountLists {
        let mut lists = AccountLists { counts: Vec::with_capacity(accounts.len()), settings: Vec::new() };
        for account in accounts {
            let before = lists.settings.len();
            let own = account_settings::of_provider(&account.settings);
            lists.settings.extend(own.map(|(name, value)| words.pair(name, value)));
            lists.counts.push(index(lists.settings.len() - before));
        }
        lists
    }

    /// The same as a record of the contract.
    pub fn record(&self) -> wit::Accounts<'_> {
        wit::Accounts { counts: &self.counts, settings: &self.settings }
    }
}

/// Whether rules are told what resources are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// They are: options and messages name resources.
    With,
    /// They need not know.
    Without,
}

/// The bundles of a call.
#[derive(Debug)]
pub struct BundleLists {
    counts: Vec<u32>,
    members: Vec<wit::Member>,
    attributes: Vec<wit::Pair>,
    ids: String,
}

impl BundleLists {
    /// The bundles with those of their attributes that the rules read, in that order.
    pub fn of<'a>(
        words: &mut Words<'a>,
        bundles: impl Iterator<Item = &'a Bundle> + Clone,
        reads: &'a [String],
        ids: Ids,
    ) -> BundleLists {
        let counts = bundles.clone().map(|bundle| index(bundle.members.len())).collect();
        let members = bundles.clone().map(|bundle| bundle.members.len()).sum();
        let mut lists = BundleLists {
            counts,
            members: Vec::with_capacity(members),
            attributes: Vec::new(),
            ids: String::new(),
        };
        let reads_region = reads.iter().any(|name| name == REGION);
        for member in bundles.flat_map(|bundle| &bundle.members) {
            let before = lists.attributes.len();
            // Most resources have nothing that the rules read, which is seen sooner than each name is looked up.
            if reads_region || member.attributes.keys().any(|name| reads.contains(name)) {
                let told = reads.iter().filter_map(|name| Some((name.as_str(), attribute(member, name)?)));
                lists.attributes.extend(told.map(|(name, value)| words.pair(name, value)));
            }
            let attributes = index(lists.attributes.len() - before);
            let id = if ids == Ids::With { member.id.as_str() } else { "" };
            lists.ids.push_str(id);
            lists.members.push(wit::Member {
                id_bytes: index(id.len()),
                kind: words.number(&member.kind),
                attributes,
                ..fields(member)
            });
        }
        lists
    }

    /// The same as a record of the contract.
    pub fn record(&self) -> wit::Bundles<'_> {
        wit::Bundles {
            counts: &self.counts,
            members: &self.members,
            attributes: &self.attributes,
            ids: &self.ids,
        }
    }
}

/// The region is a field of ours and an attribute of theirs.
fn attribute<'a>(member: &'a Resource, name: &str) -> Option<&'a str> {
    match name {
        REGION => Some(&member.region),
        _ => member.attributes.get(name).map(String::as_str),
    }
}

/// The fields of a member; its texts are for the caller to add.
fn fields(member: &Resource) -> wit::Member {
    wit::Member {
        id_bytes: 0,
        kind: 0,
        attached_to: member.attached_to.map(|to| index(to.get())),
        charging: match member.charging {
            Charging::Prepaid => wit::Charging::Prepaid,
            Charging::Postpaid => wit::Charging::Postpaid,
        },
        stage: match member.stage {
            Stage::Active => wit::Stage::Active,
            Stage::Grace => wit::Stage::Grace,
            Stage::Retention => wit::Stage::Retention,
            Stage::Released => wit::Stage::Released,
            Stage::Unsubscribed => wit::Stage::Unsubscribed,
            Stage::Converted => wit::Stage::Converted,
        },
        started_at: member.started_at.as_second(),
        expires_at: member.expires_at.map(|at| at.as_second()),
        anchor_day: member.anchor_day,
        term: member.term.map(term),
        on_expiry: match member.on_expiry {
            OnExpiry::Lapse => wit::OnExpiry::Lapse,
            OnExpiry::Renew => wit::OnExpiry::Renew,
            OnExpiry::Convert => wit::OnExpiry::Convert,
            OnExpiry::Release => wit::OnExpiry::Release,
        },
        renewals_left: member.renewals_left,
        renewal_term: member.renewal_term.map(term),
        has_unpaid_order: member.has_unpaid_order,
        attributes: 0,
    }
}

fn term(term: Term) -> wit::Term {
    let unit = match term.unit {
        TermUnit::Day => wit::TermUnit::Day,
        TermUnit::Month => wit::TermUnit::Month,
        TermUnit::Year => wit::TermUnit::Year,
    };
    wit::Term { count: term.count.get(), unit }
}

/// Names with values.
pub fn pairs(values: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The options of each command; empty for commands that have none.
pub fn options<'a>(commands: impl Iterator<Item = &'a Command>) -> Lists<(&'a str, &'a str)> {
    let mut options = Lists::new();
    for command in commands {
        options.push(command.options().into_iter().flat_map(pairs));
    }
    options
}

/// The attributes that each command changes; empty but for a change of specification.
pub fn changes<'a>(commands: impl Iterator<Item = &'a Command>) -> Lists<(&'a str, &'a str)> {
    let mut changes = Lists::new();
    for command in commands {
        let attributes = if let Command::Change(change) = command { Some(&change.attributes) } else { None };
        changes.push(attributes.into_iter().flat_map(pairs));
    }
    changes
}

/// A command on `member`, `options` and `changes` being its own.
pub fn command<'a>(
    command: &'a Command,
    member: &Resource,
    options: &'a [(&'a str, &'a str)],
    changes: &'a [(&'a str, &'a str)],
) -> wit_commands::Command<'a> {
    match command {
        Command::Renew(renewal) => wit_commands::Command::Renew(wit_commands::Renewal {
            term: renewal.term.map(term),
            automatic: renewal.cause == Cause::Auto,
            options,
        }),
        Command::SetAutoRenew(AutoRenewal { term: of, renewals }) => {
            wit_commands::Command::SetAutoRenew(wit_commands::AutoRenewal {
                term: of.map(term),
                renewals: *renewals,
            })
        }
        Command::CancelAutoRenew => wit_commands::Command::CancelAutoRenew,
        Command::Unsubscribe(Scope::All) => {
            wit_commands::Command::Unsubscribe(wit_commands::Scope::Everything)
        }
        Command::Unsubscribe(Scope::Future) => {
            wit_commands::Command::Unsubscribe(wit_commands::Scope::FuturePeriods)
        }
        Command::ConvertOnExpiry => wit_commands::Command::ConvertOnExpiry,
        Command::CancelConversion => wit_commands::Command::CancelConversion,
        Command::ConvertNow => wit_commands::Command::ConvertNow,
        Command::Change(change) => wit_commands::Command::Change(wit_commands::Change {
            attributes: changes,
            price: change.price.as_micros(),
            present_price: member.price.map(Micros::as_micros),
            options,
        }),
        Command::Subscribe(subscribe) => wit_commands::Command::Subscribe(wit_commands::Subscribe {
            term: subscribe.term.map(term),
            price: subscribe.price.map(Micros::as_micros),
            options,
        }),
        Command::PayOrder(order) => wit_commands::Command::PayOrder(order),
        Command::CancelOrder(order) => wit_commands::Command::CancelOrder(order),
        Command::BuyAgain(purchase) => wit_commands::Command::BuyAgain(wit_commands::Purchase {
            pay_at: purchase.pay_at.map(|at| at.as_second()),
            effective_at: purchase.effective_at.map(|at| at.as_second()),
        }),
    }
}

/// The orders of a request.
pub fn orders(orders: &[Order]) -> impl Iterator<Item = wit_commands::Order> {
    orders.iter().map(|order| wit_commands::Order {
        member: index(order.member.get()),
        kind: match order.kind {
            OrderKind::Purchase => wit_commands::OrderKind::Purchase,
            OrderKind::Renewal => wit_commands::OrderKind::Renewal,
            OrderKind::Upgrade => wit_commands::OrderKind::Upgrade,
            OrderKind::Downgrade => wit_commands::OrderKind::Downgrade,
        },
        starts_at: order.starts_at.as_second(),
        ends_at: order.ends_at.as_second(),
        paid: order.paid.as_micros(),
        paid_at: order.paid_at.as_second(),
        reduces: reduced_order(order, orders).map(index),
    })
}

/// The place of the order that a downgrade gave money back of.
fn reduced_order(order: &Order, orders: &[Order]) -> Option<usize> {
    let reduced = order.reduces.as_ref()?;
    let is_reduced = |other: &Order| {
        other.member == order.member && other.id == reduced.order && other.starts_at == reduced.starts_at
    };
    orders.iter().position(is_reduced)
}

/// A package that may pay for a use.
pub fn offer(offer: &Offer) -> wit_usage::Package {
    wit_usage::Package {
        quota: offer.package.quota.as_micros(),
        used: offer.package.used.as_micros(),
        bought_at: offer.package.bought_at.as_second(),
        starts_at: offer.starts_at.as_second(),
        expires_at: offer.expires_at.as_second(),
    }
}

/// A place in a list, as the contract counts.
pub fn index(number: usize) -> u32 {
    u32::try_from(number).expect("no list that is sent has four thousand million items")
}
