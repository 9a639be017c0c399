//! What may be attached to what, and the bundles that come of it.

use expect_test::expect;

use super::ACCOUNT;
use super::NoRecords;
use super::check;
use super::check_resources;
use super::ecs;
use super::file;
use super::read;

#[test]
fn members_are_grouped_below_their_primary_in_the_order_of_their_ids() {
    let attached =
        |id: &str, kind: &str, to: &str| ecs(id, &format!(r#""kind": "{kind}", "attached_to": "{to}""#), &[]);
    let resources = [
        attached("b-eip", "eip", "z-eip"),
        attached("d", "evs", "m"),
        ecs("z", "", &[]),
        attached("z-eip", "eip", "m"),
        attached("c", "evs", "m"),
        ecs("m", "", &[]),
    ];
    let resources = resources.iter().map(String::as_str).collect::<Vec<_>>();
    let inventory = read(&file(&[ACCOUNT], &resources), &NoRecords).unwrap();
    let members = inventory.bundles.iter().flat_map(|imported| &imported.bundle.members);
    let lines = members.map(|member| format!("{} {:?}\n", member.id, member.attached_to));
    expect![[r#"
        m None
        b-eip Some(4)
        c Some(0)
        d Some(0)
        z-eip Some(0)
        z None
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn attachments_lead_to_a_primary_of_the_account_and_of_a_fitting_kind() {
    let other = r#"{"id": "b", "provider": "huawei", "currency": "CNY", "balance": "1.00"}"#;
    let resources = [
        ecs("ecs-1", "", &[]),
        ecs("ecs-2", r#""attached_to": "ecs-1""#, &[]),
        ecs("evs-1", r#""kind": "evs", "attached_to": "evs-2""#, &[]),
        ecs("evs-2", r#""kind": "evs", "attached_to": "ecs-11""#, &[]),
        ecs("evs-3", r#""kind": "evs", "account": "b", "attached_to": "ecs-1""#, &[]),
        ecs("evs-4", r#""kind": "evs", "attached_to": "nothing-like-it""#, &[]),
        ecs("evs-5", r#""kind": "evs", "attached_to": "ecs-old""#, &[]),
        ecs("evs-6", r#""kind": "evs", "attached_to": """#, &[]),
    ];
    let resources = resources.iter().map(String::as_str).collect::<Vec<_>>();
    check(
        &file(&[ACCOUNT, other], &resources),
        expect![[r#"
            7 problems:
              resources[1].attached_to (line 1, `ecs-2`): `ecs-1` is of kind `ecs`, and `ecs` cannot be attached to that; it is always a primary
              resources[2].attached_to (line 1, `evs-1`): `evs-2` is of kind `evs`, and `evs` cannot be attached to that; it can be attached to `ecs`
              resources[3].attached_to (line 1, `evs-2`): there is no resource `ecs-11` (did you mean `ecs-1`?)
              resources[4].attached_to (line 1, `evs-3`): `ecs-1` belongs to account `a`, not to `b`; a bundle has one account
              resources[5].attached_to (line 1, `evs-4`): there is no resource `nothing-like-it`
              resources[6].attached_to (line 1, `evs-5`): `ecs-old` was imported before; a resource is attached only to one of the same file
              resources[7].attached_to (line 1, `evs-6`): it is empty; expected some text"#]],
    );
}

#[test]
fn circles_of_attachment_are_named_once_each() {
    let eip = |id: &str, to: &str| ecs(id, &format!(r#""kind": "eip", "attached_to": "{to}""#), &[]);
    let resources = [
        eip("tail", "c"),
        eip("a", "b"),
        eip("b", "c"),
        eip("c", "a"),
        eip("self", "self"),
        eip("x", "self"),
    ];
    check_resources(
        &resources,
        expect![[r#"
            2 problems:
              resources[1].attached_to (line 1, `a`): resources are attached in a circle: `a` to `b` to `c` to `a`
              resources[4].attached_to (line 1, `self`): the resource is attached to itself"#]],
    );
}

#[test]
fn a_long_chain_of_attachments_is_one_bundle() {
    let link = |place: u32| {
        let to = format!(r#""kind": "eip", "attached_to": "eip-{}""#, place - 1);
        ecs(&format!("eip-{place}"), &to, &[])
    };
    let resources = std::iter::once(ecs("eip-0", r#""kind": "eip""#, &[])).chain((1..20_000).map(link));
    let resources = resources.collect::<Vec<_>>();
    let resources = resources.iter().map(String::as_str).collect::<Vec<_>>();
    let inventory = read(&file(&[ACCOUNT], &resources), &NoRecords).unwrap();
    assert_eq!(inventory.bundles.len(), 1);
    assert_eq!(inventory.bundles[0].bundle.members.len(), 20_000);
}
