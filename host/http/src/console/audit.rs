//! `/audit`: who did what and why, and what became of it.

use axum::response::Response;
use maud::html;

use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// `GET /audit`, newest first.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let page = visit
        .get(&Address::new("/v1/audit", &[]).with_each(query, &["cursor"]).with("limit", Some(200)).text())
        .await?;
    let rows = items(&page, "items").iter().map(|record| {
        vec![
            frame.time(&record["at"], None),
            html! { (plain(record, "name")) " " small { code { (plain(record, "token")) } } },
            html! { code { (plain(record, "operation")) } },
            parts::account(&record["account"]),
            parts::resource(&record["resource"]),
            parts::text(&record["reason"]),
            html! { (parts::text(&record["status"])) " " (frame.word(plain(record, "outcome"))) },
        ]
    });
    let columns = [
        Column::Words(t::WHEN),
        Column::Words(t::BY),
        Column::Words(t::WHAT),
        Column::Words(t::ACCOUNT),
        Column::Words(t::RESOURCE),
        Column::Words(t::REASON),
        Column::Words(t::OUTCOME),
    ];
    let content = html! {
        (parts::table(frame, frame.say(t::AUDIT), &columns, rows.collect()))
        (parts::more(frame, "/audit", &page, query, &[]))
    };
    Ok(layout::page(frame, Section::Audit, frame.say(t::AUDIT), content))
}
