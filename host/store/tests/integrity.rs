//! A database that is damaged is found to be, and one that is not is left in peace.

use perennial_domain::micros::Micros;
use perennial_store::Store;
use perennial_store::integrity;
use perennial_store::testing;
use tempfile::TempDir;

const YEAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-3/year.db");

/// A year of a host, with both providers, approvals and jobs.
fn year() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("year.db");
    std::fs::copy(YEAR, &path).unwrap();
    let store = Store::open(&path).unwrap();
    (folder, store)
}

/// The promises that are violated, one for each violation.
fn violated(store: &Store) -> Vec<&'static str> {
    integrity::check(store.db()).unwrap().into_iter().map(|violation| violation.promise).collect()
}

#[test]
fn a_year_of_a_host_keeps_every_promise() {
    let (_folder, store) = year();
    assert_eq!(integrity::check(store.db()).unwrap(), []);
}

#[test]
fn a_balance_that_its_entries_do_not_make_is_found() {
    let (_folder, store) = year();
    let account = perennial_store::accounts::list(store.db()).unwrap().remove(0).account.id;
    testing::set_available(store.db(), &account, Micros::new(7_000_000));
    let found = integrity::check(store.db()).unwrap();
    assert_eq!(found.len(), 1);
    let text = found[0].to_string();
    let start = format!("every balance is the sum of its entries: `{account}` has 7.00 and 0.00 held, ");
    assert!(text.starts_with(&start), "{text}");
}

#[test]
fn a_period_that_is_paid_twice_is_found() {
    let (_folder, store) = year();
    testing::double_orders(store.db());
    let found = violated(&store);
    assert!(!found.is_empty());
    assert!(found.iter().all(|promise| *promise == "no period of a resource is paid for twice"), "{found:?}");
}

#[test]
fn a_live_bundle_without_a_wake_is_found() {
    let (_folder, store) = year();
    testing::clear_wakes(store.db());
    let found = violated(&store);
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|promise| *promise == "every bundle with a live prepaid member has a wake"),
        "{found:?}"
    );
}

#[test]
fn an_approval_and_its_attempt_that_disagree_are_found() {
    let (_folder, store) = year();
    testing::reopen_approvals(store.db());
    let found = violated(&store);
    assert!(found.contains(&"every approval that is not pending was closed"), "{found:?}");
    assert!(found.contains(&"every attempt of a pending approval awaits it"), "{found:?}");
}

#[test]
fn a_row_that_refers_to_nothing_is_found() {
    let (_folder, store) = year();
    testing::remove_accounts(store.db());
    assert!(violated(&store).contains(&"every row refers to rows that are there"));
}
