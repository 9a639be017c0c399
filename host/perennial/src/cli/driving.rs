//! `perennial account drive` and its kin: who renews what a connected account has, and what its operator allows.

use perennial_domain::connector::Driver;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::choice::Choice;
use crate::cli::confirm::EndArguments;
use crate::cli::connection::CONNECTION;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// The drivers that an account can be given.
const DRIVER: Choice<Driver> = Choice { what: "driver", all: &Driver::ALL, name: Driver::name };

#[derive(Debug, clap::Args)]
pub(super) struct Drive {
    /// The ID of the account.
    id: String,
    /// `watch`: nobody here. `provider`: its own auto-renew, which this host sets and makes up for. `host`: this host's clock.
    #[arg(value_parser = DRIVER)]
    driver: Driver,
    #[command(flatten)]
    end: EndArguments,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

/// One connected account, or all of them.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The ID of the account.
    #[arg(required_unless_present = "all")]
    id: Option<String>,
    /// Every connected account.
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    end: EndArguments,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
pub(super) struct LimitSpending {
    /// The ID of the account.
    id: String,
    /// The most that renewals within an hour may cost.
    #[arg(value_parser = input::amount_above_zero, required_unless_present = "none")]
    per_hour: Option<String>,
    /// Lift the ceiling: there is none.
    #[arg(long, conflicts_with = "per_hour")]
    none: bool,
    #[command(flatten)]
    end: EndArguments,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

const SENDING: [Field; 2] = [Field::instant("paused_at", "paused"), Field::text("paused_by", "by the token")];

/// Says who renews what an account has.
pub(super) fn drive(context: &Context, client: &Client, drive: &Drive) -> anyhow::Result<()> {
    let Drive { id, driver, end, reason, list } = drive;
    let question = match driver {
        Driver::Watch => format!("Only watch `{id}`, and give up what was not sent yet?"),
        Driver::Provider => format!(
            "Have the provider renew what `{id}` has (its auto-renew is switched on for what this host has renewed so far, and then \
             as policies rule), and renew here what it has not by its last try?"
        ),
        Driver::Host => format!("Have this host renew what `{id}` has, and pay for it there?"),
    };
    let what = format!("have `{id}` driven by `{}`", driver.name());
    let look = Request::new("GET", "/v1/connections/{id}", &[id]).to(&what);
    let before = client.send(&look)?.json()?["driver"].take();
    let line = format!("driver of `{id}`: from {} to {}", before.as_str().unwrap_or_default(), driver.name());
    let lines = (before != driver.name()).then_some(line);
    if !end.agree(lines.as_slice(), &question)? {
        return Ok(());
    }
    let request = Request::new("POST", "/v1/connections/{id}:drive", &[id])
        .to(what)
        .body(json!({ "driver": driver.name() }))
        .reason(reason.as_deref());
    write(context, client, &request, &CONNECTION, list)
}

/// Stops sending for an account, or for all.
pub(super) fn pause(context: &Context, client: &Client, whose: &Whose) -> anyhow::Result<()> {
    switch(context, client, whose, ["pause", "/v1/connections/{id}:pause", "/v1/connections:pause"])
}

/// Sends for an account again, or for all.
pub(super) fn resume(context: &Context, client: &Client, whose: &Whose) -> anyhow::Result<()> {
    switch(context, client, whose, ["resume", "/v1/connections/{id}:resume", "/v1/connections:resume"])
}

fn switch(
    context: &Context,
    client: &Client,
    whose: &Whose,
    [verb, route, route_of_all]: [&'static str; 3],
) -> anyhow::Result<()> {
    let what = match &whose.id {
        Some(id) => format!("{verb} `{id}`"),
        None => format!("{verb} every account"),
    };
    let (lines, question) = switched(client, whose.id.as_deref(), verb, &what)?;
    if !whose.end.agree(&lines, &question)? {
        return Ok(());
    }
    let (request, fields) = match &whose.id {
        Some(id) => (Request::new("POST", route, &[id]), &CONNECTION[..]),
        None => (Request::new("POST", route_of_all, &[]), &SENDING[..]),
    };
    let request = request.to(what).body(json!({})).reason(whose.reason.as_deref());
    write(context, client, &request, fields, &whose.list)?;
    if whose.id.is_none() && whose.list.format == ListFormat::Table {
        let verb = if verb == "pause" { "nothing is sent" } else { "it is sent again" };
        output::done(format_args!("{verb} for any account that is connected here"))?;
    }
    Ok(())
}

/// What would become of sending, for an account or for all, and the question whether it is to.
fn switched(
    client: &Client,
    id: Option<&str>,
    verb: &str,
    what: &str,
) -> anyhow::Result<(Vec<String>, String)> {
    let pauses = verb == "pause";
    let would = if pauses { "nothing would be sent any more" } else { "it would be sent again" };
    let Some(id) = id else {
        let line = format!("every account that is connected here: {would}");
        return Ok((vec![line], if pauses { "Send nothing for any?" } else { "Send again?" }.to_owned()));
    };
    let look = Request::new("GET", "/v1/connections/{id}", &[id]).to(what);
    let is_paused = !client.send(&look)?.json()?["paused_at"].is_null();
    let line = (is_paused != pauses).then(|| format!("account {id}: {would}"));
    let question =
        if pauses { format!("Send nothing for `{id}`?") } else { format!("Send for `{id}` again?") };
    Ok((line.into_iter().collect(), question))
}

/// Sets the ceiling on spending.
pub(super) fn limit_spending(
    context: &Context,
    client: &Client,
    limit: &LimitSpending,
) -> anyhow::Result<()> {
    let what = format!("limit the spending of `{}`", limit.id);
    let look = Request::new("GET", "/v1/connections/{id}", &[&limit.id]).to(&what);
    let before = client.send(&look)?.json()?["spending_per_hour"].take();
    let body = match &limit.per_hour {
        Some(amount) => json!({ "per_hour": amount }),
        None => json!({}),
    };
    let said = |amount: &Value| amount.as_str().map_or("no ceiling".to_owned(), str::to_owned);
    // Amounts are the same however many decimals they are written with.
    let is_same = items::amount(&before) == items::amount(&body["per_hour"]);
    let line = format!(
        "spending of `{}` within an hour: from {} to {}",
        limit.id,
        said(&before),
        said(&body["per_hour"])
    );
    if !limit.end.agree((!is_same).then_some(line).as_slice(), "Change this?")? {
        return Ok(());
    }
    let request = Request::new("POST", "/v1/connections/{id}:limit-spending", &[&limit.id])
        .to(what)
        .body(body)
        .reason(limit.reason.as_deref());
    write(context, client, &request, &CONNECTION, &limit.list)
}

fn write(
    context: &Context,
    client: &Client,
    request: &Request,
    fields: &[Field],
    list: &ListArguments,
) -> anyhow::Result<()> {
    let changed: Value = client.send(request)?.json()?;
    context.write_item(client, fields, &changed, list)
}
