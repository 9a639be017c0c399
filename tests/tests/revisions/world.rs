//! A broker with accounts at Volcengine, whose rules are a table: another revision is the same table with another line.

use std::path::Path;
use std::sync::LazyLock;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::revision_changes::RevisionAuthor;
use perennial_engine::rules::Providers;
use perennial_sandbox::PluginParts;
use perennial_sandbox::Trust;
use perennial_store::Store;
use perennial_test_support::plugins;

/// The table that is bundled.
pub const TABLE: &str = include_str!("../../../plugins/declared/tables/volcengine.toml");
/// Who changes what is bound.
pub const AUTHOR: RevisionAuthor<'static> = RevisionAuthor { id: "ops", reason: Some("a test") };

/// The rules that every world has.
pub static PROVIDERS: LazyLock<Providers> = LazyLock::new(|| plugins::trusting(Trust::default()));

/// The table with another line.
pub fn table_with(before: &str, after: &str) -> String {
    assert!(TABLE.contains(before), "the table has no `{before}`");
    TABLE.replace(before, after)
}

/// A table by which renewals are first tried three days before the expiry, and not seven.
pub fn late_table() -> String {
    table_with("days = [7, 6, 5, 4, 3, 2, 1, 0]", "days = [3, 2, 1, 0]")
}

/// A table by which data disks are not renewed with their instance.
pub fn narrow_table() -> String {
    table_with(
        "cascade = { renewal = \"aligned\", unsubscription = true }",
        "cascade = { unsubscription = true }",
    )
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn account(id: &str, settings: &[(&str, &str)]) -> Account {
    Account {
        id: id.to_owned(),
        provider: "volcengine".to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new("1000000.00".parse().unwrap(), Micros::ZERO),
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        approval_above: None,
        budget: None,
    }
}

/// A server with a disk, paid for until the end of `expiry`.
pub fn bundle(id: &str, expiry: &str) -> Bundle {
    let resource = |id: String, kind: &str, attached_to, price: &str| Resource {
        id,
        kind: kind.to_owned(),
        region: "cn-beijing".to_owned(),
        attached_to,
        started_at: at("2025-06-01T02:00:00Z"),
        expires_at: Some(at(&format!("{expiry}T15:59:59Z"))),
        anchor_day: expiry.rsplit('-').next().and_then(|day| day.parse().ok()),
        term: Term::new(1, TermUnit::Month),
        price: Some(price.parse().unwrap()),
        on_expiry: OnExpiry::Renew,
        ..Resource::default()
    };
    let disk = resource(format!("{id}-disk"), "ebs", Some(MemberIndex::PRIMARY), "10.00");
    Bundle { members: vec![resource(id.to_owned(), "ecs", None, "100.00"), disk] }
}

/// Opens a host on a database, as `serve` does when it starts.
pub fn open(db: &Path, now: Timestamp) -> Engine {
    let mut engine = Engine::new(Store::open(db).unwrap(), PROVIDERS.clone(), Retention::Everything);
    engine.bind_loaded(now).unwrap();
    engine.reschedule().unwrap();
    engine
}

/// Installs a table; returns the digest of the revision.
pub fn install(engine: &mut Engine, now: Timestamp, text: &str) -> String {
    let revisions = engine.providers().revisions().unwrap().clone();
    let plugin = revisions.load("other.toml", PluginParts::of_table(text.as_bytes().to_vec())).unwrap();
    engine.in_transaction(|engine| engine.keep_revision(now, &plugin, ("other.toml", None), AUTHOR)).unwrap();
    plugin.digest().to_owned()
}
