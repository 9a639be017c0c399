//! The sections `[plugins]` and `[trust]`: what is loaded, whose signature it needs, what it is granted, and what a new version
//! of the host changes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use perennial_domain::plugin_limits::PluginLimits;
use perennial_engine::revisions::Upgrade;
use perennial_formats::body::JsonCursor;
use perennial_sandbox::GrantBounds;
use perennial_sandbox::Limits;
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

/// The section `[plugins]`.
pub(super) struct PluginsSection {
    /// The files to load.
    pub(super) files: Vec<PluginFile>,
    /// Whether accounts may be without a plugin.
    pub(super) allow_missing: bool,
    /// What becomes of accounts that follow the host.
    pub(super) upgrade: Upgrade,
    /// What files are granted.
    pub(super) grants: BTreeMap<String, PluginLimits>,
    /// How much may be granted.
    pub(super) grant_bounds: GrantBounds,
}

impl Default for PluginsSection {
    fn default() -> PluginsSection {
        PluginsSection {
            files: Vec::new(),
            allow_missing: false,
            upgrade: Upgrade::Follow,
            grants: BTreeMap::new(),
            grant_bounds: GrantBounds::DEFAULT,
        }
    }
}

/// Reads what is loaded, and how.
pub(super) fn plugins(spot: JsonCursor<'_, '_>) -> Option<PluginsSection> {
    const KEYS: &[&str] =
        &["files", "allow_missing", "upgrade", "grants", "grants_max", "grants_memory_bytes"];
    let fields = spot.object(KEYS)?;
    let file =
        |_, spot: JsonCursor<'_, '_>| plugin_file(spot.name()?).map_err(|problem| spot.report(problem)).ok();
    let files = fields.optional("files", |spot| spot.list(file)).or(Vec::new());
    let allow_missing = fields.optional("allow_missing", |spot| spot.flag()).or(false);
    let upgrade = fields.optional("upgrade", |spot| spot.one_of(&Upgrade::ALL, Upgrade::name));
    let grants = fields.optional("grants", |spot| spot.named(limits)).or(BTreeMap::new());
    let most = fields.optional("grants_max", limits).or(GrantBounds::DEFAULT.most);
    let default = GrantBounds::DEFAULT.memory_total_bytes;
    // Each has at least what every plugin has.
    let least = u32::try_from(Limits::DEFAULT.memory_max_bytes).unwrap_or(u32::MAX);
    let total = fields.optional("grants_memory_bytes", |spot| spot.integer(least, u32::MAX)).option();
    let (upgrade, grants, most, total) = (upgrade.or(Upgrade::Follow)?, grants?, most?, total?);
    let memory_total_bytes = total.map_or(default, |total| usize::try_from(total).unwrap_or(usize::MAX));
    // What is left out of the bounds is bounded as it is by default.
    let standard = GrantBounds::DEFAULT.most;
    let most = PluginLimits {
        fuel_per_item: most.fuel_per_item.or(standard.fuel_per_item),
        memory_bytes: most.memory_bytes.or(standard.memory_bytes),
        file_bytes: most.file_bytes.or(standard.file_bytes),
        wasi: most.wasi,
    };
    if most.memory_bytes.is_some_and(|one| usize::try_from(one).is_ok_and(|one| one > memory_total_bytes)) {
        spot.report(format!(
            "one plugin may be granted more memory by `grants_max` than all have together, {memory_total_bytes} bytes: set \
             `grants_memory_bytes` as well"
        ));
    }
    for (file, granted) in &grants {
        for problem in granted.above(most) {
            spot.report(format!("`{file}` is granted {problem} by `grants_max`"));
        }
    }
    let grant_bounds = GrantBounds { most, memory_total_bytes };
    Some(PluginsSection { files: files?, allow_missing: allow_missing?, upgrade, grants, grant_bounds })
}

/// Limits as they are written.
fn limits(spot: JsonCursor<'_, '_>) -> Option<PluginLimits> {
    let problems = match PluginLimits::read(spot.text()?) {
        Ok(limits) => return Some(limits),
        Err(problems) => problems,
    };
    problems.into_iter().for_each(|problem| spot.report(problem));
    None
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
