//! `perennial plugin parked|breakers|release`: what plugins fail over, and asking about it again.

use clap::ArgGroup;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::confirm::EndArguments;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::plugin::revisions::resolve;
use crate::client::Client;
use crate::client::Request;

const PARKED: [Field; 12] = [
    Field::text("resource", "resource"),
    Field::text("account", "account"),
    Field::text("provider", ""),
    Field::text("revision", "revision"),
    Field::number("failures", "failures"),
    Field::instant("failing_since", ""),
    Field::instant("parked_at", "parked"),
    Field::instant("next_try_at", "next"),
    Field::instant("expires_at", "expires"),
    Field::text("price", "price"),
    Field::text("currency", ""),
    Field::sentence("reason", "because"),
];

const BREAKER: [Field; 8] = [
    Field::text("provider", "provider"),
    Field::text("revision", "revision"),
    Field::text("state", "breaker"),
    Field::number("failures", "failures"),
    Field::number("openings", "openings"),
    Field::instant("opened_at", "open since"),
    Field::instant("next_try_at", "next"),
    Field::sentence("message", "because"),
];

/// What somebody has asked about again.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args(["resource", "provider", "all", "revision"]))]
pub(super) struct Release {
    /// The ID of a resource: the parked bundle that it belongs to.
    resource: Option<String>,
    /// All parked bundles of this provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// All parked bundles.
    #[arg(long)]
    all: bool,
    /// The digest of a revision, or its beginning: closes its breaker, so that it is asked again.
    #[arg(long, value_name = "DIGEST")]
    revision: Option<String>,
    #[command(flatten)]
    end: EndArguments,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

pub(super) fn parked(
    context: &Context,
    client: &Client,
    provider: Option<&str>,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/plugins/parked", &[]).to("list parked bundles");
    let found = items::pages(client, &request.query("provider", provider), u32::MAX)?;
    let none = "nothing is parked: no plugin fails over one bundle again and again";
    let nothing = named::nothing_of(client, provider, &found, none)?;
    context.write_items(client, &PARKED, &found, list, nothing)
}

pub(super) fn breakers(context: &Context, client: &Client, list: &ListArguments) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/plugins/breakers", &[]).to("list breakers of revisions");
    let found = items::whole(client, &request)?;
    context.write_items(client, &BREAKER, &found, list, "no revision fails over one bundle after another")
}

impl Release {
    pub(super) fn run(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        match &self.revision {
            Some(beginning) => self.close_breaker(context, client, beginning),
            None => self.release(context, client),
        }
    }

    fn close_breaker(&self, context: &Context, client: &Client, beginning: &str) -> anyhow::Result<()> {
        let digest = resolve(client, beginning)?;
        let what = format!("close the breaker of revision {digest}");
        let breakers = Request::new("GET", "/v1/plugins/breakers", &[]).to(&what);
        let counts = items::whole(client, &breakers)?.iter().any(|breaker| breaker["revision"] == *digest);
        let line =
            format!("breaker of revision {digest}: would be closed, so that it is asked at the next tick");
        if !self.end.agree(counts.then_some(line).as_slice(), "Close it?")? {
            return Ok(());
        }
        let request = Request::new("POST", "/v1/plugins/breakers:release", &[])
            .to(what)
            .body(json!({ "revision": digest }))
            .reason(self.reason.as_deref());
        client.send(&request)?;
        let left = items::whole(client, &breakers)?;
        let nothing = "where it is bound, the revision is asked at the next tick";
        context.write_items(client, &BREAKER, &left, &self.list, nothing)
    }

    fn release(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let what = self.resource.as_deref().map_or("parked bundles".to_owned(), |id| format!("`{id}`"));
        let what = format!("release {what}");
        let parked = Request::new("GET", "/v1/plugins/parked", &[]).to(&what);
        let parked = items::pages(client, &parked.query("provider", self.provider.as_deref()), u32::MAX)?;
        // What is parked is listed by its primary, whichever of its members is named.
        let primary = self.resource.as_deref().map(|id| primary_of(client, id, &what)).transpose()?;
        let is_meant =
            |parked: &&Value| primary.as_ref().is_none_or(|primary| parked["resource"] == **primary);
        let lines = parked.iter().filter(is_meant).map(would_be_asked).collect::<Vec<_>>();
        if !self.end.agree(&lines, "Have that asked about again?")? {
            return Ok(());
        }
        let request = Request::new("POST", "/v1/plugins/parked:release", &[])
            .to(what)
            .body(json!({ "resource": self.resource, "provider": self.provider }))
            .reason(self.reason.as_deref());
        let result = client.send(&request)?.json()?;
        let released = result["released"].as_array().cloned().unwrap_or_default();
        let nothing = named::nothing_of(client, self.provider.as_deref(), &released, "nothing was parked")?;
        context.write_items(client, &PARKED, &released, &self.list, nothing)
    }
}

/// The resource that the one with this id is attached to, or this one.
fn primary_of(client: &Client, id: &str, what: &str) -> anyhow::Result<String> {
    let found = client.send(&Request::new("GET", "/v1/resources/{id}", &[id]).to(what))?.json()?;
    Ok(found["attached_to"].as_str().unwrap_or(id).to_owned())
}

/// What would become of a parked bundle.
fn would_be_asked(parked: &Value) -> String {
    let text = |name: &str| parked[name].as_str().unwrap_or_default();
    format!("{} of `{}`: would be asked about at the next tick", text("resource"), text("account"))
}
