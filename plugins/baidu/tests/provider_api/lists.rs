//! Lists and details.

use expect_test::expect;
use expect_test::expect_file;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::ResourceView;
use serde_json::Value;

use crate::desk::furnished;
use crate::desk::send;
use crate::wire::show;
use crate::world::With;
use crate::world::World;
use crate::world::postpaid;
use crate::world::prepaid;

fn ids(world: &mut World, line: &str) -> String {
    let response = send(world, line, "");
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return show(&response) };
    if response.status != 200 {
        return format!("{} {}: {}", response.status, body["code"], body["message"]);
    }
    let items =
        ["instances", "volumes", "eipList"].into_iter().find_map(|list| body[list].as_array()).unwrap();
    let ids = items.iter().map(|item| item["id"].as_str().or(item["eipId"].as_str()).unwrap());
    let ids = ids.collect::<Vec<_>>().join(" ");
    let next = body["nextMarker"].as_str().map_or(String::new(), |marker| format!(", then {marker}"));
    assert_eq!(body["isTruncated"], body["nextMarker"].is_string(), "{line}");
    format!("{ids}{next}")
}

#[test]
fn resources_are_shown_with_their_attributes_as_fields() {
    let full = prepaid("bcc", "i-full", "2026-03-10T02:00:00Z")
        .on_expiry(OnExpiry::Renew)
        .with("name", "web \"1\"\u{4f60}")
        .with("desc", "front")
        .with("cpuCount", "4")
        .with("memoryCapacityInGB", "many")
        .with("internalIp", "192.168.0.2")
        .with("zoneName", "cn-bj-a")
        .with("costCentre", "42")
        .tagged("team", "a");
    let disk = prepaid("cds", "v-full", "2026-03-10T02:00:00Z")
        .attached_to("i-full")
        .on_expiry(OnExpiry::Renew)
        .with("diskSizeInGB", "50")
        .with("storageType", "cloud_hp1")
        .with("device", "/dev/vdb");
    let disk = ResourceView { renewal_term: Some(Term { count: 1, unit: TermUnit::Year }), ..disk };
    let address = prepaid("eip", "ip-full", "2026-03-10T02:00:00Z")
        .attached_to("i-full")
        .with("eip", "180.76.1.1")
        .with("bandwidthInMbps", "5")
        .with("billingMethod", "ByBandwidth");
    let converted = prepaid("bcc", "i-converted", "2026-02-10T02:00:00Z").stage(Stage::Converted);
    let mut world = World::of(vec![full, disk, address, postpaid("eip", "180.76.1.2"), converted]);
    let mut text = String::new();
    for line in [
        "GET /v2/instance/i-full",
        "GET /v2/instance",
        "GET /v2/volume",
        "GET /v2/volume/v-full",
        "GET /v1/eip",
    ] {
        let response = send(&mut world, line, "");
        let body = serde_json::from_slice::<Value>(&response.body).unwrap();
        text += &format!("{line}\n{}\n\n", serde_json::to_string_pretty(&body).unwrap());
    }
    expect_file!["tables/shown.txt"].assert_eq(&text);
}

#[test]
fn stages_have_the_words_of_each_product() {
    let mut table = String::new();
    for kind in ["bcc", "cds", "eip"] {
        for stage in [Stage::Active, Stage::Retention, Stage::Converted, Stage::Released, Stage::Unsubscribed]
        {
            for status in ["running", "stopped", "scaling"] {
                let plain = prepaid(kind, "x-1", "2026-03-10T02:00:00Z").stage(stage).with("status", status);
                let mut world = World::of(vec![plain]);
                let line = match kind {
                    "bcc" => "GET /v2/instance",
                    "cds" => "GET /v2/volume",
                    _ => "GET /v1/eip",
                };
                let body = send(&mut world, line, "").body;
                let body = serde_json::from_slice::<Value>(&body).unwrap();
                let items =
                    ["instances", "volumes", "eipList"].into_iter().find_map(|list| body[list].as_array());
                let shown = items.unwrap().first().map_or("not shown".to_owned(), |item| {
                    format!("{} {} until {}", item["status"], item["paymentTiming"], item["expireTime"])
                });
                table += &format!("{kind} {stage:?} {status}: {shown}\n");
            }
        }
    }
    expect_file!["tables/words.txt"].assert_eq(&table);
}

#[test]
fn nothing_but_a_rule_is_shown_as_one() {
    for (on_expiry, renews) in [
        (OnExpiry::Lapse, false),
        (OnExpiry::Renew, true),
        (OnExpiry::Convert, false),
        (OnExpiry::Release, false),
    ] {
        for (kind, line, path) in [
            ("bcc", "GET /v2/instance/x-1", "/instance/autoRenew"),
            ("cds", "GET /v2/volume/x-1", "/volume/enableAutoRenew"),
        ] {
            let subject = prepaid(kind, "x-1", "2026-03-10T02:00:00Z").on_expiry(on_expiry);
            let body = send(&mut World::of(vec![subject]), line, "").body;
            let body = serde_json::from_slice::<Value>(&body).unwrap();
            assert_eq!(body.pointer(path), Some(&Value::Bool(renews)), "{kind} {on_expiry:?}");
        }
    }
}

#[test]
fn every_filter_of_the_lists_is_obeyed() {
    let mut world = furnished();
    let tagged = world.resources[0].clone().tagged("team", "a").with("zoneName", "cn-bj-a");
    world.resources[0] = tagged.with("internalIp", "10.0.0.1").with("vpcId", "vpc-1");
    world.resources.push(prepaid("eip", "ip-6", "2026-03-10T02:00:00Z").with("eip", "2400::1"));
    let mut table = String::new();
    for line in [
        "GET /v2/instance",
        "GET /v2/instance?instanceIds=i-1,i-none,v-1,i-ruled",
        "GET /v2/instance?instanceIds=",
        "GET /v2/instance?instanceNames=web,none",
        "GET /v2/instance?fuzzyInstanceName=e",
        "GET /v2/instance?fuzzyInstanceName=e&instanceNames=web",
        "GET /v2/instance?cdsIds=v-1,v-alone",
        "GET /v2/instance?volumeIds=v-alone",
        "GET /v2/instance?volumeIds=v-1&instanceIds=i-ruled",
        "GET /v2/instance?zoneName=cn-bj-a",
        "GET /v2/instance?internalIp=10.0.0.1",
        "GET /v2/instance?vpcId=vpc-1&privateIps=10.0.0.1,10.0.0.2",
        "GET /v2/instance?privateIps=10.0.0.1",
        "GET /v2/instance?status=Expired,Scaling",
        "GET /v2/instance?status=Recycled",
        "GET /v2/instance?paymentTiming=Postpaid",
        "GET /v2/instance?autoRenew=True",
        "GET /v2/instance?autoRenew=maybe",
        "GET /v2/instance?tags=team",
        "GET /v2/instance?tags=team:b,team:a",
        "GET /v2/instance?tags=team:b",
        "GET /v2/instance?showRdmaTopo=True&clientToken=t",
        "GET /v2/volume",
        "GET /v2/volume?instanceId=i-1",
        "GET /v2/volume?volumeIds=v-1,v-postpaid",
        "GET /v1/eip",
        "GET /v1/eip?maxKeys=1000&eip=180.76.1.1",
        "GET /v1/eip?eipIds=ip-1",
        "GET /v1/eip?ipVersion=ipv6",
        "GET /v1/eip?ipVersion=ipv5",
        "GET /v1/eip?instanceType=BCC&instanceId=i-1",
        "GET /v1/eip?instanceType=BLB",
        "GET /v1/eip?instanceId=i-1",
        "GET /v1/eip?status=available",
        "GET /v1/eip?name=ip-1",
    ] {
        table += &format!("{line}\n  {}\n", ids(&mut world, line));
    }
    expect_file!["tables/filters.txt"].assert_eq(&table);
}

#[test]
fn pages_have_no_gaps_when_resources_are_released_in_between() {
    let instance = |n: u32| prepaid("bcc", &format!("i-{n}"), "2026-03-10T02:00:00Z");
    let mut world = World::of((1..=5).map(instance).collect());
    expect!["i-1 i-2, then after-2"].assert_eq(&ids(&mut world, "GET /v2/instance?maxKeys=2"));
    expect!["i-1 i-2 i-3 i-4 i-5"].assert_eq(&ids(&mut world, "GET /v2/instance?maxKeys=5"));
    world.resources[0].stage = Stage::Released;
    expect!["i-3 i-4, then after-4"].assert_eq(&ids(&mut world, "GET /v2/instance?maxKeys=2&marker=after-2"));
    expect!["i-5"].assert_eq(&ids(&mut world, "GET /v2/instance?maxKeys=2&marker=after-4"));
    expect![""].assert_eq(&ids(&mut world, "GET /v2/instance?marker=after-99"));
    for wrong in ["maxKeys=0", "maxKeys=1001", "maxKeys=x", "marker=i-1", "marker=after-", "marker=after--1"]
    {
        let answer = ids(&mut world, &format!("GET /v2/instance?{wrong}"));
        assert!(answer.starts_with("400 \"BadRequest\""), "{wrong}: {answer}");
    }
}

#[test]
fn a_request_that_looks_long_for_little_ends_its_page_early() {
    let instance = |n: u32| prepaid("bcc", &format!("i-{n}"), "2026-03-10T02:00:00Z");
    let mut resources = (0..6000).map(instance).collect::<Vec<_>>();
    resources[10].stage = Stage::Retention;
    resources[5999].stage = Stage::Retention;
    let mut world = World::of(resources);
    expect!["i-10, then after-5000"].assert_eq(&ids(&mut world, "GET /v2/instance?status=Expired"));
    expect!["i-5999"].assert_eq(&ids(&mut world, "GET /v2/instance?status=Expired&marker=after-5000"));
}

#[test]
fn an_address_is_found_among_thousands() {
    let address = |n: u32| {
        prepaid("eip", &format!("ip-{n}"), "2026-03-10T02:00:00Z")
            .with("eip", &format!("10.0.{}.{}", n / 250, n % 250))
    };
    let mut world = World::of((0..5500).map(address).collect());
    let stop = |name: &str| format!("PUT /v1/eip/{name}?stopAutoRenew");
    for (name, code) in [
        ("10.0.0.7", "OperationDenied"),
        ("10.0.19.249", "OperationDenied"),
        ("ip-5499", "OperationDenied"),
        ("10.0.21.249", "NoSuchObject"),
        ("10.9.9.9", "NoSuchObject"),
    ] {
        let body = send(&mut world, &stop(name), "").body;
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["code"], code, "{name}");
    }
}
