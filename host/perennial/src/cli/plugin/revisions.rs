//! `perennial plugin install|revisions|revision|differences`: the revisions of plugins that a host or a database keeps.

use std::io::Write;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_sandbox::PluginFile;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::WouldChange;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::plugin::package_file;
use crate::cli::plugin_error;
use crate::client::Client;
use crate::client::Request;
use crate::config;
use crate::report::text::printable;

const REVISION: [Field; 11] = [
    Field::text("digest", "revision"),
    Field::text("provider", "provider"),
    Field::text("kind", "kind"),
    Field::number("size_bytes", "bytes"),
    Field::text("origin", "from"),
    Field::text("signed_by", "signed by"),
    Field::text("asked", "asks for"),
    Field::text("granted", "granted"),
    Field::texts("bound", "bound").or("nothing"),
    Field::instant("installed_at", "installed"),
    Field::text("installed_by", "by"),
];

const TOTALS: [Field; 5] = [
    Field::text("kind", "difference"),
    Field::number("questions", "questions"),
    Field::amount("followed_cost", "done", "/currency"),
    Field::amount("cost", "would be", "/currency"),
    Field::text("currency", ""),
];

const DIFFERENCES: [Field; 13] = [
    Field::instant("last_at", "at"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("question", "question"),
    Field::text("kind", "difference"),
    Field::amount("followed_cost", "done", "/currency"),
    Field::amount("cost", "would be", "/currency"),
    Field::text("currency", ""),
    Field::text("followed", ""),
    Field::number("times", ""),
    Field::instant("first_at", ""),
    Field::sentence("followed_answer", "answer followed"),
    Field::sentence("answer", "answer of the shadow"),
];

/// A plugin to install.
#[derive(Debug, clap::Args)]
pub(super) struct Install {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision. Its signature is FILE.sig, if there is one.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// The file of the signature, if it is another one.
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// What it is granted beyond every plugin, if it asks for that and you trust it with it: any of `fuel-per-item=NUMBER`,
    /// `memory=BYTES`, `size=BYTES` and `wasi`, with commas between.
    #[arg(long, value_name = "LIMITS", value_parser = grant)]
    grant: Option<PluginLimits>,
    /// Only look at it; exit code 3 when it would be installed.
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// A revision whose differences are listed.
#[derive(Debug, clap::Args)]
pub(super) struct Differences {
    /// The digest of the revision, or its beginning.
    revision: String,
    /// Only the totals by kind.
    #[arg(long)]
    totals: bool,
    #[command(flatten)]
    list: ListArguments,
}

pub(super) fn list(
    context: &Context,
    client: &Client,
    provider: Option<&str>,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request =
        Request::new("GET", "/v1/plugins/revisions", &[]).to("list revisions").query("provider", provider);
    let found = items::pages(client, &request, u32::MAX)?;
    let none = "no revision is kept yet; a host keeps what it loads when it starts";
    let nothing = named::nothing_of(client, provider, &found, none)?;
    context.write_items(client, &REVISION, &found, list, nothing)
}

pub(super) fn show(
    context: &Context,
    client: &Client,
    revision: &str,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let digest = resolve(client, revision)?;
    let request = Request::new("GET", "/v1/plugins/revisions/{digest}", &[&digest])
        .to(format!("show revision {digest}"));
    let found = client.send(&request)?.json()?;
    context.write_items(client, &REVISION, &[found], list, "")
}

impl Differences {
    pub(super) fn run(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let digest = resolve(client, &self.revision)?;
        let request = Request::new("GET", "/v1/plugins/revisions/{digest}/differences", &[&digest])
            .to(format!("list what revision {digest} answered otherwise"));
        let nothing = "it answered nothing otherwise, as far as it was asked in shadow";
        if self.totals {
            let found = client.send(&request.query("limit", Some(1)))?.json()?;
            let totals = found["totals"].as_array().cloned().unwrap_or_default();
            return context.write_items(client, &TOTALS, &totals, &self.list, nothing);
        }
        let found = items::pages(client, &request, u32::MAX)?;
        context.write_items(client, &DIFFERENCES, &found, &self.list, nothing)
    }
}

impl Install {
    pub(super) fn run(&self, client: &Client) -> anyhow::Result<()> {
        let path = &self.plugin.path;
        let bytes = package_file::read_bytes("install", path)?;
        package_file::check_kind("install", path, &bytes)?;
        let signature = match &self.signature {
            Some(path) => Some(input::read_bytes(path)?),
            None => package_file::read_signature("install", path)?,
        };
        let signature = signature.map(package_file::signature_text);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let is_table = PluginFile::is_table(path, &bytes);
        let mut body = json!({ "name": name, "dry_run": self.dry_run, "signature": signature, "digest": self.plugin.digest,
            "grant": self.grant.map(|granted| granted.to_string()) });
        match is_table {
            true => {
                let text = String::from_utf8(bytes);
                let message = || {
                    UserError::Argument(format!(
                        "read: the table `{}` is not UTF-8; write it in that",
                        path.display()
                    ))
                };
                body["table"] = text.map_err(|_| message())?.into();
            }
            false => body["component"] = BASE64_STANDARD.encode(bytes).into(),
        }
        let request = Request::new("POST", "/v1/plugins/revisions", &[])
            .to(format!("install `{}`", path.display()))
            .body(body)
            .reason(self.reason.as_deref());
        let request = if self.dry_run { request.look().alone() } else { request };
        let result = client.send(&request).map_err(plugin_error::not_installed)?.json()?;
        let text = |field: &str| result[field].as_str().unwrap_or_default();
        let [is_new, is_regranted, is_resigned] =
            ["is_new", "is_regranted", "is_resigned"].map(|field| result[field] == true);
        let mut out = Output::standard();
        let became = match (is_new, is_regranted, self.dry_run) {
            (false, false, _) => "is installed already",
            (false, true, true) => "is installed already, and would be granted something else",
            (false, true, false) => "is installed already, and is granted something else from now on",
            (true, _, true) => "would be installed",
            (true, _, false) => "is installed; bind it with `perennial plugin bind`",
        };
        writeln!(out, "revision {} of {} {became}", text("digest"), printable(text("provider")))?;
        if let Some(key) = result["signed_by"].as_str() {
            let would = if is_resigned && self.dry_run { "would be " } else { "" };
            writeln!(out, "{would}signed by {key}")?;
        }
        match result["granted"].as_str() {
            Some(granted) => writeln!(out, "granted {granted}")?,
            None if is_regranted => writeln!(out, "granted nothing beyond what every plugin has")?,
            None => {}
        }
        out.finish()?;
        WouldChange::check(self.dry_run && (is_new || is_regranted || is_resigned))
    }
}

/// Reads limits as the command line has them.
fn grant(text: &str) -> Result<PluginLimits, String> {
    PluginLimits::read(text).map_err(|problems| problems.join("; "))
}

/// The digest of the one revision that begins like this.
pub(super) fn resolve(client: &Client, beginning: &str) -> anyhow::Result<String> {
    let request = Request::new("GET", "/v1/plugins/revisions", &[]).to("list revisions");
    let found = items::pages(client, &request, u32::MAX)?;
    let digests = found.iter().filter_map(|revision| revision["digest"].as_str());
    let mut matching = digests.filter(|digest| digest.starts_with(beginning));
    let wrong = |why: &str| {
        UserError::Argument(format!(
            "`{beginning}` {why}; `perennial plugin revisions` lists those that are installed"
        ))
    };
    let first = matching.next().ok_or_else(|| wrong("is the beginning of no revision"))?;
    match matching.next() {
        None => Ok(first.to_owned()),
        Some(_) => Err(wrong("is the beginning of several revisions").into()),
    }
}
