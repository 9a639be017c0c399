//! Compiled code on disk. Knows how to tell its own files from all others; a file that it did not write is never run.
//!
//! Compiled code is machine code: who can have it run can do anything that the host can. So every file carries a
//! signature under a key, over the code and over what it is the code of. A file that is damaged, was cut short, belongs to
//! another plugin, engine or host, or is unsigned, is compiled anew. The key counts only while it and the folder belong to
//! the user that the host runs as, and nobody else can open either.

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
    /// The cache in `folder`, which is made if it is not there; so is its key. A folder that others could open is closed
    /// to them, and gets a new key.
    ///
    /// # Errors
    ///
    /// When the folder belongs to another user, or it or a file in it can neither be read nor written.
    pub fn open(folder: &Path) -> io::Result<Cache> {
        make_folder(folder)?;
        let user = effective_user(folder)?;
        let metadata = fs::metadata(folder)?;
        check_owner(owner(&metadata), user)?;
        let was_closed = is_closed(&metadata);
        if !was_closed {
            tracing::warn!(folder = %folder.display(), "others could open the folder of compiled plugins: closing it");
            close(folder)?;
        }
        let path = folder.join(KEY_FILE);
        let key = match read_key(&path, user)? {
            Some(key) if was_closed => key,
            Some(_) | None => make_key(folder, &path)?,
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

/// The key, unless there is none, it is another user's, or others could have read or written it.
fn read_key(path: &Path, user: u32) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() || !is_closed(&metadata) || owner(&metadata) != user {
        return Ok(None);
    }
    Ok(<[u8; KEY_BYTES]>::try_from(fs::read(path)?).ok())
}

/// The user that the host runs as: who owns a file that it makes. On systems without users, everything has one owner.
fn effective_user(folder: &Path) -> io::Result<u32> {
    let file = tempfile::NamedTempFile::new_in(folder)?;
    Ok(owner(&file.as_file().metadata()?))
}

/// Checks that the folder is the user's own: who owns a folder decides what is in it.
fn check_owner(owner: u32, user: u32) -> io::Result<()> {
    if owner == user {
        return Ok(());
    }
    let error = format!("the folder belongs to the user {owner}, and the host runs as the user {user}");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, error))
}

/// Makes the folder and those above it, where they are missing, for their owner alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Takes everybody's access to the folder away but its owner's.
#[cfg(unix)]
fn close(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether nobody but its owner can open it.
#[cfg(unix)]
fn is_closed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_closed(_: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn owner(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata) -> u32 {
    0
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_user_counts_for_nothing() {
        let folder = tempfile::TempDir::new().unwrap();
        let user = effective_user(folder.path()).unwrap();
        let path = folder.path().join(KEY_FILE);
        let key = make_key(folder.path(), &path).unwrap();
        assert_eq!(read_key(&path, user).unwrap(), Some(key));
        assert_eq!(read_key(&path, user + 1).unwrap(), None);
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        assert!(check_owner(0, 0).is_ok());
        let error = check_owner(65_534, 0).unwrap_err().to_string();
        assert_eq!(error, "the folder belongs to the user 65534, and the host runs as the user 0");
    }
}
