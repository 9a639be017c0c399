//! `/v1/prices`: what each resource costs, and what its next renewal does.

use std::fmt::Write;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_store::ReadTx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::resources;
use crate::admin::resources::ResourceFilterParams;
use crate::csv;
use crate::csv::ListFormat;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;
use crate::state::RequestSlot;
use crate::views::to_text;
use perennial_formats::plan::TermView;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::list_queries;
use perennial_store::list_queries::Filter;

/// How many lines of a table are read at once.
const LINES_PER_CHUNK: u32 = 1_000;

/// What a resource costs.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
pub(super) struct PriceView {
    /// The resource.
    resource: String,
    /// Whose it is.
    account: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// One of the plugin's kinds.
    kind: String,
    /// Where it runs.
    region: String,
    /// The account's currency.
    currency: String,
    /// The period that it was bought for; null for postpaid ones.
    term: Option<TermView>,
    /// What one term costs, a decimal; null for postpaid ones.
    price: Option<String>,
    /// What the next renewal is for unless somebody says otherwise; null for what is postpaid or at its end.
    renewal_term: Option<TermView>,
    /// What that costs, a decimal: pro rata by months, without days that a provider adds to align expiries.
    renewal_cost: Option<String>,
}

/// What a resource costs, as the host knows it.
struct Price {
    names: [String; 6],
    term: Option<Term>,
    price: Option<Micros>,
    renewal: Option<(Term, Option<Micros>)>,
}

/// Lists what each resource costs, in the order in which they were added: those that pass every filter that is given. In
/// JSON in pages; CSV has all of it in one table.
#[utoipa::path(get, path = "/v1/prices", tag = "prices",
    params(
        ResourceFilterParams,
        ("format" = Option<String>, Query, description = "`json` or `csv`; if left out, `Accept` says."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before; CSV begins there."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "How many on a page; 100 if left out. CSV has no pages."),
    ),
    responses((status = 200, content((Page<PriceView> = "application/json"), (String = "text/csv")))))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, Problem> {
    let format = ListFormat::read(&mut query, &headers);
    let page_request = page::PageRequest::read(&mut query);
    let filter = resources::filter(&mut query, &caller);
    query.finish()?;
    match format {
        ListFormat::Json => {
            let after = page_request.after.unwrap_or(0);
            let rows = app.read(move |db| prices(db, &filter, after, page_request.read_limit())).await?;
            let rows = rows.into_iter().map(|(row, price)| (row, PriceView::from(price))).collect();
            Ok(Json(Page::new(page_request, rows)).into_response())
        }
        ListFormat::Csv => {
            let slot = app.acquire_slot(&caller.id)?;
            let (writer, response) = csv::streaming_response();
            let after = page_request.after.unwrap_or(0);
            tokio::spawn(async move {
                if let Err(problem) = write(&app, filter, after, &writer, slot).await {
                    writer.abort(&problem).await;
                }
            });
            Ok(response)
        }
    }
}

/// Writes a table; it takes one of the token's places until it is read to its end.
async fn write(
    app: &AppState,
    filter: Filter,
    mut after: i64,
    writer: &csv::CsvWriter,
    _slot: RequestSlot,
) -> Result<(), Problem> {
    let head = "resource,account,provider,kind,region,currency,term,price,renewal_term,renewal_cost\r\n";
    let mut part = head.to_owned();
    while writer.write(part).await {
        let filter = filter.clone();
        let rows = app.read(move |db| prices(db, &filter, after, LINES_PER_CHUNK)).await?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        part = rows.iter().map(|(_, price)| price.line()).collect();
    }
    Ok(())
}

/// What the resources that pass `filter` cost, above the row `after`, at most `limit`.
fn prices(db: &ReadTx, filter: &Filter, after: i64, limit: u32) -> Result<Vec<(i64, Price)>, Problem> {
    let mut prices = Vec::new();
    for (row, id) in list_queries::resources(db, filter, after, limit)? {
        let Some(found) = lookup::find_resource(db, &id)? else { continue };
        let (account, resource) = (found.account.account, &found.stored.bundle.members[found.member]);
        let renewal = resource.renewal_term.or(resource.term).filter(|_| resource.is_live());
        let cost = |term: Term| Some(term.price(resource.price?, resource.term?, 0));
        let (kind, region) = (resource.kind.clone(), resource.region.clone());
        let price = Price {
            names: [id, account.id, account.provider, kind, region, account.currency],
            term: resource.term,
            price: resource.price,
            renewal: renewal.map(|term| (term, cost(term))),
        };
        prices.push((row, price));
    }
    Ok(prices)
}

impl From<Price> for PriceView {
    fn from(price: Price) -> PriceView {
        let [resource, account, provider, kind, region, currency] = price.names;
        PriceView {
            resource,
            account,
            provider,
            kind,
            region,
            currency,
            term: price.term.map(TermView::from),
            price: to_text(price.price),
            renewal_term: price.renewal.map(|(term, _)| term.into()),
            renewal_cost: to_text(price.renewal.and_then(|(_, cost)| cost)),
        }
    }
}

impl Price {
    fn line(&self) -> String {
        let mut line = String::new();
        for name in &self.names {
            write!(line, "{},", csv::quote(name)).expect("writing to text never fails");
        }
        let fields = [
            to_text(self.term),
            to_text(self.price),
            to_text(self.renewal.map(|(term, _)| term)),
            to_text(self.renewal.and_then(|(_, cost)| cost)),
        ];
        line + &fields.map(Option::unwrap_or_default).join(",") + "\r\n"
    }
}
