//! A world with one of everything, and tables of requests with their responses.

use std::fmt::Write;

use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::Response;

use crate::wire::is_well_formed;
use crate::wire::request;
use crate::wire::show;
use crate::world::With;
use crate::world::World;
use crate::world::postpaid;
use crate::world::prepaid;

/// The body of a renewal for a month.
pub const MONTH: &str =
    r#"{"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Month"}}}"#;

/// An instance with two disks and an address, and others in every state.
pub fn furnished() -> World {
    World::of(vec![
        prepaid("bcc", "i-1", "2026-03-10T02:00:00Z").with("name", "web"),
        prepaid("cds", "v-1", "2026-03-10T02:00:00Z").attached_to("i-1"),
        prepaid("cds", "v-2", "2026-03-20T02:00:00Z").attached_to("i-1"),
        prepaid("eip", "ip-1", "2026-03-10T02:00:00Z").attached_to("i-1").with("eip", "180.76.1.1"),
        prepaid("mkt", "m-1", "2026-03-10T02:00:00Z").attached_to("i-1"),
        prepaid("bcc", "i-expired", "2026-02-27T02:00:00Z").stage(Stage::Retention).with("status", "stopped"),
        prepaid("bcc", "i-scaling", "2026-03-10T02:00:00Z").with("status", "scaling"),
        prepaid("bcc", "i-dedicated", "2026-03-10T02:00:00Z").with("dedicated", "true"),
        prepaid("bcc", "i-protected", "2026-03-10T02:00:00Z").with("deletionProtection", "1"),
        prepaid("bcc", "i-ruled", "2026-03-10T02:00:00Z").on_expiry(OnExpiry::Renew),
        prepaid("bcc", "i-released", "2026-01-10T02:00:00Z").stage(Stage::Released),
        postpaid("bcc", "i-postpaid"),
        prepaid("cds", "v-alone", "2026-03-15T02:00:00Z"),
        prepaid("cds", "v-ruled", "2026-03-15T02:00:00Z").on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-expired", "2026-02-27T02:00:00Z").stage(Stage::Retention),
        postpaid("cds", "v-postpaid"),
        prepaid("eip", "180.76.1.2", "2026-03-15T02:00:00Z"),
        postpaid("bcc", "i-hourly").with("monthlyPrice", "99.00"),
        postpaid("cds", "v-hourly").attached_to("i-hourly").with("monthlyPrice", "10"),
        postpaid("cds", "v-unpriced").attached_to("i-hourly"),
        postpaid("cds", "v-dear").attached_to("i-1").with("monthlyPrice", "10"),
        postpaid("eip", "ip-hourly")
            .with("eip", "180.76.1.3")
            .with("bandwidthInMbps", "5")
            .with("monthlyPrice", "20.50"),
        prepaid("bbc", "b-1", "2026-03-10T02:00:00Z"),
    ])
}

/// Sends one request and checks that every SDK can read its response.
pub fn send(world: &mut World, line: &str, body: &str) -> Response {
    let response = world.handle(&request(line, &[("host", "bcc.bj.baidubce.com")], body));
    assert!(is_well_formed(&response), "{line} {body}: {}", show(&response));
    response
}

/// Prints each request, sent to a new world, with its response and its changes.
pub fn table(requests: &[(&str, &str)]) -> String {
    let mut table = String::new();
    for (line, body) in requests {
        let mut world = furnished();
        let before = world.clone();
        let response = send(&mut world, line, body);
        writeln!(table, "{line} {body}\n  {}", show(&response)).unwrap();
        for change in changes(&before, &world) {
            writeln!(table, "  {change}").unwrap();
        }
        if response.status != 200 {
            assert_eq!(changes(&before, &world), Vec::<String>::new(), "{line} changed something");
        }
    }
    table
}

/// The differences of each resource.
pub fn changes(before: &World, after: &World) -> Vec<String> {
    let show = |world: &World, place: usize| {
        let subject = &world.resources[place];
        let expires_at = subject.expires_at.map(|at| chrono::DateTime::from_timestamp(at, 0).unwrap());
        let expires_at = expires_at.map_or("-".to_owned(), |at| at.format("%Y-%m-%d").to_string());
        let rule =
            subject.renewal_term.map_or(String::new(), |term| format!(" {} {:?}", term.count, term.unit));
        let attributes = subject.attributes.iter().map(|(name, value)| format!(" {name}={value}"));
        let attributes = attributes.collect::<String>();
        format!("{} {expires_at} {:?}{rule}{attributes}", subject.id, subject.on_expiry)
    };
    let places = 0..before.resources.len();
    places
        .filter(|place| show(before, *place) != show(after, *place))
        .map(|place| show(after, place))
        .collect()
}
