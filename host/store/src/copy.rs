//! Copying what the clock needs to go on from, to another database of the same schema. What happened is left behind.

use rusqlite::named_params;
use rusqlite::types::ToSqlOutput;

use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Each table with how one of its rows, `t`, belongs to an account among `:accounts`.
const TABLES: [(&str, &str); 9] = [
    ("account", "t.id in (select value from json_each(:accounts))"),
    ("resource", OF_ACCOUNT),
    ("schedule", OF_RESOURCE),
    (
        "plugin_failure",
        "t.bundle in (select r.row from resource r join account a on a.row = r.account
                      where a.id in (select value from json_each(:accounts)))",
    ),
    ("package", OF_ACCOUNT),
    ("deferred_purchase", OF_RESOURCE),
    ("attempt", OF_RESOURCE),
    ("orders", OF_RESOURCE),
    ("approval", OF_ACCOUNT),
];
const OF_ACCOUNT: &str =
    "t.account in (select row from account where id in (select value from json_each(:accounts)))";
const OF_RESOURCE: &str = "t.resource in (select r.row from resource r join account a on a.row = r.account
                                         where a.id in (select value from json_each(:accounts)))";

/// Copies what belongs to `accounts`, a JSON list of ids, or to all of them. There is nothing of it in `to` yet.
pub fn copy(from: &ReadTx, to: &WriteTx, accounts: Option<&str>) -> Result<(), StoreError> {
    for (table, whose) in TABLES {
        let mut statement = from
            .connection()
            .prepare(&format!("select t.* from {table} t where :accounts is null or {whose}"))?;
        let columns = statement.column_count();
        let places = vec!["?"; columns].join(", ");
        let mut insert = to.connection().prepare(&format!("insert into {table} values ({places})"))?;
        let mut rows = statement.query(named_params! { ":accounts": accounts })?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                insert.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(row.get_ref(column)?))?;
            }
            insert.raw_execute()?;
        }
    }
    Ok(())
}
