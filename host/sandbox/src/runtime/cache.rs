//! Compiled code on disk. Knows how to tell its own files from all others; a file that it did not write is never run.
//!
//! Compiled code is machine code: who can have it run can do anything that the host can. So every file carries a
//! signature under a key that only the host's own user can read, over the code and over what it is the code of. A file
//! that is damaged, was cut short, belongs to another plugin, engine or host, or is unsigned, is compiled anew.

use std::fs;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of the key and of a signature.
const KEY_BYTES: usize = 32;

/// The file that holds the key.
const KEY_FILE: &str = "key";

/// A folder of compiled plugins.
pub struct Cache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
}

impl Cache {
    /// The cache in `folder`, which is made if it is not there; so is its key.
    ///
    /// # Errors
    ///
    /// When the folder, or a file in it, can neither be read nor written.
    pub fn open(folder: &Path) -> io::Result<Cache> {
        fs::create_dir_all(folder)?;
        let path = folder.join(KEY_FILE);
        let key = match read_key(&path)? {
            Some(key) => key,
            None => make_key(folder, &path)?,
        };
        Ok(Cache { folder: folder.to_owned(), key })
    }

    /// The compiled component with this digest, if this host compiled it for this engine.
    pub fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let name = name(engine, digest);
        let bytes = fs::read(self.folder.join(&name)).ok()?;
        let (signature, code) = bytes.split_at_checked(KEY_BYTES)?;
        if self.mac(&name, code).verify_slice(signature).is_err() {
            tracing::warn!(file = %self.folder.join(&name).display(), "compiled plugin is damaged or not ours: compiling it again");
            return None;
        }
        deserialize(engine, code)
            .inspect_err(|error| tracing::warn!(%error, "compiled plugin does not fit: compiling it again"))
            .ok()
    }

    /// Keeps the compiled component with this digest. A concurrent reader sees the whole old file or the whole new one.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn put(&self, engine: &Engine, digest: &str, code: &[u8]) -> io::Result<()> {
        let name = name(engine, digest);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&self.mac(&name, code).finalize().into_bytes())?;
        file.write_all(code)?;
        file.persist(self.folder.join(name))?;
        Ok(())
    }

    /// The signature of `code` as the content of the file `name`: a file under another name is another's.
    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key may have any length");
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        mac
    }
}

/// The file of a component for an engine: another version, or other settings, have another name.
fn name(engine: &Engine, digest: &str) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// Code that this host compiled and signed.
#[allow(unsafe_code, reason = "the one place where machine code is read from a file")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are what `Component::serialize` gave this host, which alone has the key to sign them.
    unsafe { Component::deserialize(engine, code) }
}

/// The key, unless there is none or others could have read or written it.
fn read_key(path: &Path) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_ours = is_private(&fs::metadata(path)?);
    Ok(<[u8; KEY_BYTES]>::try_from(bytes).ok().filter(|_| is_ours))
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

/// A new key. What was signed with an older one is compiled again.
fn make_key(folder: &Path, path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    // A temporary file is readable and writable by its owner only, and keeps that.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&key)?;
    file.persist(path)?;
    Ok(key)
}
