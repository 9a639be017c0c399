//! The columns of a resource's plain fields: their names, and how they are written and read.
//!
//! The fields come from [`mod@perennial_domain::resource_fields`]. What changes as the clock goes on is in `schedule`, the rest
//! in `resource`.

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::resource_fields::Changes;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::types::ToSqlOutput;

use crate::codec;
use crate::error::StoreError;

/// What a column of a plain field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A number or a code; `None` is null.
    Number(Option<i64>),
    /// A column of text.
    Text(String),
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Cell::Number(number) => number.to_sql(),
            Cell::Text(text) => text.to_sql(),
        }
    }
}

/// A row on its way in: the columns of plain fields are read in their order.
pub(super) struct Cells<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Cells<'r, 's> {
    /// The cells of a row from the one at `first`.
    pub(super) fn new(row: &'r Row<'s>, first: usize) -> Cells<'r, 's> {
        Cells { row, next: first }
    }

    fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T, StoreError> {
        self.next += 1;
        Ok(self.row.get(self.next - 1)?)
    }
}

/// A type of a plain field, as one or two columns.
trait Column: Sized {
    /// What is added to the field's name for each of its columns.
    const SUFFIXES: &'static [&'static str] = &[""];

    fn read(cells: &mut Cells<'_, '_>) -> Result<Self, StoreError>;

    fn write(&self, cells: &mut Vec<Cell>);
}

impl Column for String {
    fn read(cells: &mut Cells<'_, '_>) -> Result<String, StoreError> {
        cells.take()
    }

    fn write(&self, cells: &mut Vec<Cell>) {
        cells.push(Cell::Text(self.clone()));
    }
}

impl Column for Timestamp {
    fn read(cells: &mut Cells<'_, '_>) -> Result<Timestamp, StoreError> {
        cells.take().map(Timestamp::from_second)
    }

    fn write(&self, cells: &mut Vec<Cell>) {
        cells.push(Cell::Number(Some(self.as_second())));
    }
}

impl Column for Option<Timestamp> {
    fn read(cells: &mut Cells<'_, '_>) -> Result<Option<Timestamp>, StoreError> {
        Ok(cells.take::<Option<i64>>()?.map(Timestamp::from_second))
    }

    fn write(&self, cells: &mut Vec<Cell>) {
        cells.push(Cell::Number(self.map(Timestamp::as_second)));
    }
}

impl Column for Option<Micros> {
    fn read(cells: &mut Cells<'_, '_>) -> Result<Option<Micros>, StoreError> {
        Ok(cells.take::<Option<i64>>()?.map(Micros::new))
    }

    fn write(&self, cells: &mut Vec<Cell>) {
        cells.push(Cell::Number(self.map(Micros::as_micros)));
    }
}

impl Column for Option<Term> {
    const SUFFIXES: &'static [&'static str] = &["_count", "_unit"];

    fn read(cells: &mut Cells<'_, '_>) -> Result<Option<Term>, StoreError> {
        let (count, unit) = (cells.take()?, cells.take()?);
        codec::term(count, unit)
    }

    fn write(&self, cells: &mut Vec<Cell>) {
        let (count, unit) = codec::term_columns(*self);
        cells.extend([Cell::Number(count.map(i64::from)), Cell::Number(unit)]);
    }
}

macro_rules! number_columns {
    ($( $type:ty; )+) => {
        $(
            impl Column for Option<$type> {
                fn read(cells: &mut Cells<'_, '_>) -> Result<Option<$type>, StoreError> {
                    cells.take()
                }

                fn write(&self, cells: &mut Vec<Cell>) {
                    cells.push(Cell::Number(self.map(i64::from)));
                }
            }
        )+
    };
}

number_columns! {
    u8;
    u32;
}

macro_rules! coded_columns {
    ($( $type:ty, $what:literal; )+) => {
        $(
            impl Column for $type {
                fn read(cells: &mut Cells<'_, '_>) -> Result<$type, StoreError> {
                    codec::coded(<$type>::from_code, cells.take()?, $what)
                }

                fn write(&self, cells: &mut Vec<Cell>) {
                    cells.push(Cell::Number(Some(self.code())));
                }
            }
        )+
    };
}

coded_columns! {
    Charging, "a charging";
    OnExpiry, "what happens on expiry";
    Stage, "a stage";
}

macro_rules! columns {
    ($( $(#[$meaning:meta])+ $field:ident: $type:ty, $changes:ident; )+) => {
        /// The names of the columns of the fields that change so often.
        pub(super) fn names(changes: Changes) -> Vec<String> {
            let mut names = Vec::new();
            $(
                if changes == Changes::$changes {
                    let suffixes = <$type as Column>::SUFFIXES.iter();
                    names.extend(suffixes.map(|suffix| format!("{}{suffix}", stringify!($field))));
                }
            )+
            names
        }

        /// What the columns of [`names`] hold, in their order.
        pub(super) fn values(resource: &Resource, changes: Changes) -> Vec<Cell> {
            let mut cells = Vec::new();
            $(
                if changes == Changes::$changes {
                    <$type as Column>::write(&resource.$field, &mut cells);
                }
            )+
            cells
        }

        /// The names of all columns in the order of [`read`], those of `resource` as `r` and those of `schedule` as `h`.
        pub(super) fn qualified_names() -> String {
            let mut names = Vec::new();
            $(
                let table = if Changes::$changes == Changes::Often { "h" } else { "r" };
                let suffixes = <$type as Column>::SUFFIXES.iter();
                names.extend(suffixes.map(|suffix| format!("{table}.{}{suffix}", stringify!($field))));
            )+
            names.join(", ")
        }

        /// The resource with its plain fields, and nothing else.
        pub(super) fn read(cells: &mut Cells<'_, '_>) -> Result<Resource, StoreError> {
            Ok(Resource { $( $field: <$type as Column>::read(cells)?, )+ ..Resource::default() })
        }
    };
}

perennial_domain::resource_fields!(columns);
