//! Pages of a list that begin at a number, with how many resources there are.

use crate::error::StoreError;
use crate::resource_query::FROM;
use crate::resource_query::FoundResources;
use crate::resource_query::ResourceFilter;
use crate::resource_query::ResourcePage;
use crate::resource_query::Statement;
use crate::resource_query::read;
use crate::tx::ReadTx;
use crate::tx::page_marks::PageStart;
use crate::tx::page_marks::Version;

/// A page that begins at a number, and how many resources there are. Where the page before it was read from the same database,
/// neither takes reading anything else.
pub(super) fn find(
    db: &ReadTx,
    filter: &ResourceFilter,
    page: ResourcePage,
) -> Result<FoundResources, StoreError> {
    if !filter.ids.is_empty() {
        // What is asked for by its ids is found by an index, and no list of them is worth keeping.
        return Ok(FoundResources { resources: read(db, filter, page)?, total: count(db, filter)? });
    }
    let list = format!("{filter:?}");
    let mut marks = db.page_marks();
    marks.refresh(version(db)?);
    let start = match marks.start(&list, page.offset) {
        Some(start) => start,
        None => PageStart { total: count(db, filter)?, after: page.after, skipped: page.offset },
    };
    let resources = read(db, filter, ResourcePage { after: start.after, offset: start.skipped, ..page })?;
    if let Some(last) = resources.last() {
        let end = page.offset.saturating_add(u32::try_from(resources.len()).unwrap_or(u32::MAX));
        marks.remember(list, start.total, end, last.row);
    }
    Ok(FoundResources { resources, total: start.total })
}

fn count(db: &ReadTx, filter: &ResourceFilter) -> Result<u32, StoreError> {
    let mut statement = Statement::of(filter, "count(*)")?;
    statement.sql.push_str(FROM);
    statement.add_conditions();
    let mut prepared = db.connection().prepare_cached(&statement.sql)?;
    Ok(prepared.query_row(statement.bound().as_slice(), |row| row.get(0))?)
}

fn version(db: &ReadTx) -> Result<Version, StoreError> {
    let read = |sql| db.connection().prepare_cached(sql)?.query_row([], |row| row.get(0));
    Ok((read("pragma data_version")?, read("select total_changes()")?))
}

#[cfg(test)]
mod tests {
    use perennial_domain::bundle::Bundle;
    use perennial_domain::timestamp::Timestamp;

    use super::*;
    use crate::Store;
    use crate::bundles;
    use crate::bundles::Schedule;
    use crate::keys::AccountKey;
    use crate::keys::ResourceKey;
    use crate::keys::RowKey;
    use crate::resource_query::tests::resource;
    use crate::resource_query::tests::world;
    use crate::resource_query::tests::world_in;

    fn page(db: &ReadTx, offset: u32) -> (Vec<String>, u32) {
        let found = find(db, &ResourceFilter::default(), ResourcePage::numbered(offset, 2)).unwrap();
        (found.resources.into_iter().map(|found| found.id).collect(), found.total)
    }

    #[test]
    fn the_next_page_is_read_from_where_the_one_before_ended() {
        let (_folder, store) = world();
        let (all, db) = (format!("{:?}", ResourceFilter::default()), store.db());
        assert_eq!(db.page_marks().start(&all, 2), None, "nothing was read");
        page(db, 0);
        let after = ResourceKey::from_number;
        let start = |list: &str, offset| db.page_marks().start(list, offset);
        assert_eq!(start(&all, 2), Some(PageStart { total: 6, after: after(2), skipped: 0 }));
        assert_eq!(start(&all, 5), Some(PageStart { total: 6, after: after(2), skipped: 3 }));
        assert_eq!(start(&all, 1), Some(PageStart { total: 6, after: after(0), skipped: 1 }));
        page(db, 2);
        assert_eq!(start(&all, 5), Some(PageStart { total: 6, after: after(4), skipped: 1 }));
        let other = ResourceFilter { only_packages: true, ..ResourceFilter::default() };
        assert_eq!(start(&format!("{other:?}"), 2), None, "each list has its own");
    }

    #[test]
    fn a_page_is_of_the_database_as_it_is_and_not_as_it_was() {
        let (folder, mut store) = world_in(Store::open);
        let reader = ReadTx::open(&folder.path().join("test.db")).unwrap();
        let is_read = |db: &ReadTx, expected: [&str; 2], total| {
            page(db, 0);
            assert_eq!(page(db, 2), (expected.map(str::to_owned).to_vec(), total));
        };
        is_read(store.db(), ["b-snap", "a-pkg"], 6);
        is_read(&reader, ["b-snap", "a-pkg"], 6);
        let (account, schedule) = bundle_of(store.db());
        store
            .write(|tx| {
                let bundle = Bundle { members: vec![resource("b-new", "vm", 20)] };
                bundles::insert(tx, account, &bundle, schedule)?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
        assert_eq!(page(store.db(), 6), (vec!["b-new".to_owned()], 7));
        assert_eq!(page(&reader, 6), (vec!["b-new".to_owned()], 7));
    }

    fn bundle_of(db: &ReadTx) -> (AccountKey, Schedule) {
        let (stored, _) = bundles::find_by_resource(db, "b-vm").unwrap().unwrap();
        (stored.account, Schedule { cursor_at: Timestamp::from_second(0), wake_at: None, failures: 0 })
    }
}
