//! The documents of a package in a registry: the manifest, and the configuration of its layer. Written so that tools of
//! WebAssembly components pull them, too, and read so that a registry can say nothing that the package does not.

use std::collections::BTreeMap;

use perennial_formats::package::PackageManifest;
use serde::Deserialize;
use serde::Serialize;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;

use crate::registry::package::Package;
use crate::registry::reference::is_digest;

/// The type of a manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The types of the configuration and of the layer of a component, as tools of WebAssembly have them ...
const COMPONENT_TYPES: [&str; 2] = ["application/vnd.wasm.config.v0+json", "application/wasm"];
/// ... and those of a table.
const TABLE_TYPES: [&str; 2] =
    ["application/vnd.perennial.table.config.v1+json", "application/vnd.perennial.table.v1+toml"];
/// Where the signature is.
const SIGNATURE: &str = "perennial.signature.ed25519";
/// What the texts of a package are called in a manifest, in their order.
const ANNOTATIONS: [&str; 6] = [
    "org.opencontainers.image.title",
    "org.opencontainers.image.version",
    "perennial.contract",
    "org.opencontainers.image.authors",
    "org.opencontainers.image.source",
    "org.opencontainers.image.licenses",
];
/// When every configuration says to be made, so that the same package has the same digest.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The most bytes of a component or a table that is taken from a registry: 64 MiB.
const LAYER_MAX: u64 = 64 << 20;
/// The most bytes of a configuration.
const CONFIG_MAX: u64 = 1 << 20;

/// The digest of bytes, such as `sha256:…`.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A part of a package: its type, its digest and its size.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
}

impl Part {
    fn of(media_type: &str, bytes: &[u8]) -> Part {
        Part { media_type: media_type.to_owned(), digest: digest(bytes), size: bytes.len() as u64 }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: Option<String>,
    config: Part,
    layers: Vec<Part>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// A package as it is written.
pub(super) struct Image {
    pub(super) manifest: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) layer: Vec<u8>,
}

impl Image {
    /// Of a package.
    pub(super) fn of(package: &Package) -> Image {
        let types = if package.is_table { TABLE_TYPES } else { COMPONENT_TYPES };
        let said = &package.manifest;
        let mut config = json!({
            "created": CREATED,
            "author": said.authors,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [digest(&package.bytes)],
        });
        if !package.is_table {
            config["component"] = json!({ "exports": said.exports, "imports": said.imports, "target": null });
        }
        let config = config.to_string().into_bytes();
        let texts = ANNOTATIONS.into_iter().zip(said.texts());
        let texts = texts.filter_map(|(annotation, (_, text))| Some((annotation, text?)));
        let signature = package.signature.as_deref().map(|signature| (SIGNATURE, signature.trim()));
        let annotations = texts.chain(signature).map(|(name, text)| (name.to_owned(), text.to_owned()));
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            config: Part::of(types[0], &config),
            layers: vec![Part::of(types[1], &package.bytes)],
            annotations: annotations.collect(),
        };
        let manifest = serde_json::to_vec(&manifest).expect("texts and numbers are JSON");
        Image { manifest, config, layer: package.bytes.clone() }
    }
}

/// A manifest that can be one of a package.
#[derive(Debug)]
pub(super) struct PackageDocument {
    config: Part,
    layer: Part,
    is_table: bool,
    annotations: BTreeMap<String, String>,
}

impl PackageDocument {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// Every problem of it, as a sentence.
    pub(super) fn read(bytes: &[u8]) -> Result<PackageDocument, Vec<String>> {
        let manifest = serde_json::from_slice::<Manifest>(bytes);
        let manifest =
            manifest.map_err(|error| vec![format!("its manifest is none of a package: {error}")])?;
        let mut problems = Vec::new();
        if manifest.media_type.as_deref().is_some_and(|media_type| media_type != MANIFEST_TYPE) {
            problems.push(format!("its manifest is not of the type `{MANIFEST_TYPE}`"));
        }
        let [layer] = manifest.layers.as_slice() else {
            let layers = manifest.layers.len();
            problems.push(format!("it has {layers} layers, and a package has one"));
            return Err(problems);
        };
        let types = [manifest.config.media_type.as_str(), layer.media_type.as_str()];
        if types != COMPONENT_TYPES && types != TABLE_TYPES {
            problems.push(format!(
                "it is of the types `{}` and `{}`, which are neither those of a component nor those of a table",
                types[0], types[1]
            ));
        }
        let limits = [("configuration", &manifest.config, CONFIG_MAX), ("layer", layer, LAYER_MAX)];
        for (what, part, largest) in limits {
            if part.size > largest {
                problems.push(format!("its {what} has {} bytes; at most {largest} are accepted", part.size));
            }
            if !is_digest(&part.digest) {
                problems.push(format!("the digest of its {what} is not `sha256:` and 64 digits"));
            }
        }
        match problems.is_empty() {
            true => Ok(PackageDocument {
                is_table: types == TABLE_TYPES,
                layer: layer.clone(),
                config: manifest.config,
                annotations: manifest.annotations,
            }),
            false => Err(problems),
        }
    }

    /// The configuration and the layer, in this order.
    pub(super) fn parts(&self) -> [(&'static str, &Part); 2] {
        [("configuration", &self.config), ("layer", &self.layer)]
    }

    /// The package of these two.
    ///
    /// # Errors
    ///
    /// Everything that the package says of itself wrongly, and that the registry says otherwise.
    pub(super) fn package(self, config: &[u8], layer: Vec<u8>) -> Result<Package, Vec<String>> {
        let (manifest, mut problems) = PackageManifest::read(&layer, self.is_table);
        problems.extend(manifest.missing());
        let config = serde_json::from_slice::<serde_json::Value>(config).unwrap_or_default();
        if config["layerDigests"] != json!([self.layer.digest]) {
            problems.push("its configuration names another layer than its manifest".to_owned());
        }
        for (annotation, (what, text)) in ANNOTATIONS.into_iter().zip(manifest.texts()) {
            let said = self.annotations.get(annotation).map(String::as_str);
            if let Some(said) = said.filter(|said| Some(*said) != text) {
                let own = text.map_or("has none".to_owned(), |own| format!("says `{own}`"));
                problems
                    .push(format!("the registry says that its {what} is `{said}`, and the package {own}"));
            }
        }
        let signature = self.annotations.get(SIGNATURE).map(|signature| format!("{}\n", signature.trim()));
        match problems.is_empty() {
            true => Ok(Package { bytes: layer, is_table: self.is_table, signature, manifest }),
            false => Err(problems),
        }
    }
}
