//! The table `ended_session`: sessions of the console that somebody signed out of, until they would have been over anyway.

use perennial_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Remembers that the session `id` was ended at `now`, and forgets those that were ended at or before `over`. Of more than `most`
/// the oldest are forgotten, too.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn insert(
    db: &WriteTx,
    id: &str,
    now: Timestamp,
    (over, most): (Timestamp, u32),
) -> Result<(), StoreError> {
    let connection = db.connection();
    connection
        .prepare_cached("delete from ended_session where ended_at <= ?1")?
        .execute([over.as_second()])?;
    connection
        .prepare_cached(
            "insert into ended_session (id, ended_at) values (?1, ?2) on conflict (id) do nothing",
        )?
        .execute((id, now.as_second()))?;
    connection
        .prepare_cached(
            "delete from ended_session where id in
                 (select id from ended_session order by ended_at desc, id limit -1 offset ?1)",
        )?
        .execute([most])?;
    Ok(())
}

/// Whether somebody signed out of the session `id`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn contains(db: &ReadTx, id: &str) -> Result<bool, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select exists (select 1 from ended_session where id = ?1)")?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn sessions_are_forgotten_when_they_are_over_and_the_oldest_of_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("db")).unwrap();
        let at = Timestamp::from_second;
        let mut end = |id: &str, now: i64, over: i64| {
            store.write(|tx| insert(tx, id, at(now), (at(over), 3))).unwrap();
            let known = ["a", "b", "c", "d"].into_iter();
            known.filter(|id| contains(store.db(), id).unwrap()).collect::<Vec<_>>().concat()
        };
        assert_eq!(end("a", 100, 0), "a");
        assert_eq!(end("a", 150, 0), "a", "it is ended once");
        assert_eq!(end("b", 200, 0), "ab");
        assert_eq!(end("c", 300, 0), "abc");
        assert_eq!(end("d", 400, 0), "bcd", "there are too many");
        assert_eq!(end("d", 400, 200), "cd", "it is over");
    }
}
