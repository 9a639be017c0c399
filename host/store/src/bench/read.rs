//! The read that the admin API makes for one resource, as JSON with every column by name.

use crate::tx::ReadTx;
use rusqlite::OptionalExtension;
use rusqlite::types::Value as Sql;
use serde_json::Map;
use serde_json::Value;

use crate::bundles::SELECT_BUNDLE;
use crate::error::StoreError;

/// The resource called `id` with its bundle and its account, every column by name.
pub fn resource(db: &ReadTx, id: &str) -> Result<Option<Value>, StoreError> {
    let row: Option<i64> = db
        .connection()
        .prepare_cached("select row from resource where id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let bundle: i64 = db
        .connection()
        .prepare_cached("select bundle from schedule where resource = ?1")?
        .query_row([row], |row| row.get(0))?;
    let members = rows(db, &SELECT_BUNDLE, bundle)?;
    let account = members.first().and_then(|member| member["account"].as_i64()).unwrap_or_default();
    let account = rows(db, "select * from account where row = ?1", account)?;
    let resource = members.into_iter().find(|member| member["id"] == id);
    Ok(Some(serde_json::json!({ "resource": resource, "account": account.first() })))
}

fn rows(db: &ReadTx, sql: &str, key: i64) -> rusqlite::Result<Vec<Value>> {
    let mut statement = db.connection().prepare_cached(sql)?;
    let names = statement.column_names().map(str::to_owned).collect::<Vec<_>>();
    let rows = statement.query_map([key], |row| {
        let mut fields = Map::new();
        for (place, name) in names.iter().enumerate() {
            let value = match row.get::<_, Sql>(place)? {
                Sql::Integer(number) => number.into(),
                Sql::Text(text) => text.into(),
                Sql::Null | Sql::Real(_) | Sql::Blob(_) => Value::Null,
            };
            fields.insert(name.clone(), value);
        }
        Ok(Value::Object(fields))
    })?;
    rows.collect()
}
