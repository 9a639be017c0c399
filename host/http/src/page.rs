//! Pagination: the size of a page, and the cursor of the next one.
//!
//! A cursor is opaque to clients. It has the row after which the next page begins. Rows only grow, so pages neither
//! repeat nor skip items while others are added.

use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use perennial_service::limits::Limit;
use perennial_store::cursor::Cursor;
use perennial_store::cursor::cursor;
use perennial_store::keys::RowKey;

use crate::input::Query;

/// The default number of items on a page.
const LIMIT_DEFAULT: u32 = 100;

/// The parameters of every list that comes in pages, as the API describes them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `PageRequest::read` reads")]
pub(crate) struct PageParams {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most items on the page; 100 if left out. The configuration may allow more.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A request for one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The cursor of the page; `None` is the first page.
    pub cursor: Option<Cursor>,
    /// The most items on the page, at least 1.
    pub limit: u32,
}

impl PageRequest {
    /// Reads the parameters `cursor` and `limit`.
    pub fn read(query: &mut Query) -> PageRequest {
        let text = query.take("cursor");
        let cursor = text.as_deref().and_then(Cursor::parse);
        if text.is_some() && cursor.is_none() {
            query.reject("cursor", "it is not the `next_cursor` of an earlier page");
        }
        let limit = query.take("limit");
        let number = limit.as_deref().map_or(Some(LIMIT_DEFAULT), |limit| limit.parse().ok());
        let most = query.page_items_max();
        let number = number.filter(|number| (1..=most).contains(number));
        if number.is_none() {
            let key = Limit::page_items_max();
            query.reject("limit", format!("expected a whole number from 1 to {most} ({key})"));
        }
        PageRequest { cursor, limit: number.unwrap_or(LIMIT_DEFAULT) }
    }

    /// The row after which the page of a list begins that has the oldest first.
    pub(crate) fn after<K: RowKey>(self) -> K {
        self.cursor.map_or_else(K::before_all, Cursor::key)
    }

    /// The row below which the page of a list begins that has the newest first.
    pub(crate) fn before<K: RowKey>(self) -> K {
        self.cursor.map_or_else(K::after_all, Cursor::key)
    }

    /// The number of rows to read: one more than the page has, to find out whether there is another page.
    pub(crate) fn read_limit(self) -> u32 {
        self.limit + 1
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The items of this page, in order.
    pub items: Vec<T>,
    /// The cursor of the next page; null when this is the last one.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> Page<T> {
    /// The page from rows that were read with `PageRequest::read_limit`.
    pub fn new(page_request: PageRequest, mut rows: Vec<(impl RowKey, T)>) -> Page<T> {
        let limit = usize::try_from(page_request.limit).expect("a page fits in memory");
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|(row, _)| cursor(*row));
        Page { items: rows.into_iter().map(|(_, item)| item).collect(), next_cursor }
    }
}
