//! Every command in every stage, for each kind.

use std::fmt::Write;

use expect_test::expect_file;
use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Purchase;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::Stage;
use plugin_sdk::Subscribe;
use plugin_sdk::Timestamp;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::due;
use crate::harness::months;
use crate::harness::postpaid;
use crate::harness::prepaid;
use crate::harness::renew;
use crate::harness::show_answer;

fn states(kind: &str) -> Vec<(&'static str, Timestamp, Resource)> {
    let resource = || prepaid(kind, kind, "2026-09-10 10:00");
    let (before, after) = (at("2026-07-25 12:00"), at("2026-09-13 12:00"));
    vec![
        ("active", before, resource()),
        ("active, auto-renew", before, resource().on_expiry(OnExpiry::Renew)),
        ("active, to be converted", before, resource().on_expiry(OnExpiry::Convert)),
        ("active, to be released", before, resource().on_expiry(OnExpiry::Release)),
        ("grace", after, resource().stage(Stage::Grace)),
        ("retention", after, resource().stage(Stage::Retention).with("status", "stopped")),
        ("released", after, resource().stage(Stage::Released)),
        ("unsubscribed", after, resource().stage(Stage::Unsubscribed)),
        ("converted", after, resource().stage(Stage::Converted)),
        ("postpaid", before, postpaid(kind, kind)),
        ("scaling", before, resource().with("status", "scaling")),
        ("dedicated", before, resource().with("dedicated", "true")),
    ]
}

fn commands() -> Vec<(&'static str, Command)> {
    let subscribe = Command::Subscribe(Subscribe {
        term: Some(months(3)),
        price: Some(297_000_000),
        options: Vec::new(),
    });
    vec![
        ("renew by a month", renew(Some(months(1)), &[])),
        ("renew", renew(None, &[])),
        ("renew, a try is due", due()),
        ("set auto-renew", Command::SetAutoRenew(AutoRenewal { term: None, renewals: None })),
        ("cancel auto-renew", Command::CancelAutoRenew),
        ("unsubscribe everything", Command::Unsubscribe(Scope::Everything)),
        ("unsubscribe future periods", Command::Unsubscribe(Scope::FuturePeriods)),
        ("convert on expiry", Command::ConvertOnExpiry),
        ("cancel conversion", Command::CancelConversion),
        ("convert now", Command::ConvertNow),
        ("subscribe for three months", subscribe),
        ("buy again", Command::BuyAgain(Purchase { pay_at: None, effective_at: None })),
    ]
}

/// The orders of a month's purchase and of a month's renewal.
fn orders() -> [Order; 2] {
    let order = |starts: &str, ends: &str, is_renewal| Order {
        member: 0,
        starts_at: at(starts),
        ends_at: at(ends),
        paid: 62_000_000,
        paid_at: at("2026-07-10 10:00"),
        kind: if is_renewal { OrderKind::Renewal } else { OrderKind::Purchase },
        reduces: None,
    };
    [
        order("2026-07-10 10:00", "2026-08-10 10:00", false),
        order("2026-08-10 10:00", "2026-09-10 10:00", true),
    ]
}

#[test]
fn every_command_in_every_stage_for_each_kind() {
    for kind in ["bcc", "bbc", "cds", "eip", "mkt", "scs", "rds", "et"] {
        let mut table = String::new();
        for (title, command) in commands() {
            writeln!(table, "{title}").unwrap();
            for (state, now, resource) in states(kind) {
                let bundle = [resource];
                let answer = show_answer(&bundle, &ask(&[], now, &bundle, 0, command.clone(), &orders()));
                let mut lines = answer.lines().map(str::trim);
                writeln!(table, "  {state:24} {}", lines.next().unwrap_or("nothing")).unwrap();
                for line in lines {
                    writeln!(table, "  {:24} {line}", "").unwrap();
                }
            }
        }
        expect_file![format!("../tables/commands-{kind}.txt")].assert_eq(&table);
    }
}
