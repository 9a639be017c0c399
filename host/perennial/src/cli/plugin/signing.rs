//! `perennial plugin keygen|sign|verify`: signatures of plugins, for their authors and for who trusts them.

use std::path::Path;
use std::path::PathBuf;

use perennial_sandbox::PluginFile;
use perennial_sandbox::PublicKey;
use perennial_sandbox::SigningKey;
use perennial_sandbox::signature_path;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output;
use crate::cli::plugin::package_file::PackageFile;
use crate::cli::plugin_error;
use crate::config;

/// Why a plugin that is signed has to be a file.
const BESIDE: &str = "has its signature beside it";

/// A plugin to sign.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// The file of the private key, as `keygen` or OpenSSL writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// A plugin whose signature is checked.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision. Its signature is beside it, with `.sig` behind its
    /// name.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// A key that is trusted beside those of `[trust] keys`, as `keygen` prints it; may be given again.
    #[arg(long = "key", value_name = "KEY", value_parser = PublicKey::read)]
    keys: Vec<PublicKey>,
}

/// Makes a private key, and prints the public one.
pub(super) fn keygen(path: &Path) -> anyhow::Result<()> {
    input::refuse_standard(path, "the private key", "stays in a file of its own")?;
    let text = SigningKey::generate().map_err(UserError::Argument)?;
    output::write_new(path, text.as_bytes(), true)?;
    let key = SigningKey::read(text.as_bytes()).map_err(UserError::Argument)?;
    Ok(output::line(format_args!("{}", key.public_key()))?)
}

/// Signs a plugin, and prints the public key by which it is verified.
pub(super) fn sign(arguments: &Sign) -> anyhow::Result<()> {
    let path = &arguments.plugin.path;
    input::refuse_standard(path, "the plugin", BESIDE)?;
    let file = PackageFile::of_plugin("sign", &arguments.plugin)?;
    let key = input::read_bytes(&arguments.key)?;
    let wrong =
        |problem| UserError::Argument(format!("cannot sign with `{}`: {problem}", arguments.key.display()));
    let key = SigningKey::read(&key).map_err(wrong)?;
    let path = signature_path(path);
    output::write_file(&path, key.sign(&file.package.bytes).as_ref())?;
    Ok(output::line(format_args!("`{}` is the signature by {}", path.display(), key.public_key()))?)
}

/// Says which of the keys signed a plugin.
pub(super) fn verify(context: &Context, arguments: &Verify) -> anyhow::Result<()> {
    let path = &arguments.plugin.path;
    input::refuse_standard(path, "the plugin", BESIDE)?;
    let file = PackageFile::of_plugin("verify", &arguments.plugin)?;
    let mut trust = context.config()?.trust.clone();
    trust.keys.extend(arguments.keys.iter().copied());
    if trust.keys.is_empty() {
        let message = "no key is trusted: name one with `--key`, or in `[trust] keys` of the configuration";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let origin = format!("`{}`", path.display());
    let signature = file.package.signature.as_deref().map(str::as_bytes);
    let key = trust.check(&origin, &file.package.bytes, signature);
    let key = key.map_err(|error| plugin_error::not_signed("verify", path, &error))?;
    let key = key.map(|key| key.to_string()).unwrap_or_default();
    Ok(output::line(format_args!("{origin} is signed by {key}"))?)
}
