//! What holds for every inventory: it reads back as it was written, and no damage to a file makes reading panic.

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use proptest::collection::btree_map;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::sample::select;
use serde_json::Value;

use super::Inventory;
use super::NoRecords;
use super::read;
use crate::inventory::ImportedBundle;
use crate::inventory::write;

fn instant() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000).prop_map(Timestamp::from_second)
}

fn amount() -> impl Strategy<Value = Micros> {
    (0..=Micros::MAX.as_micros()).prop_map(Micros::new)
}

fn term() -> impl Strategy<Value = Term> {
    (1..=100_u32, select(TermUnit::ALL.to_vec())).prop_map(|(count, unit)| Term::new(count, unit).unwrap())
}

fn package() -> impl Strategy<Value = Package> {
    (1..=Micros::MAX.as_micros(), 0.0..=1.0_f64, ".{1,8}", ".{1,8}").prop_map(
        |(quota, share, unit, resource_type)| Package {
            quota: Micros::new(quota),
            used: Micros::new((quota as f64 * share) as i64),
            unit,
            resource_type,
            bought_at: Timestamp::MIN,
        },
    )
}

/// A resource without an id or a kind.
fn resource() -> impl Strategy<Value = Resource> {
    let words = (
        select(Charging::ALL.to_vec()),
        select(Stage::ALL.to_vec()),
        select(OnExpiry::ALL.to_vec()),
        ".{0,8}",
    );
    let period = (instant(), 1_i64..4_000_000_000, any::<bool>(), term(), amount());
    let renewal = (option::of(any::<u32>()), option::of(term()));
    let named = || btree_map(".{1,8}", ".{0,8}", 0..3);
    (words, period, renewal, named(), named()).prop_map(|(words, period, renewal, attributes, tags)| {
        let (charging, stage, on_expiry, region) = words;
        let (started_at, lasts, is_last_day, term, price) = period;
        let is_off = on_expiry == OnExpiry::Renew && renewal.0 == Some(0);
        let prepaid = charging == Charging::Prepaid;
        Resource {
            region,
            charging,
            stage,
            started_at,
            expires_at: prepaid.then_some(started_at + lasts),
            anchor_day: prepaid.then_some(if is_last_day { 31 } else { 0 }),
            term: prepaid.then_some(term),
            price: prepaid.then_some(price),
            on_expiry: if is_off { OnExpiry::Lapse } else { on_expiry },
            renewals_left: renewal.0,
            renewal_term: renewal.1,
            attributes,
            tags,
            ..Resource::default()
        }
    })
}

/// A bundle whose members after the first are attached to any before them; a prepaid one alone may be a package.
fn bundle() -> impl Strategy<Value = Bundle> {
    (vec((resource(), any::<Index>()), 1..4), option::of(package())).prop_map(|(members, package)| {
        let is_alone = members.len() == 1;
        let attached = |(place, (mut member, to)): (usize, (Resource, Index))| {
            member.attached_to = (place > 0).then(|| MemberIndex::new(to.index(place)));
            member.kind = "eip".to_owned();
            if is_alone && member.charging == Charging::Prepaid {
                member.package = package.clone();
            }
            if let Some(package) = &mut member.package {
                member.kind = "package".to_owned();
                package.bought_at = member.started_at;
            }
            member
        };
        Bundle { members: members.into_iter().enumerate().map(attached).collect() }
    })
}

fn account() -> impl Strategy<Value = Account> {
    let limits = (option::of(amount()), option::of(amount()));
    ("[A-Z]{3}", amount(), option::of(".{0,8}"), select(vec!["huawei", "utc"]), limits).prop_map(
        |(currency, balance, site, provider, (approval_above, budget))| Account {
            id: String::new(),
            provider: provider.to_owned(),
            mode: Mode::Managed,
            currency,
            balance: Balance::new(balance, Micros::ZERO),
            settings: site.into_iter().map(|site| ("site".to_owned(), site)).collect(),
            approval_above,
            budget,
        },
    )
}

fn inventory() -> impl Strategy<Value = Inventory> {
    vec((account(), vec(bundle(), 0..4), "[\\p{Ll}\\p{Lu}\\p{Nd}\\p{P}]{0,4}"), 0..3).prop_map(|drawn| {
        let mut inventory = Inventory { accounts: Vec::new(), bundles: Vec::new() };
        for (place, (mut account, bundles, odd)) in drawn.into_iter().enumerate() {
            account.id = format!("{place}{odd}");
            let offset_minutes = if account.provider == "huawei" { 480 } else { 0 };
            for (bundle_place, mut bundle) in bundles.into_iter().enumerate() {
                for (member_place, member) in bundle.members.iter_mut().enumerate() {
                    member.id = format!("{place}-{bundle_place}-{member_place}{odd}");
                    if let (Some(expires_at), Some(anchor_day)) = (member.expires_at, member.anchor_day)
                        && !expires_at.is_anchored_to(anchor_day, offset_minutes)
                    {
                        member.anchor_day = Some(expires_at.day_of_month(offset_minutes));
                    }
                }
                inventory.bundles.push(ImportedBundle { account: account.id.clone(), bundle });
            }
            inventory.accounts.push(account);
        }
        inventory
    })
}

/// Puts `with` where the `at`th value below `value` is, or takes it out.
fn damage(value: &mut Value, at: &mut usize, with: &Option<Value>) {
    let mut stays = |inner: &mut Value| {
        let is_there = *at == 0;
        *at = at.wrapping_sub(1);
        match with {
            Some(with) if is_there => *inner = with.clone(),
            None if is_there => return false,
            Some(_) | None => damage(inner, at, with),
        }
        true
    };
    match value {
        Value::Array(items) => items.retain_mut(&mut stays),
        Value::Object(members) => members.retain(|_, member| stays(member)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How many values there are below `value`.
fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| 1 + values(item)).sum(),
        Value::Object(members) => members.values().map(|member| 1 + values(member)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
        select(vec![
            "0-0-0",
            "0-0-1",
            "renew",
            "postpaid",
            "package",
            "eip",
            "1.00",
            "-1",
            "2026-02-28T00:00:00Z"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("id|kind|term|.{0,3}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn every_inventory_reads_back_as_it_was_written(inventory in inventory()) {
        let text = write(&inventory);
        let again = read(&text, &NoRecords);
        prop_assert_eq!(again, Ok(inventory));
    }

    #[test]
    fn no_damage_to_the_values_of_a_file_makes_reading_panic(
        inventory in inventory(),
        damages in vec((any::<Index>(), option::of(junk())), 1..4),
    ) {
        let mut file = serde_json::from_str::<Value>(&write(&inventory)).unwrap();
        for (at, with) in damages {
            let mut at = at.index(values(&file).max(1));
            damage(&mut file, &mut at, &with);
        }
        if let Err(problems) = read(&file.to_string(), &NoRecords) {
            prop_assert!(problems.list().iter().all(|problem| !problem.path.is_empty()));
            let lines = problems.to_string().lines().count();
            prop_assert_eq!(lines, problems.list().len() + 1, "{}", problems);
        }
    }

    #[test]
    fn no_damage_to_the_text_of_a_file_makes_reading_panic(
        inventory in inventory(),
        at in any::<Index>(),
        length in 0_usize..9,
        with in ".{0,4}",
    ) {
        let text = write(&inventory);
        let characters = text.chars().collect::<Vec<_>>();
        let (kept, rest) = characters.split_at(at.index(characters.len()));
        let damaged = kept.iter().copied().chain(with.chars()).chain(rest.iter().copied().skip(length));
        let _ = read(&damaged.collect::<String>(), &NoRecords);
    }
}
