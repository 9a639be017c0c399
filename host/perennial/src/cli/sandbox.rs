//! `perennial sandbox`: the providers' own APIs of managed accounts, with faults, to test clients against.

use std::path::PathBuf;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::serve;
use perennial_formats::faults;
use perennial_http::faults::Faults;

/// Serves what `serve` does, with faults in front of the providers' own APIs: a cloud to test clients against.
///
/// The accounts of the database are managed: this host is the cloud, and its plugins answer as the providers do. Requests
/// are lost, late, refused or answered with nonsense, by the rules of a file or by a seed. `GET /sandbox/faults` of a
/// provider's listener shows what was done so far, `PUT` takes other rules, `DELETE` removes them. Every listener of a
/// provider's API has to be on loopback.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial sandbox --faults faults.json --virtual-clock 2026-01-01T00:00:00Z
  perennial sandbox --seed 7 --one-in 3
  curl -X PUT --data @other.json http://127.0.0.1:8421/sandbox/faults

A file of faults is a list; each request meets the first that is left for it:
  [{\"fault\": \"time_out\", \"on\": \"POST /v2/orders/subscriptions/resources/renew\", \"seconds\": 2},
   {\"fault\": \"throttle\", \"on\": \"/v2\", \"skip\": 1, \"times\": 3}]

Faults: time_out (applied, no response), late (applied so many seconds after the connection was cut), throttle (429),
fail_before and fail_after (500), reject (status, body), cut, garbage, stale (the first answer to the same question),
wrong_currency, skew (the provider's clock is ahead), somebody_renews (resource, term, options).")]
pub(super) struct Arguments {
    /// The faults, as JSON; `-` is the standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    faults: Option<PathBuf>,
    /// Let requests go wrong by chance that follows from this number.
    #[arg(long, value_name = "N", value_parser = input::whole::<u64>(0..))]
    seed: Option<u64>,
    /// Of how many requests one goes wrong, with `--seed`.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = input::whole::<u32>(1..))]
    one_in: u32,
    #[command(flatten)]
    serve: serve::Arguments,
}

pub(super) fn sandbox(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let faults = match (&arguments.faults, arguments.seed) {
        (Some(path), _) => {
            let text = input::read(path)?;
            let rules = faults::read(&text);
            let rules = rules.map_err(|problems| UserError::File { path: path.clone(), problems })?;
            Faults::of_rules(rules)
        }
        (None, Some(seed)) => Faults::of_seed(seed, arguments.one_in),
        (None, None) => Faults::default(),
    };
    let endpoints = &context.config()?.endpoints;
    if endpoints.is_empty() {
        let message = "no provider's API is to be served; name an address on loopback for one in the configuration, such as \
                       `[listen] huawei = \"127.0.0.1:8421\"`";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    for (provider, address) in endpoints {
        if !address.ip().is_loopback() {
            let message = format!(
                "`listen.{provider}` is {address}, which can be reached from outside: a sandbox serves on loopback only, such \
                 as `127.0.0.1:{}`",
                address.port()
            );
            return Err(UserError::Argument(message).into());
        }
    }
    serve::serve_with(context, &arguments.serve, Some(faults))
}
