//! Encodes domain values as the contract's records. Borrows them, with only the attributes that the rules read.

use std::collections::BTreeMap;

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
use perennial_domain::usage::Consumption;
use perennial_domain::usage::Offer;

use crate::provider::bindings::commands as wit_commands;
use crate::provider::bindings::types as wit;
use crate::provider::bindings::usage as wit_usage;

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

/// The settings of each account.
pub fn settings<'a>(accounts: &[&'a Account]) -> Lists<(&'a str, &'a str)> {
    let mut settings = Lists::new();
    for account in accounts {
        let own = account_settings::of_provider(&account.settings);
        settings.push(own.map(|(name, value)| (name.as_str(), value.as_str())));
    }
    settings
}

/// The accounts of a batch, `settings` being theirs.
pub fn accounts<'a>(
    accounts: &[&'a Account],
    settings: &'a Lists<(&'a str, &'a str)>,
) -> Vec<wit::Account<'a>> {
    let sent = accounts.iter().enumerate();
    sent.map(|(place, account)| wit::Account { id: &account.id, settings: settings.get(place) }).collect()
}

/// What each member of each bundle is said to have of the attributes in `reads`: those only, in that order.
pub fn attributes<'a>(
    bundles: impl Iterator<Item = &'a Bundle>,
    reads: &'a [String],
) -> Lists<(&'a str, &'a str)> {
    let mut attributes = Lists::new();
    for member in bundles.flat_map(|bundle| &bundle.members) {
        attributes.push(reads.iter().filter_map(|name| Some((name.as_str(), attribute(member, name)?))));
    }
    attributes
}

/// The region is a field of ours and an attribute of theirs.
fn attribute<'a>(member: &'a Resource, name: &str) -> Option<&'a str> {
    match name {
        "region" => Some(&member.region),
        _ => member.attributes.get(name).map(String::as_str),
    }
}

/// The members of each bundle, `attributes` being theirs.
pub fn bundles<'a>(
    bundles: impl Iterator<Item = &'a Bundle>,
    attributes: &'a Lists<(&'a str, &'a str)>,
) -> Lists<wit::Resource<'a>> {
    let mut members = Lists::new();
    let mut place = 0..;
    for bundle in bundles {
        let sent = bundle.members.iter().zip(&mut place);
        members.push(sent.map(|(member, place)| resource(member, attributes.get(place))));
    }
    members
}

fn resource<'a>(member: &'a Resource, attributes: &'a [(&'a str, &'a str)]) -> wit::Resource<'a> {
    wit::Resource {
        id: &member.id,
        kind: &member.kind,
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
        attributes,
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

/// The orders of each request.
pub fn orders<'a>(requests: impl Iterator<Item = &'a [Order]>) -> Lists<wit_commands::Order> {
    let mut orders = Lists::new();
    for request in requests {
        orders.push(request.iter().map(|order| wit_commands::Order {
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
            reduces: reduced_order(order, request).map(index),
        }));
    }
    orders
}

/// The place of the order that a downgrade gave money back of.
fn reduced_order(order: &Order, orders: &[Order]) -> Option<usize> {
    let reduced = order.reduces.as_ref()?;
    let is_reduced = |other: &Order| {
        other.member == order.member && other.id == reduced.order && other.starts_at == reduced.starts_at
    };
    orders.iter().position(is_reduced)
}

/// The packages of each consumption.
pub fn offers<'a>(consumptions: impl Iterator<Item = &'a Consumption>) -> Lists<wit_usage::Package<'a>> {
    let mut offers = Lists::new();
    for consumption in consumptions {
        offers.push(consumption.packages.iter().map(offer));
    }
    offers
}

fn offer(offer: &Offer) -> wit_usage::Package<'_> {
    wit_usage::Package {
        id: &offer.id,
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
