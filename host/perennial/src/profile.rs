//! Profiles: the running hosts that commands can be sent to, as the configuration names them.

use std::path::PathBuf;

use perennial_formats::body::JsonCursor;

/// Names a running host, in the environment.
pub(crate) const SERVER_VARIABLE: &str = "PERENNIAL_SERVER";
/// Names the file of the token for it, in the environment.
pub(crate) const TOKEN_FILE_VARIABLE: &str = "PERENNIAL_TOKEN_FILE";
/// Names a profile, in the environment.
pub(crate) const PROFILE_VARIABLE: &str = "PERENNIAL_PROFILE";

/// A running host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its address, such as `https://perennial.example`.
    pub server: String,
    /// The file with the token to send.
    pub token_file: Option<PathBuf>,
    /// A PEM file of authorities that it is known by, beside those that browsers trust.
    pub certificates: Option<PathBuf>,
    /// Whether the token may go to another machine over plain HTTP.
    pub allow_plain_http: bool,
}

/// Reads a profile.
pub(crate) fn read(cursor: JsonCursor<'_, '_>) -> Option<Profile> {
    let fields = cursor.object(&["server", "token_file", "certificates", "allow_plain_http"])?;
    let path = |name| fields.optional(name, |cursor| cursor.name().map(PathBuf::from)).option();
    let server = fields.required("server", |cursor| cursor.name().map(str::to_owned));
    let (token_file, certificates) = (path("token_file"), path("certificates"));
    let allow_plain_http = fields.optional("allow_plain_http", |cursor| cursor.flag()).or(false);
    Some(Profile {
        server: server?,
        token_file: token_file?,
        certificates: certificates?,
        allow_plain_http: allow_plain_http?,
    })
}
