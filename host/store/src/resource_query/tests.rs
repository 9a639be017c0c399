//! What each condition lets through, and which index answers it.

use std::collections::BTreeMap;
use std::path::Path;

use expect_test::expect;
use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use tempfile::TempDir;

use super::*;
use crate::Store;
use crate::accounts;
use crate::bundles;
use crate::bundles::Schedule;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second)
}

pub(super) fn resource(id: &str, kind: &str, expires_at: i64) -> Resource {
    Resource {
        id: id.to_owned(),
        kind: kind.to_owned(),
        started_at: at(0),
        expires_at: Some(at(expires_at)),
        ..Resource::default()
    }
}

/// Two accounts. `b-vm` has a disk with a snapshot, which is attached to the disk; `a-pkg` is a package; `a-old` is over.
pub(super) fn world() -> (TempDir, Store) {
    world_in(Store::scratch)
}

/// The same in a database that is opened in another way.
pub(super) fn world_in(open: impl FnOnce(&Path) -> Result<Store, StoreError>) -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder.path().join("test.db")).unwrap();
    let account = |id: &str, provider: &str| Account {
        id: id.to_owned(),
        provider: provider.to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(Micros::ZERO, Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    };
    let disk = Resource { attached_to: Some(MemberIndex::PRIMARY), ..resource("b-disk", "disk", 20) };
    let snapshot = Resource { attached_to: Some(MemberIndex::new(1)), ..resource("b-snap", "snapshot", 30) };
    let package = Package {
        quota: Micros::ZERO,
        used: Micros::ZERO,
        unit: String::new(),
        resource_type: String::new(),
        bought_at: at(0),
    };
    let tags = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
    let package = Resource { package: Some(package), tags, ..resource("a-pkg", "package", 10) };
    let over = Resource { stage: Stage::Released, ..resource("a-old", "vm", 5) };
    let postpaid = Resource { charging: Charging::Postpaid, expires_at: None, ..resource("b-post", "vm", 0) };
    store
        .write(|tx| {
            let b = accounts::insert(tx, &account("b", "two"))?;
            let a = accounts::insert(tx, &account("a", "one"))?;
            let schedule = |wake_at| Schedule { cursor_at: at(0), wake_at, failures: 0 };
            let waking = schedule(Some(at(5)));
            bundles::insert(
                tx,
                b,
                &Bundle { members: vec![resource("b-vm", "vm", 20), disk, snapshot] },
                waking,
            )?;
            bundles::insert(tx, a, &Bundle { members: vec![package] }, waking)?;
            bundles::insert(tx, a, &Bundle { members: vec![over] }, schedule(None))?;
            bundles::insert(tx, b, &Bundle { members: vec![postpaid] }, schedule(None))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    (folder, store)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Filters by what they are for.
fn filters() -> Vec<(&'static str, ResourceFilter)> {
    let all = ResourceFilter::default;
    let disk_ids = vec!["b-disk".to_owned(), "nothing".to_owned()];
    vec![
        ("everything", all()),
        ("one account", ResourceFilter { account: text("a"), ..all() }),
        ("no such account", ResourceFilter { account: text("c"), ..all() }),
        ("accounts", ResourceFilter { accounts: text(r#"["a", "c"]"#), ..all() }),
        ("a provider", ResourceFilter { provider: text("two"), ..all() }),
        ("ids", ResourceFilter { ids: disk_ids.clone(), ..all() }),
        ("with attached", ResourceFilter { ids: disk_ids.clone(), with_attached: true, ..all() }),
        ("of another account", ResourceFilter { ids: disk_ids, account: text("a"), ..all() }),
        ("kinds", ResourceFilter { kinds: vec!["vm".to_owned(), "disk".to_owned()], ..all() }),
        ("stages", ResourceFilter { stages: vec![Stage::Released, Stage::Grace], ..all() }),
        ("a charging", ResourceFilter { charging: Some(Charging::Postpaid), ..all() }),
        ("a tag", ResourceFilter { tag: text("team"), ..all() }),
        ("a tag's value", ResourceFilter { tag: text("team"), tag_value: text("blue"), ..all() }),
        ("expires from", ResourceFilter { expires_from: Some(at(20)), ..all() }),
        ("expires before", ResourceFilter { expires_before: Some(at(20)), ..all() }),
        ("expires until", ResourceFilter { expires_until: Some(at(20)), ..all() }),
        ("packages", ResourceFilter { only_packages: true, ..all() }),
        ("primaries", ResourceFilter { only_primaries: true, ..all() }),
        ("waking", ResourceFilter { only_waking: true, ..all() }),
    ]
}

fn ids(found: &FoundResources) -> String {
    found.resources.iter().map(|found| found.id.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_condition_lets_through_what_it_names() {
    let (_folder, store) = world();
    let mut table = String::new();
    for (what, filter) in filters() {
        let found = find(store.db(), &filter, ResourcePage::numbered(0, 100)).unwrap();
        assert_eq!(usize::try_from(found.total).unwrap(), found.resources.len());
        let after = find(store.db(), &filter, ResourcePage::after(RowKey::before_all(), 100)).unwrap();
        assert_eq!(after.resources, found.resources);
        table.push_str(format!("{what:<19} {}", ids(&found)).trim_end());
        table.push('\n');
    }
    expect![[r#"
        everything          b-vm b-disk b-snap a-pkg a-old b-post
        one account         a-pkg a-old
        no such account
        accounts            a-pkg a-old
        a provider          b-vm b-disk b-snap b-post
        ids                 b-disk
        with attached       b-disk b-snap
        of another account
        kinds               b-vm b-disk a-old b-post
        stages              a-old
        a charging          b-post
        a tag               a-pkg
        a tag's value
        expires from        b-vm b-disk b-snap
        expires before      a-pkg a-old
        expires until       b-vm b-disk a-pkg a-old
        packages            a-pkg
        primaries           b-vm a-pkg a-old b-post
        waking              b-vm a-pkg
    "#]]
    .assert_eq(&table);
}

#[test]
fn pages_begin_after_a_row_or_at_a_number() {
    let (_folder, store) = world();
    let all = ResourceFilter::default();
    let page = |page| find(store.db(), &all, page).unwrap();
    let first = page(ResourcePage::after(RowKey::before_all(), 2));
    assert_eq!(ids(&first), "b-vm b-disk");
    assert_eq!(ids(&page(ResourcePage::after(first.resources[1].row, 2))), "b-snap a-pkg");
    let numbered = page(ResourcePage::numbered(4, 9));
    assert_eq!((ids(&numbered).as_str(), numbered.total), ("a-old b-post", 6));
    let empty = page(ResourcePage::numbered(0, 0));
    assert_eq!((ids(&empty).as_str(), empty.total), ("", 6));
    let beyond = page(ResourcePage::numbered(9, 9));
    assert_eq!((ids(&beyond).as_str(), beyond.total), ("", 6));
    assert_eq!(ids(&page(ResourcePage::by_account(5))), "a-old a-pkg b-post b-vm b-disk");
    let bundles = page(ResourcePage::numbered(0, 9)).resources.into_iter().map(|found| found.bundle.number());
    assert_eq!(bundles.collect::<Vec<_>>(), [1, 1, 1, 4, 5, 6]);
}

#[test]
fn lists_are_read_by_row_and_one_account_by_its_index() {
    let (_folder, store) = world();
    let mut plans = String::new();
    let page = ResourcePage::after(RowKey::from_number(1), 100);
    for (what, filter) in filters() {
        let statement = Statement::new(&filter, page).unwrap();
        let mut explain =
            store.db().connection().prepare(&format!("explain query plan {}", statement.sql)).unwrap();
        let parameters = statement.parameters.iter().map(|(name, value)| (*name, value.as_ref()));
        let rows =
            explain.query_map(parameters.collect::<Vec<_>>().as_slice(), |row| row.get::<_, String>(3));
        let rows =
            rows.unwrap().map(Result::unwrap).filter(|row| row.contains(" r ") || row.contains("B-TREE"));
        plans.push_str(&format!("{what:<19} {}\n", rows.collect::<Vec<_>>().join("; ")));
    }
    expect![[r#"
        everything          SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        one account         SEARCH r USING INDEX resource_account (account=? AND rowid>?)
        no such account     SEARCH r USING INDEX resource_account (account=? AND rowid>?)
        accounts            SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        a provider          SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        ids                 SEARCH r USING COVERING INDEX sqlite_autoindex_resource_1 (id=? AND rowid>?); USE TEMP B-TREE FOR ORDER BY
        with attached       SEARCH r USING INTEGER PRIMARY KEY (rowid=?); SEARCH r USING INTEGER PRIMARY KEY (rowid=?)
        of another account  SEARCH r USING INDEX sqlite_autoindex_resource_1 (id=? AND rowid>?); USE TEMP B-TREE FOR ORDER BY
        kinds               SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        stages              SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        a charging          SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        a tag               SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        a tag's value       SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        expires from        SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        expires before      SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        expires until       SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        packages            SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        primaries           SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
        waking              SEARCH r USING INTEGER PRIMARY KEY (rowid>?)
    "#]].assert_eq(&plans);
}

#[test]
fn what_nothing_renews_and_what_expires_early_are_found_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::scratch(&folder.path().join("test.db")).unwrap();
    let account = Account {
        id: "a".to_owned(),
        provider: "one".to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(Micros::ZERO, Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    };
    let renewing = |id: &str| Resource { on_expiry: OnExpiry::Renew, ..resource(id, "vm", 20) };
    let along = |id: &str, expires_at: i64| Resource {
        attached_to: Some(MemberIndex::PRIMARY),
        ..resource(id, "disk", expires_at)
    };
    let over = Resource { stage: Stage::Released, ..resource("over", "vm", 5) };
    let postpaid = Resource { charging: Charging::Postpaid, expires_at: None, ..resource("post", "vm", 0) };
    let owned = [
        vec![renewing("renews"), along("renewed-along", 20), along("early", 10), along("late", 30)],
        vec![resource("lapses", "vm", 20), along("lapses-too", 20), along("early-too", 10)],
        vec![over],
        vec![postpaid],
    ];
    let schedule = Schedule { cursor_at: at(0), wake_at: Some(at(5)), failures: 0 };
    store
        .write(|tx| {
            let a = accounts::insert(tx, &account)?;
            for members in owned {
                bundles::insert(tx, a, &Bundle { members }, schedule)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let found = |risk| {
        let filter = ResourceFilter { risk: Some(risk), ..ResourceFilter::default() };
        let page = ResourcePage::sorted(ResourceSort::Id, ResourceKey::before_all(), 10);
        let found = find(store.db(), &filter, page).unwrap().resources;
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(found(RenewalRisk::Unprotected), ["early", "early-too", "lapses", "lapses-too"]);
    assert_eq!(found(RenewalRisk::Orphaned), ["early", "early-too"]);
}
