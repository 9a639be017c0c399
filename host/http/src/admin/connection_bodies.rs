//! The bodies of `/v1/connections`: what an account is connected with. A secret that is read here is never written back.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_formats::body::JsonCursor;
use perennial_service::connections::secret_source::Secret;
use perennial_store::connections::SecretLocation;
use utoipa::ToSchema;

use crate::input::Body;

/// The longest name of where a secret is, in bytes.
const LOCATION_MAX: usize = 1_024;

/// A secret, or where it is.
#[derive(Clone, Debug)]
pub(super) enum GivenSecret {
    /// The secret itself, which is sealed.
    Inline(Secret),
    /// Where it is.
    Named(SecretLocation),
}

/// A new connection.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConnection {
    /// The ID of the new account, unique among all accounts.
    #[schema(min_length = 1, max_length = 64)]
    pub(super) account: String,
    /// The ID of a loaded plugin that calls its provider's API.
    #[schema(min_length = 1, example = "huawei")]
    pub(super) provider: String,
    /// The currency, such as `CNY`; left out, the one that the provider says.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub(super) currency: Option<String>,
    /// The settings of the provider's rules.
    pub(super) settings: BTreeMap<String, String>,
    /// The access key, by which requests call the secret.
    #[schema(min_length = 1)]
    pub(super) access_key: String,
    /// The secret itself, in `secret`, or where it is, in `secret_from`: `env:NAME`, `file:PATH` or `command:PROGRAM ARGUMENTS`.
    #[schema(value_type = Option<String>)]
    pub(super) secret: GivenSecret,
    /// A URL to call instead of the provider's own hosts.
    pub(super) endpoint: Option<String>,
    /// The names of the reads that are granted, as `GET /v1/plugins` lists them; left out, all of them.
    pub(super) grants: Option<BTreeSet<String>>,
}

impl Body for NewConnection {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewConnection> {
        let fields = cursor.object(&[
            "account",
            "provider",
            "currency",
            "settings",
            "access_key",
            "secret",
            "secret_from",
            "endpoint",
            "grants",
        ])?;
        let account = fields.required("account", |cursor| cursor.id().map(str::to_owned));
        let provider = fields.required("provider", |cursor| cursor.name().map(str::to_owned));
        let currency = fields.optional("currency", currency).option();
        let settings = fields.optional("settings", |cursor| cursor.texts()).or(BTreeMap::new());
        let access_key = fields.required("access_key", access_key);
        let inline = fields.optional("secret", secret).option();
        let named = fields.optional("secret_from", location).option();
        let endpoint = fields.optional("endpoint", |cursor| cursor.name().map(str::to_owned)).option();
        let grants = fields.optional("grants", names).option();
        Some(NewConnection {
            account: account?,
            provider: provider?,
            currency: currency?,
            settings: settings?,
            access_key: access_key?,
            secret: given(cursor, inline?, named?)?,
            endpoint: endpoint?,
            grants: grants?,
        })
    }
}

/// Another key for a connection.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateConnection {
    /// The access key, by which requests call the secret.
    #[schema(min_length = 1)]
    pub(super) access_key: String,
    /// The secret itself, in `secret`, or where it is, in `secret_from`.
    #[schema(value_type = Option<String>)]
    pub(super) secret: GivenSecret,
}

impl Body for RotateConnection {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<RotateConnection> {
        let fields = cursor.object(&["access_key", "secret", "secret_from"])?;
        let access_key = fields.required("access_key", access_key);
        let inline = fields.optional("secret", secret).option();
        let named = fields.optional("secret_from", location).option();
        Some(RotateConnection { access_key: access_key?, secret: given(cursor, inline?, named?)? })
    }
}

/// The reads that are granted from now on.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grants {
    /// The names of the reads; those that are not named are not granted any more.
    pub(super) reads: BTreeSet<String>,
}

impl Body for Grants {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Grants> {
        let fields = cursor.object(&["reads"])?;
        let reads = fields.required("reads", names);
        Some(Grants { reads: reads? })
    }
}

/// How an inventory is read.
#[derive(Clone, Copy, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncRequest {
    /// Whether what can have changed since the last sync is enough: what was ordered since, where the provider says that, and
    /// what expires within ten days or has expired. What it does not find proves nothing. Left out, false. Where
    /// everything was not read before, or so much has changed that it takes fewer requests, everything is read.
    #[schema(value_type = Option<bool>)]
    pub(super) incremental: bool,
    /// Whether somebody looked, and knows that as much is missing as it seems; left out, false.
    #[schema(value_type = Option<bool>)]
    pub(super) accept_missing: bool,
}

impl Body for SyncRequest {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<SyncRequest> {
        let fields = cursor.object(&["incremental", "accept_missing"])?;
        let incremental = fields.optional("incremental", |cursor| cursor.flag()).or(false);
        let accept_missing = fields.optional("accept_missing", |cursor| cursor.flag()).or(false);
        Some(SyncRequest { incremental: incremental?, accept_missing: accept_missing? })
    }
}

fn given(
    cursor: JsonCursor<'_, '_>,
    inline: Option<Secret>,
    named: Option<SecretLocation>,
) -> Option<GivenSecret> {
    match (inline, named) {
        (Some(secret), None) => Some(GivenSecret::Inline(secret)),
        (None, Some(location)) => Some(GivenSecret::Named(location)),
        (Some(_), Some(_)) | (None, None) => {
            cursor.report("expected either `secret` or `secret_from`");
            None
        }
    }
}

fn secret(cursor: JsonCursor<'_, '_>) -> Option<Secret> {
    let secret = Secret::new(cursor.text()?.as_bytes());
    if secret.is_none() {
        cursor.report("expected a secret that is not empty, and not longer than one is");
    }
    secret
}

fn access_key(cursor: JsonCursor<'_, '_>) -> Option<String> {
    let key = cursor.name()?;
    if key.len() > LOCATION_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
        cursor.report("expected an access key: printable ASCII without spaces");
        return None;
    }
    Some(key.to_owned())
}

fn location(cursor: JsonCursor<'_, '_>) -> Option<SecretLocation> {
    let text = cursor.name()?;
    let named = text.split_once(':').filter(|(_, name)| !name.is_empty() && name.len() <= LOCATION_MAX);
    match named {
        Some(("env", name)) => Some(SecretLocation::Environment(name.to_owned())),
        Some(("file", path)) => Some(SecretLocation::File(path.to_owned())),
        Some(("command", command)) => Some(SecretLocation::Command(command.to_owned())),
        Some(_) | None => {
            cursor.report("expected `env:NAME`, `file:PATH` or `command:PROGRAM ARGUMENTS`");
            None
        }
    }
}

fn currency(cursor: JsonCursor<'_, '_>) -> Option<String> {
    let currency = cursor.text()?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        cursor.report("expected a currency such as `CNY`");
        return None;
    }
    Some(currency.to_owned())
}

fn names(cursor: JsonCursor<'_, '_>) -> Option<BTreeSet<String>> {
    let names = cursor.list(|_, cursor| cursor.name().map(str::to_owned))?;
    Some(names.into_iter().collect())
}
