//! A database that is damaged is found to be, one that is not is left in peace, and no store takes a second attempt.

use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::AttemptId;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::attempt::Key;
use perennial_domain::attempt::State;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_store::Store;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::integrity;
use perennial_store::memory::MemoryStore;
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
fn two_settled_attempts_at_one_renewal_are_found() {
    let (_folder, store) = year();
    testing::double_attempts(store.db());
    let found = violated(&store);
    assert!(!found.is_empty());
    let promise = "no two attempts at one renewal got past a decline and an approval";
    assert!(found.iter().all(|found| *found == promise), "{found:?}");
}

/// What a store says to attempts at one renewal of `resource`, each for so many months: `ok` or why not.
fn attempts(store: &mut impl EngineStore, resource: &str, steps: &[(u32, State)]) -> Vec<String> {
    let (stored, member) = store.reads().find_bundle(resource).unwrap().unwrap();
    let (original, _) = stored.into_original();
    let at = Timestamp::from_second(4_000_000_000);
    let key = Key { resource: resource.to_owned(), expires_before: at };
    let record = |(count, state): &(u32, State)| {
        let id = AttemptId { key: key.clone(), term: Term::new(*count, TermUnit::Month).unwrap() };
        let attempt = Attempt { id, state: *state, at };
        let change = Change::RecordAttempt { resource: original.rows[member], attempt };
        store.commit([change]).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
    };
    steps.iter().map(record).collect()
}

#[test]
fn a_renewal_for_another_term_is_no_second_attempt() {
    let declined = State::Declined(DeclineClass::Money);
    let twice = |id: &str| {
        format!("`{id}` has been paid for from 2096-10-02T07:06:40Z on already; nothing was written")
    };
    let (_folder, mut store) = year();
    let resource = testing::members(store.db()).remove(0).0;
    let mut memory = MemoryStore::load(store.db(), None).unwrap();
    let steps =
        [(1, declined), (1, declined), (12, State::InDoubt), (1, State::Settled), (12, State::Settled)];
    let (kept, held) = (attempts(&mut store, &resource, &steps), attempts(&mut memory, &resource, &steps));
    assert_eq!(kept, ["ok", "ok", "ok", &twice(&resource), &twice(&resource)]);
    assert_eq!(held, kept, "in memory");
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
