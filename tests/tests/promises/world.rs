//! Random inventories of both providers, and random things that people and the world do to them.
//!
//! Knows what is worth trying: attached resources of mixed terms and expiries, balances that run short, every command.
//! Everything goes through the file formats, so that what is tried is what a user can write.

use std::fmt;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

/// The instant at which inventories are imported: 2026-01-20T06:30:00Z.
pub const FROM: i64 = 1_768_890_600;
/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// What the tests play: thirty days.
pub const UNTIL: i64 = FROM + 30 * DAY;

/// An inventory and a scenario, as files.
#[derive(Clone)]
pub struct World {
    /// The inventory, as JSON.
    pub inventory: String,
    /// The scenario, as JSON.
    pub scenario: String,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "inventory:\n{}\nscenario:\n{}", self.inventory, self.scenario)
    }
}

/// What a world is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// Many renewals cannot be paid.
    Short,
    /// Every renewal can be paid.
    Plenty,
}

/// A world in which everything may be done.
pub fn busy(money: Money) -> impl Strategy<Value = World> {
    (inventory(money), prop::collection::vec(act(), 0..12))
        .prop_map(|(inventory, acts)| world(&inventory, acts))
}

/// A world in which everything may be done, and in which every account holds what costs more than 20.00.
pub fn careful(money: Money) -> impl Strategy<Value = World> {
    let limited = |mut inventory: Inventory| {
        inventory.accounts.iter_mut().for_each(|account| account["approval_above"] = "20.00".into());
        inventory
    };
    (inventory(money).prop_map(limited), prop::collection::vec(act(), 0..12))
        .prop_map(|(inventory, acts)| world(&inventory, acts))
}

/// A world in which nobody does anything.
pub fn quiet(money: Money) -> impl Strategy<Value = World> {
    inventory(money).prop_map(|inventory| world(&inventory, Vec::new()))
}

/// A world in which people only pay in.
pub fn paid_into(money: Money) -> impl Strategy<Value = World> {
    (inventory(money), prop::collection::vec((offset(), top_up()), 0..6))
        .prop_map(|(inventory, acts)| world(&inventory, acts))
}

fn world(inventory: &Inventory, mut acts: Vec<(i64, Value)>) -> World {
    acts.sort_by_key(|(offset, _)| *offset);
    let scenario = acts.into_iter().map(|(offset, mut act)| {
        act["at"] = instant(FROM + offset);
        if let Some(pick) = act.get("resource").and_then(Value::as_u64) {
            act["resource"] = picked(inventory, pick);
        }
        act
    });
    World {
        inventory: json!({ "accounts": inventory.accounts, "resources": inventory.resources }).to_string(),
        scenario: Value::from(scenario.collect::<Vec<_>>()).to_string(),
    }
}

/// The id of one of the resources, or now and then of none.
fn picked(inventory: &Inventory, pick: u64) -> Value {
    let place = usize::try_from(pick).unwrap() % (inventory.resources.len() + 1);
    inventory.resources.get(place).map_or("nobody-1".into(), |resource| resource["id"].clone())
}

/// An instant as files have it.
pub fn instant(second: i64) -> Value {
    perennial_domain::timestamp::Timestamp::from_second(second).to_string().into()
}

#[derive(Clone, Debug)]
struct Inventory {
    accounts: Vec<Value>,
    resources: Vec<Value>,
}

fn inventory(money: Money) -> impl Strategy<Value = Inventory> {
    let balance = match money {
        Money::Short => 0..400_u32,
        Money::Plenty => 1_000_000..1_000_001,
    };
    let huawei = (balance.clone(), prop::sample::select(vec!["2", "5", "7"]), prop::option::of(1..28_u32));
    let baidu = (balance, 0..24_u32, prop::sample::select(vec!["expiry", "renewal"]));
    // Some accounts hold plans, most of them only the dear ones.
    let limits = [prop::option::weighted(0.4, 0..150_u32), prop::option::weighted(0.4, 0..150_u32)];
    (huawei, baidu, limits, prop::collection::vec(bundle(), 1..9)).prop_map(
        |(huawei, baidu, limits, bundles)| {
            let mut settings = json!({ "site": "intl", "deduction_days": huawei.1 });
            if let Some(day) = huawei.2.filter(|day| *day < 8) {
                settings["unified_expiry_day"] = day.to_string().into();
            }
            let accounts = vec![
                account("hw", "huawei", huawei.0, &settings, limits[0]),
                account(
                    "bd",
                    "baidu",
                    baidu.0,
                    &json!({ "try_hour": baidu.1.to_string(), "late_renewal_from": baidu.2 }),
                    limits[1],
                ),
            ];
            let resources =
                bundles.iter().enumerate().flat_map(|(number, bundle)| bundle.resources(number)).collect();
            Inventory { accounts, resources }
        },
    )
}

fn account(id: &str, provider: &str, balance: u32, settings: &Value, limit: Option<u32>) -> Value {
    json!({
        "id": id, "provider": provider, "mode": "managed", "currency": "CNY",
        "balance": format!("{balance}.00"), "settings": settings,
        "approval_above": limit.map(|limit| format!("{limit}.00")),
    })
}

/// What a bundle is made of: its account, its primary's kind, and what can be attached to it.
const SHAPES: [(&str, &str, &[&str]); 9] = [
    ("hw", "ecs", &["evs", "eip", "vpc"]),
    ("hw", "shared-bandwidth", &["eip", "eip"]),
    ("hw", "codearts-package", &["codearts-extension"]),
    ("hw", "rds", &[]),
    ("hw", "package", &[]),
    ("bd", "bcc", &["cds", "eip", "mkt"]),
    ("bd", "rds", &[]),
    ("bd", "et", &[]),
    ("bd", "bbc", &[]),
];

#[derive(Clone, Debug)]
struct Bundle {
    shape: usize,
    primary: Member,
    attached: Vec<Member>,
}

/// What differs from member to member.
#[derive(Clone, Debug)]
struct Member {
    prepaid: bool,
    /// Seconds from the import; `None` is when the primary does.
    expires: Option<i64>,
    months: u32,
    price: u32,
    on_expiry: &'static str,
    renewals_left: Option<u32>,
}

fn bundle() -> impl Strategy<Value = Bundle> {
    (0..SHAPES.len(), member(), prop::collection::vec(member(), 0..3)).prop_map(
        |(shape, mut primary, attached)| {
            primary.prepaid = true;
            Bundle { shape, primary, attached }
        },
    )
}

fn member() -> impl Strategy<Value = Member> {
    let on_expiry =
        prop_oneof![6 => Just("renew"), 2 => Just("lapse"), 1 => Just("convert"), 1 => Just("release")];
    (
        prop::bool::weighted(0.85),
        prop::option::weighted(0.4, -8 * DAY..40 * DAY),
        1..4_u32,
        1..90_u32,
        on_expiry,
        prop::option::weighted(0.2, 0..3_u32),
    )
        .prop_map(|(prepaid, expires, months, price, on_expiry, renewals_left)| Member {
            prepaid,
            expires,
            months,
            price,
            on_expiry,
            renewals_left,
        })
}

impl Bundle {
    fn resources(&self, number: usize) -> Vec<Value> {
        let (account, kind, attachable) = SHAPES[self.shape];
        let id = format!("{kind}-{number}");
        // Without an expiry of its own a primary expires on a round instant, so that several do at once.
        let expires = self.primary.expires.unwrap_or(9 * DAY + 34_200);
        let mut resources = vec![self.primary.resource(&id, account, kind, None, expires)];
        for (place, (member, kind)) in self.attached.iter().zip(attachable).enumerate() {
            let own = format!("{kind}-{number}-{place}");
            resources.push(member.resource(
                &own,
                account,
                kind,
                Some(&id),
                member.expires.unwrap_or(expires),
            ));
        }
        resources
    }
}

impl Member {
    fn resource(&self, id: &str, account: &str, kind: &str, primary: Option<&str>, expires: i64) -> Value {
        let mut resource = json!({
            "id": id, "account": account, "kind": kind, "region": "r", "attached_to": primary,
            "charging": "prepaid", "started_at": instant(FROM - 400 * DAY),
        });
        if kind == "package" {
            for (name, value) in
                [("quota", "100.0"), ("used", "0.0"), ("unit", "hour"), ("resource_type", "cci")]
            {
                resource[name] = value.into();
            }
        }
        if !self.prepaid {
            resource["charging"] = "postpaid".into();
            return resource;
        }
        resource["expires_at"] = instant(FROM + expires);
        resource["term"] = json!({ "count": self.months, "unit": "month" });
        resource["price"] = format!("{}.00", self.price).into();
        resource["on_expiry"] = self.on_expiry.into();
        resource["renewals_left"] = self.renewals_left.into();
        resource
    }
}

/// Something that is done, and how many seconds after the import.
fn act() -> impl Strategy<Value = (i64, Value)> {
    // Which resource it is of is known once there are resources: see `picked`.
    let target = 0..1_000_u64;
    let attribute = prop_oneof![
        Just(("status", "scaling")),
        Just(("status", "running")),
        Just(("condition", "processing-order")),
        Just(("condition", "")),
    ];
    let what = prop_oneof![
        3 => top_up(),
        6 => (target.clone(), command()).prop_map(|(resource, command)| {
            json!({ "do": "command", "resource": resource, "command": command })
        }),
        2 => (target, attribute).prop_map(|(resource, (name, value))| {
            json!({ "do": "set_attribute", "resource": resource, "name": name, "value": value })
        }),
        1 => (1..80_u32).prop_map(|amount| {
            json!({ "do": "use", "account": "hw", "resource_type": "cci", "amount": format!("{amount}.5") })
        }),
    ];
    (offset(), what)
}

/// Seconds after the import; some of them exactly on an hour of tries.
fn offset() -> impl Strategy<Value = i64> {
    prop_oneof![0..30 * DAY, (0..30_i64).prop_map(|day| day * DAY + 45_000)]
}

fn top_up() -> impl Strategy<Value = Value> {
    (prop::sample::select(vec!["hw", "bd"]), 1..300_u32).prop_map(
        |(account, amount)| json!({ "do": "top_up", "account": account, "amount": format!("{amount}.00") }),
    )
}

fn command() -> impl Strategy<Value = Value> {
    let renewals = prop::option::of(1..4_u32);
    prop_oneof![
        4 => (1..4_u32).prop_map(|count| json!({ "renew": { "term": { "count": count, "unit": "month" } } })),
        1 => (1..3_u32).prop_map(|token| json!({ "renew": {
            "term": { "count": token, "unit": "month" }, "options": { "clientToken": "once" },
        } })),
        2 => renewals.prop_map(|renewals| json!({ "set_auto_renew": { "term": null, "renewals": renewals } })),
        1 => Just(json!("cancel_auto_renew")),
        2 => prop::sample::select(vec!["all", "future"]).prop_map(|scope| json!({ "unsubscribe": { "scope": scope } })),
        1 => Just(json!("convert_on_expiry")),
        1 => Just(json!("cancel_conversion")),
        2 => (1..4_u32).prop_map(|count| json!({ "renew": {
            "term": { "count": count, "unit": "month" }, "options": { "is_auto_pay": "0" },
        } })),
        2 => (1..300_u32).prop_map(|price| json!({ "change": {
            "attributes": { "flavor": "other" }, "price": format!("{price}.00"),
        } })),
        1 => Just(json!("convert_now")),
        1 => (1..12_u32).prop_map(|count| json!({ "subscribe": {
            "term": { "count": count, "unit": "month" }, "price": "77.00",
        } })),
        2 => prop::option::of(0..40_i64).prop_map(|day| json!({ "buy_again": {
            "pay_at": day.map_or(Value::Null, |day| instant(FROM + day * DAY)), "effective_at": null,
        } })),
    ]
}
