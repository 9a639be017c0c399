//! Which resources a list or a job is about: the filters of the admin API's list of resources.

use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;
use serde_json::Map;
use serde_json::Value;

use crate::cli::choice::Choice;
use crate::cli::input;
use crate::cli::named;
use crate::client::Client;
use crate::client::Request;

/// The stages that can be asked for.
pub(super) const STAGE: Choice<Stage> = Choice { what: "stage", all: &Stage::ALL, name: Stage::name };

/// A tag to filter by: its name, or its name and its value.
pub(super) fn tag(text: &str) -> Result<String, String> {
    match text.split('=').next() {
        Some("") | None => Err("it names no tag; write `NAME`, or `NAME=VALUE`".to_owned()),
        Some(_) => Ok(text.to_owned()),
    }
}

/// Conditions, all of which a resource meets.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Filter {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only of this kind.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only at this stage.
    #[arg(long, value_parser = STAGE)]
    stage: Option<Stage>,
    /// Only with this tag: NAME, or NAME=VALUE.
    #[arg(long, value_name = "TAG", value_parser = tag)]
    tag: Option<String>,
    /// Only what expires at this instant or later, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    expires_from: Option<Timestamp>,
    /// Only what expires before this instant.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    expires_before: Option<Timestamp>,
}

impl Filter {
    fn fields(&self) -> [(&'static str, Option<String>); 7] {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
        [
            ("account", self.account.clone()),
            ("provider", self.provider.clone()),
            ("kind", self.kind.clone()),
            ("stage", self.stage.map(|stage| stage.name().to_owned())),
            ("tag", self.tag.clone()),
            ("expires_from", instant(self.expires_from)),
            ("expires_before", instant(self.expires_before)),
        ]
    }

    /// Refuses an account, a provider or a kind that there is not.
    pub(super) fn check(&self, client: &Client) -> anyhow::Result<()> {
        named::check_account(client, self.account.as_deref())?;
        named::check_provider(client, self.provider.as_deref())?;
        named::check_kind(client, self.kind.as_deref())
    }

    /// Whether every resource passes.
    pub(super) fn is_empty(&self) -> bool {
        self.fields().iter().all(|(_, value)| value.is_none())
    }

    /// As the body of a job has it.
    pub(super) fn body(&self) -> Value {
        let given =
            self.fields().into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        given.collect::<Map<_, _>>().into()
    }

    /// A request for the resources that pass.
    pub(super) fn of(&self, request: Request) -> Request {
        self.fields().into_iter().fold(request, |request, (name, value)| request.query(name, value))
    }
}
