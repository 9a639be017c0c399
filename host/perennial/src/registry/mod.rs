//! Registries of packages: OCI registries, spoken to with the distribution API.
//!
//! A package is one manifest with one layer, the component or the table; what it says of itself, and its signature, are
//! annotations of the manifest, so that one digest names all of it. A push writes the manifest last and a pull checks
//! everything first, so what fails changes nothing. Start with [`push`] and [`pull`].

mod challenge;
mod client;
mod credentials;
mod image;
mod package;
mod reference;
mod response;

pub(crate) use crate::registry::client::Access;
use crate::registry::client::RegistryClient;
pub(crate) use crate::registry::credentials::CREDENTIALS_VARIABLE;
pub(crate) use crate::registry::credentials::PASSWORD_VARIABLE;
pub(crate) use crate::registry::credentials::USERNAME_VARIABLE;
use crate::registry::image::Image;
use crate::registry::image::PackageDocument;
pub(crate) use crate::registry::package::Package;
pub(crate) use crate::registry::reference::Reference;
pub(crate) use crate::registry::response::RegistryError;

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PushOutcome {
    /// The digest that the tag stands for now, such as `sha256:…`.
    pub(crate) digest: String,
    /// Whether it did so before.
    pub(crate) was_there: bool,
}

/// Writes a package under the tag of `reference`. A tag that stands for another package is moved only where `moves_tag` says so.
///
/// # Errors
///
/// [`RegistryError`]; then the tag stands for what it stood for before.
pub(crate) fn push(
    reference: &Reference,
    access: Access,
    package: &Package,
    moves_tag: bool,
) -> Result<PushOutcome, RegistryError> {
    let client = RegistryClient::new(reference, access)?;
    let tag = reference.tag.as_deref().unwrap_or_default();
    let image = Image::of(package);
    let digest = image::digest(&image.manifest);
    let before = client.manifest(tag)?.map(|manifest| image::digest(&manifest));
    match before {
        Some(before) if before == digest => return Ok(PushOutcome { digest, was_there: true }),
        Some(before) if !moves_tag => {
            return Err(RegistryError::TagTaken { reference: reference.to_string(), before });
        }
        Some(_) | None => {}
    }
    for blob in [&image.config, &image.layer] {
        client.put_blob(&image::digest(blob), blob)?;
    }
    client.put_manifest(tag, image::MANIFEST_TYPE, &image.manifest)?;
    Ok(PushOutcome { digest, was_there: false })
}

/// Reads a package and checks everything about it that needs no key: its digests, its size, and that the registry says nothing
/// of it that it does not say itself. Returns it with the digest that names it there.
///
/// # Errors
///
/// [`RegistryError`], with every problem of the package.
pub(crate) fn pull(reference: &Reference, access: Access) -> Result<(Package, String), RegistryError> {
    let client = RegistryClient::new(reference, access)?;
    let name = reference.tag.as_deref().or(reference.digest.as_deref()).unwrap_or_default();
    let missing = || RegistryError::Missing { reference: reference.to_string() };
    let manifest = client.manifest(name)?.ok_or_else(missing)?;
    let found = image::digest(&manifest);
    if let Some(expected) = reference.digest.as_ref().filter(|expected| **expected != found) {
        let (reference, expected) = (reference.to_string(), expected.clone());
        return Err(RegistryError::OtherDigest { reference, expected, found });
    }
    let wrong = |problems| RegistryError::Wrong { reference: reference.to_string(), problems };
    let received = PackageDocument::read(&manifest).map_err(wrong)?;
    let mut problems = Vec::new();
    let mut blobs = Vec::new();
    for (what, part) in received.parts() {
        let blob = client.blob(&part.digest, part.size)?;
        let found = image::digest(&blob);
        if found != part.digest || blob.len() as u64 != part.size {
            problems.push(format!(
                "its {what} has {} bytes and the digest {found}, and its manifest says {} bytes and {}: somebody tampered with it, \
                 or it was damaged",
                blob.len(),
                part.size,
                part.digest
            ));
        }
        blobs.push(blob);
    }
    if !problems.is_empty() {
        return Err(RegistryError::NotTrusted { reference: reference.to_string(), problems });
    }
    let [config, layer] = <[Vec<u8>; 2]>::try_from(blobs).expect("a package has two parts");
    received.package(&config, layer).map(|package| (package, found)).map_err(wrong)
}
