//! `/v1/prices`: the price of each resource, and the cost of its next renewal.

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
use perennial_store::keys::ResourceKey;
use perennial_store::resource_query;
use perennial_store::resource_query::FoundResource;
use perennial_store::resource_query::ResourceFilter;
use perennial_store::resource_query::ResourcePage;
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

/// The number of lines in one read of a table.
const LINES_PER_CHUNK: u32 = 1_000;

/// The price of a resource.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
pub(super) struct PriceView {
    /// The resource's ID.
    resource: String,
    /// The account's ID.
    account: String,
    /// The id of the plugin that has the rules.
    provider: String,
    /// One of the plugin's kinds.
    kind: String,
    /// The region of the resource.
    region: String,
    /// The account's currency.
    currency: String,
    /// The term that it was bought for; null if postpaid.
    term: Option<TermView>,
    /// The price of one term, a decimal; null if postpaid.
    price: Option<String>,
    /// The default term of the next renewal; null if postpaid or ended.
    renewal_term: Option<TermView>,
    /// The cost of that renewal, a decimal: pro rata by months, without days that a provider adds to align expiries.
    renewal_cost: Option<String>,
}

/// The price of a resource, before it is formatted.
struct Price {
    names: [String; 6],
    term: Option<Term>,
    price: Option<Micros>,
    renewal: Option<(Term, Option<Micros>)>,
}

/// Lists the prices of the resources that pass every given filter, in the order in which they were added. JSON has
/// pages; CSV is one table.
#[utoipa::path(get, path = "/v1/prices", tag = "prices",
    params(
        ResourceFilterParams,
        ("format" = Option<String>, Query, description = "`json` or `csv`; if left out, `Accept` decides."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before; CSV begins there."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "The most items on the page; 100 if left out. CSV has no pages."),
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
            let after = page_request.after();
            let rows = app.read(move |db| prices(db, &filter, after, page_request.read_limit())).await?;
            let rows = rows.into_iter().map(|(row, price)| (row, PriceView::from(price))).collect();
            Ok(Json(Page::new(page_request, rows)).into_response())
        }
        ListFormat::Csv => {
            let slots = app.acquire_slots(&caller.id, &caller.owner)?;
            let (writer, response) = csv::streaming_response();
            let after = page_request.after();
            tokio::spawn(async move {
                if let Err(problem) = write(&app, filter, after, &writer, slots).await {
                    writer.abort(&problem).await;
                }
            });
            Ok(response)
        }
    }
}

/// Writes the table. It holds slots of the token and its person until the client has read all of it.
async fn write(
    app: &AppState,
    filter: ResourceFilter,
    mut after: ResourceKey,
    writer: &csv::CsvWriter,
    _slots: Vec<RequestSlot>,
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

/// Reads the prices of at most `limit` resources that pass `filter`, after the row `after`.
fn prices(
    db: &ReadTx,
    filter: &ResourceFilter,
    after: ResourceKey,
    limit: u32,
) -> Result<Vec<(ResourceKey, Price)>, Problem> {
    let mut prices = Vec::new();
    for FoundResource { row, id, .. } in
        resource_query::find(db, filter, ResourcePage::after(after, limit))?.resources
    {
        let Some(resolved) = lookup::find_resource(db, &id)? else { continue };
        let (account, resource) = (&resolved.account.account, resolved.resource());
        let renewal = resource.renewal_term.or(resource.term).filter(|_| resource.is_live());
        let cost = |term: Term| Some(term.price(resource.price?, resource.term?, 0));
        let (kind, region) = (resource.kind.clone(), resource.region.clone());
        let price = Price {
            names: [id, account.id.clone(), account.provider.clone(), kind, region, account.currency.clone()],
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
