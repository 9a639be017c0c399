//! `perennial plugin push|pull`: packages to and from OCI registries.

use std::path::PathBuf;

use perennial_sandbox::PluginFile;
use perennial_sandbox::PublicKey;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::input::shown;
use crate::cli::output;
use crate::cli::plugin::package_file;
use crate::cli::plugin::package_file::PackageFile;
use crate::cli::plugin_error;
use crate::config;
use crate::registry;
use crate::registry::Access;
use crate::registry::Reference;
use crate::registry::RegistryError;

/// How a registry is reached. Credentials are in the environment, PERENNIAL_REGISTRY_USERNAME and PERENNIAL_REGISTRY_PASSWORD, or
/// in a file; no argument takes them.
#[derive(Debug, clap::Args)]
struct AccessArguments {
    /// A file with credentials, as `docker login` writes it; in the environment, PERENNIAL_REGISTRY_CREDENTIALS.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// A PEM file of authorities that the registry is known by, beside those that browsers trust.
    #[arg(long, value_name = "FILE")]
    certificates: Option<PathBuf>,
    /// Ask a registry on another machine over plain HTTP, where everybody on the way can read and change what is said.
    #[arg(long)]
    allow_plain_http: bool,
}

impl AccessArguments {
    fn access(&self) -> Access {
        let device = |path: &PathBuf| match input::is_standard(path) {
            true => PathBuf::from("/dev/stdin"),
            false => path.clone(),
        };
        Access {
            credentials: self.credentials.as_ref().map(device),
            certificates: self.certificates.as_ref().map(device),
            allows_plain_http: self.allow_plain_http,
        }
    }
}

/// A package to push.
#[derive(Debug, clap::Args)]
pub(super) struct Push {
    /// Where to, such as `registry.example/acme/nimbus:1.0.0`.
    reference: Reference,
    /// The package, as `pack` wrote it; FILE@sha256:DIGEST takes no other one. Its signature is FILE.sig, if it has one, and has to
    /// be of a key of `[trust] keys`, if there are any.
    #[arg(value_parser = config::plugin_file)]
    package: PluginFile,
    /// Move the tag, when it stands for another package already.
    #[arg(long)]
    move_tag: bool,
    #[command(flatten)]
    access: AccessArguments,
}

/// A package to pull.
#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    /// From where: by tag, by digest, or by a tag that has to have the digest, such as `registry.example/nimbus@sha256:DIGEST`.
    reference: Reference,
    /// The file that is written; NAME-VERSION.wasm in this folder otherwise, or NAME-VERSION.toml.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A key that is trusted, beside those of `[trust] keys`; may be given again. With one, a package has to be signed.
    #[arg(long = "key", value_name = "KEY", value_parser = PublicKey::read)]
    keys: Vec<PublicKey>,
    #[command(flatten)]
    access: AccessArguments,
}

/// Pushes a package, and prints the digest that its tag is pinned to.
pub(super) fn push(context: &Context, arguments: &Push) -> anyhow::Result<()> {
    let (reference, path) = (&arguments.reference, &arguments.package.path);
    let file = PackageFile::of_plugin("push", &arguments.package)?;
    let mut problems = file.problems.clone();
    if !file.package.manifest.is_package() {
        problems.push("it is no package yet; make one with `perennial plugin pack`".to_owned());
    }
    problems.extend(file.package.manifest.missing());
    match (&reference.tag, &reference.digest) {
        (Some(_), None) => {}
        (_, _) => problems.push(format!("`{reference}` is no tag; a package is pushed under one")),
    }
    if !problems.is_empty() {
        return Err(package_file::wrong(path, &problems).into());
    }
    let signature = file.package.signature.as_deref().map(str::as_bytes);
    let signed = context.config()?.trust.check(&shown(path), &file.package.bytes, signature);
    signed.map_err(|error| plugin_error::not_signed("push", path, &error))?;
    let pushed = registry::push(reference, arguments.access.access(), &file.package, arguments.move_tag)?;
    let signed = if file.package.signature.is_some() { "with its signature" } else { "without a signature" };
    let did = if pushed.was_there { "is there already" } else { "pushed" };
    output::done(format_args!("{did}: {reference}, {signed}"))?;
    output::done(format_args!("digest: {}", pinned(reference, &pushed.digest)))
}

/// Pulls a package that is what it says and is signed by who is trusted, and prints its digest.
pub(super) fn pull(context: &Context, arguments: &Pull) -> anyhow::Result<()> {
    let reference = &arguments.reference;
    let mut trust = context.config()?.trust.clone();
    trust.keys.extend(arguments.keys.iter().copied());
    let (package, digest) = registry::pull(reference, arguments.access.access())?;
    let signature = package.signature.as_deref();
    let origin = format!("`{reference}`");
    let signed_by = trust.check(&origin, &package.bytes, signature.map(str::as_bytes)).map_err(|error| {
        RegistryError::NotTrusted { reference: reference.to_string(), problems: vec![error.to_string()] }
    })?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let extension = if package.is_table { "toml" } else { "wasm" };
    let name = format!(
        "{}-{}.{extension}",
        file_name(&text(&package.manifest.name)),
        text(&package.manifest.version)
    );
    let path = arguments.output.clone().unwrap_or_else(|| name.into());
    package_file::write(&path, &package.bytes, signature)?;
    let signed = match (signed_by, signature) {
        (Some(key), _) => format!("signed by {key}"),
        (None, Some(_)) => "with a signature that was not checked, because no key is trusted".to_owned(),
        (None, None) => "without a signature".to_owned(),
    };
    let file = package_file::digest(&package.bytes);
    output::done(format_args!("pulled: {}", pinned(reference, &digest)))?;
    output::done(format_args!("wrote {}, {} bytes, {file}, {signed}", path.display(), package.bytes.len()))
}

/// The name that stands for one package for ever.
fn pinned(reference: &Reference, digest: &str) -> String {
    format!("{}/{}@{digest}", reference.registry, reference.repository)
}

/// What of a package's name may be the name of a file.
fn file_name(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    name.chars().map(|character| if plain(character) { character } else { '_' }).collect()
}
