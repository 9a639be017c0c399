//! `perennial policy compare`: what the policies of a file would do differently from those that hold, over the months to come.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Context;
use crate::cli::compare;
use crate::cli::compare::Sides;
use crate::cli::input;
use crate::cli::list::ListArguments;
use crate::cli::policy::load::LoadedPolicies;
use crate::client::Client;
use crate::client::Request;

/// Plays the months to come twice, with the policies that hold and with those of a file, and lists what is not the same.
///
/// Renewals and money are by account and month, and what would lapse is by resource. As in a forecast, no account is short of
/// money there. Policies of the file that are shadows are played as if they were active. Nothing is installed. `perennial simulate --compare` does the same for an inventory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial policy compare stricter.toml
  perennial policy compare stricter.toml --months 3 --approvals-granted --format csv")]
pub(super) struct Arguments {
    /// The policy file, or a script alone.
    file: PathBuf,
    /// The file is all there is: what holds and is not in it holds no more.
    #[arg(long)]
    replace: bool,
    /// How many months to play, the rest of the present one included.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = input::whole::<u32>(1..=36))]
    months: u32,
    /// Every approval is given as soon as it is requested; else nobody decides.
    #[arg(long)]
    approvals_granted: bool,
    #[command(flatten)]
    list: ListArguments,
}

pub(super) fn compare(context: &Context, client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { file, replace, months, approvals_granted, list } = arguments;
    let loaded = LoadedPolicies::read(context, file)?;
    let mut body = loaded.body();
    for (name, value) in [
        ("replace", json!(replace)),
        ("months", json!(months)),
        ("approvals_granted", json!(approvals_granted)),
        // A shadow changes nothing, so it would be compared with itself.
        ("shadows_active", json!(true)),
    ] {
        body[name] = value;
    }
    let request = Request::new("POST", "/v1/policies:compare", &[])
        .to(format!("compare the policies of `{}`", file.display()))
        .body(body)
        .look();
    let answer = client.send(&request)?.json()?;
    for shadow in answer["shadows_played"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
        tracing::warn!("`{shadow}` is a shadow, which changes nothing; it is compared as if it were active");
    }
    let zones = context.item_zones(client, list.zone.time_zone)?;
    let found = compare::of_host(Sides::Installed, &answer, &zones);
    context.write_list(&found, list.format, "nothing: the same is renewed and paid with both")
}
