//! Lantern, a made-up provider of lamps. Its API is like no other: text lines, a signature of its own, and no JSON.
//!
//! Serves the tests of provider APIs, and misbehaves on the paths where they need it. `api.rs` has the API; this file has
//! the rules, as short as possible.
#![cfg(target_family = "wasm")]

mod api;

use plugin_sdk::Action;
use plugin_sdk::Allocation;
use plugin_sdk::Attributes;
use plugin_sdk::Cancellation;
use plugin_sdk::Command;
use plugin_sdk::Consumption;
use plugin_sdk::Extension;
use plugin_sdk::Kind;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::PolicyRefusal;
use plugin_sdk::Refund;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Rules;
use plugin_sdk::Scope;
use plugin_sdk::Setting;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::profile;

struct Lantern;

plugin_sdk::export_provider!(Lantern with_types_in plugin_sdk);

/// The seconds of a month of Lantern, always.
const MONTH: i64 = 30 * 86_400;

pub(crate) fn refusal(code: &str) -> Refusal {
    Refusal { code: code.to_owned(), message: format!("Lantern says {code}") }
}

impl profile::Guest for Lantern {
    fn describe() -> Manifest {
        Manifest {
            id: "lantern".to_owned(),
            name: "Lantern".to_owned(),
            kinds: vec![Kind {
                name: "lamp".to_owned(),
                label: "A lamp".to_owned(),
                attaches_to: vec!["lamp".to_owned()],
                terms: Vec::new(),
                package: false,
            }],
            settings: vec![Setting {
                name: "oil".to_owned(),
                label: "The oil: olive or whale".to_owned(),
                default: Some("olive".to_owned()),
            }],
            notices: Vec::new(),
            reads: Vec::new(),
            utc_offset_minutes: 0,
            insufficient_balance: refusal("poor"),
            unknown_resource: refusal("dark"),
            unknown_resource_of: Vec::new(),
            policy_denied: PolicyRefusal { refusal: refusal("denied"), code_setting: None },
            policy_deferred: PolicyRefusal { refusal: refusal("later"), code_setting: None },
            idempotency: None,
        }
    }

    fn check_settings(settings: Attributes) -> Vec<String> {
        let is_wrong =
            |(name, value): &(String, String)| name != "oil" || !["olive", "whale"].contains(&value.as_str());
        settings.iter().filter(|one| is_wrong(one)).map(|(name, value)| format!("{name}={value}")).collect()
    }
}

impl Rules for Lantern {
    type Settings = ();

    fn settings(_: &[(String, String)]) {}

    fn timeline((): &(), after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
        let members = (0..).zip(bundle).filter(|(_, member)| member.stage == Stage::Active);
        let goes_out = |(index, member): (u32, &Resource)| {
            let at = member.expires_at?.max(after + 1);
            Some(Occurrence { at, member: index, action: Action::Enter(Stage::Released) })
        };
        let mut all = members.filter_map(goes_out).collect::<Vec<_>>();
        all.sort_by_key(|occurrence| occurrence.at);
        all
    }

    fn plan((): &(), request: &PlanRequest) -> Result<Plan, Refusal> {
        plan(request)
    }

    fn allocate((): &(), _: &Consumption) -> Vec<Allocation> {
        Vec::new()
    }
}

fn plan(request: &PlanRequest) -> Result<Plan, Refusal> {
    let named = &request.bundle[request.member as usize];
    if named.stage != Stage::Active {
        return Err(refusal("out"));
    }
    let operation = match &request.command {
        Command::Renew(renewal) => {
            let term = renewal.term.unwrap_or(Term { count: 1, unit: TermUnit::Month });
            if term.unit != TermUnit::Month || term.count > 12 {
                return Err(refusal("long"));
            }
            let expires_at = named.expires_at.ok_or_else(|| refusal("free"))? + i64::from(term.count) * MONTH;
            Operation::Extend(Extension { expires_at, term, extra_days: 0, anchor_day: None })
        }
        Command::Unsubscribe(Scope::Everything) => {
            let refunds = refunds(request, |paid| (paid, 0));
            Operation::EndSubscription(Cancellation { scope: Scope::Everything, expires_at: None, refunds })
        }
        Command::ConvertNow => Operation::Convert(refunds(request, |paid| (paid / 2, paid / 10))),
        Command::SetAutoRenew(_)
        | Command::CancelAutoRenew
        | Command::Unsubscribe(Scope::FuturePeriods)
        | Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::BuyAgain(_)
        | Command::Change(_)
        | Command::Subscribe(_)
        | Command::PayOrder(_)
        | Command::CancelOrder(_) => return Err(refusal("never")),
    };
    let steps = vec![Step { member: request.member, operation }];
    Ok(Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None })
}

/// What goes back of each order, and what is kept of it as a fee.
fn refunds(request: &PlanRequest, share: impl Fn(i64) -> (i64, i64)) -> Vec<Refund> {
    let own = (0..).zip(&request.orders).filter(|(_, order)| order.member == request.member);
    let refund = |(index, order): (u32, &Order)| {
        let (amount, fee) = share(order.paid);
        Refund { order: index, amount, fee }
    };
    own.map(refund).collect()
}
