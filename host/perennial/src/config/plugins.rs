//! The sections `[plugins]` and `[trust]`: what is loaded, whose signature it needs, and what a new version of the host changes.

use std::path::PathBuf;

use perennial_engine::revisions::Upgrade;
use perennial_formats::body::JsonCursor;
use perennial_sandbox::PluginFile;
use perennial_sandbox::PublicKey;
use perennial_sandbox::Trust;

/// What stands between a plugin's file and its digest.
const DIGEST: &str = "@sha256:";

/// The keys whose plugins are loaded.
pub(super) fn trust(spot: JsonCursor<'_, '_>) -> Option<Trust> {
    let fields = spot.object(&["keys"])?;
    let key = |_, spot: JsonCursor<'_, '_>| {
        PublicKey::read(spot.name()?).map_err(|problem| spot.report(problem)).ok()
    };
    let keys = fields.optional("keys", |spot| spot.list(key)).or(Vec::new());
    Some(Trust { keys: keys? })
}

/// The files to load, whether accounts may be without a plugin, and what becomes of accounts that follow the host.
pub(super) fn plugins(spot: JsonCursor<'_, '_>) -> Option<(Vec<PluginFile>, bool, Upgrade)> {
    let fields = spot.object(&["files", "allow_missing", "upgrade"])?;
    let file =
        |_, spot: JsonCursor<'_, '_>| plugin_file(spot.name()?).map_err(|problem| spot.report(problem)).ok();
    let files = fields.optional("files", |spot| spot.list(file)).or(Vec::new());
    let allow_missing = fields.optional("allow_missing", |spot| spot.flag()).or(false);
    let upgrade = fields.optional("upgrade", |spot| spot.one_of(&Upgrade::ALL, Upgrade::name));
    Some((files?, allow_missing?, upgrade.or(Upgrade::Follow)?))
}

/// Reads a plugin's file as the command line, the configuration and the environment have it: a path or, if only one
/// revision is to be loaded, `PATH@sha256:DIGEST`.
///
/// # Errors
///
/// What is wrong with the digest, in words.
pub(crate) fn plugin_file(text: &str) -> Result<PluginFile, String> {
    let Some((path, digest)) = text.split_once(DIGEST) else {
        return Ok(PathBuf::from(text).into());
    };
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if path.is_empty() || !is_digest {
        return Err(format!(
            "`{text}` is no file with a digest; write a path, `{DIGEST}` and 64 hexadecimal digits, such as the revision \
             that `perennial plugins` shows"
        ));
    }
    Ok(PluginFile { path: path.into(), digest: Some(digest.to_ascii_lowercase()) })
}
