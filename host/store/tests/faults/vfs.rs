//! SQLite's file layer with a [`Disk`] in between: every operation on a file of a mounted folder is put to the disk first.
//!
//! It is the default layer of the process, so the store under test knows nothing of it. Files elsewhere are the system's.
#![allow(unsafe_code, reason = "SQLite calls its file layer through C")]

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::Once;
use std::sync::PoisonError;

use perennial_store::testing;
use rusqlite::ffi;
use rusqlite::ffi::sqlite3_file;
use rusqlite::ffi::sqlite3_io_methods;
use rusqlite::ffi::sqlite3_vfs;

use crate::disk::Disk;
use crate::disk::Verdict;

static DISKS: Mutex<BTreeMap<PathBuf, Arc<Mutex<Disk>>>> = Mutex::new(BTreeMap::new());

/// A folder with a disk under it.
pub struct Mount {
    folder: PathBuf,
    disk: Arc<Mutex<Disk>>,
}

impl Mount {
    /// Puts `disk` under `folder`, whose files nobody has open.
    pub fn new(folder: &Path, disk: Disk) -> Mount {
        install();
        let folder = folder.canonicalize().unwrap();
        let disk = Arc::new(Mutex::new(disk));
        lock(&DISKS).insert(folder.clone(), Arc::clone(&disk));
        Mount { folder, disk }
    }

    /// The disk behind the mount.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        lock(&DISKS).remove(&self.folder);
    }
}

/// What SQLite says it was built from, as the layer's own functions see it.
pub fn source_id() -> String {
    // SAFETY: it is a constant of the library.
    unsafe { CStr::from_ptr(ffi::sqlite3_sourceid()) }.to_str().unwrap().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An open file as SQLite knows it. The system's own is behind it in memory.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// Null for a file that is on no disk.
    on_disk: *mut OnDisk,
}

struct OnDisk {
    disk: Arc<Mutex<Disk>>,
    name: String,
}

/// Puts the layer under SQLite, once.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the system's layer lives as long as the process, and so does the copy, whose names are constants.
        unsafe {
            let system = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!system.is_null());
            let mut layer = std::ptr::read(system);
            layer.pNext = std::ptr::null_mut();
            layer.zName = c"faults".as_ptr();
            layer.szOsFile += c_int::try_from(size_of::<File>()).unwrap();
            layer.pAppData = system.cast();
            layer.xOpen = Some(open);
            layer.xDelete = Some(delete);
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 1), ffi::SQLITE_OK);
        }
    });
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Files are never mapped into memory: that takes version 3.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The system's file behind one of ours.
fn system_file(file: *mut sqlite3_file) -> *mut sqlite3_file {
    file.cast::<File>().wrapping_add(1).cast()
}

/// The disk of a mounted folder that the file called `name` is on.
fn find(name: *const c_char) -> Option<OnDisk> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite gives names that end in a null byte.
    let path = Path::new(unsafe { CStr::from_ptr(name) }.to_str().ok()?);
    let disk = Arc::clone(lock(&DISKS).get(path.parent()?)?);
    Some(OnDisk { disk, name: path.file_name()?.to_str()?.to_owned() })
}

/// The disk of an open file.
///
/// # Safety
///
/// `open` made the file, and `close` did not end it.
unsafe fn on_disk<'f>(file: *mut sqlite3_file) -> Option<&'f OnDisk> {
    // SAFETY: as the caller says.
    unsafe { (*file.cast::<File>()).on_disk.as_ref() }
}

unsafe extern "C" fn open(
    layer: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: `file` has room for ours and the system's, which `szOsFile` says; `pAppData` is the system's layer.
    unsafe {
        let ours = file.cast::<File>();
        (*ours).base.pMethods = std::ptr::null();
        (*ours).on_disk = std::ptr::null_mut();
        let found = find(name);
        if found.as_ref().is_some_and(|found| lock(&found.disk).is_dead()) {
            return ffi::SQLITE_IOERR;
        }
        let before =
            found.as_ref().map(|_| std::fs::read(CStr::from_ptr(name).to_str().unwrap()).unwrap_or_default());
        let system = (*layer).pAppData.cast::<sqlite3_vfs>();
        let code = (*system).xOpen.unwrap()(system, name, system_file(file), flags, flags_out);
        if code != ffi::SQLITE_OK {
            return code;
        }
        if let (Some(found), Some(before)) = (found, before) {
            // Not by way of SQLite, so only the store can say that it did.
            if testing::was_rewritten(Path::new(CStr::from_ptr(name).to_str().unwrap())) {
                lock(&found.disk).rewritten(&found.name, before.clone());
            }
            lock(&found.disk).open(&found.name, || before);
            (*ours).on_disk = Box::into_raw(Box::new(found));
        }
        (*ours).base.pMethods = &raw const METHODS;
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(layer: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    if let Some(found) = find(name)
        && lock(&found.disk).delete(&found.name, sync_folder != 0) != Verdict::Done
    {
        return ffi::SQLITE_IOERR_DELETE;
    }
    // SAFETY: `pAppData` is the system's layer.
    unsafe {
        let system = (*layer).pAppData.cast::<sqlite3_vfs>();
        (*system).xDelete.unwrap()(system, name, 0)
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: `open` made the box, and nobody uses the file after this.
    unsafe {
        let on_disk = std::mem::replace(&mut (*file.cast::<File>()).on_disk, std::ptr::null_mut());
        if !on_disk.is_null() {
            drop(Box::from_raw(on_disk));
        }
        let system = system_file(file);
        (*(*system).pMethods).xClose.unwrap()(system)
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite says how long `into` is.
    unsafe {
        if on_disk(file).is_some_and(|found| lock(&found.disk).read() != Verdict::Done) {
            return ffi::SQLITE_IOERR_READ;
        }
        let system = system_file(file);
        (*(*system).pMethods).xRead.unwrap()(system, into, length, offset)
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite says how long `from` is.
    unsafe {
        let system = system_file(file);
        let put = |length: c_int| (*(*system).pMethods).xWrite.unwrap()(system, from, length, offset);
        let Some(found) = on_disk(file) else { return put(length) };
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(length).unwrap());
        let verdict = lock(&found.disk).write(&found.name, usize::try_from(offset).unwrap(), bytes);
        match verdict {
            Verdict::Done => put(length),
            Verdict::Short(done) => {
                assert_eq!(put(c_int::try_from(done).unwrap()), ffi::SQLITE_OK);
                ffi::SQLITE_FULL
            }
            Verdict::Failed { is_full: true } => ffi::SQLITE_FULL,
            Verdict::Failed { is_full: false } => ffi::SQLITE_IOERR_WRITE,
        }
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    // SAFETY: `open` made the file.
    unsafe {
        let cut = |found: &OnDisk| lock(&found.disk).truncate(&found.name, usize::try_from(length).unwrap());
        if on_disk(file).is_some_and(|found| cut(found) != Verdict::Done) {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let system = system_file(file);
        (*(*system).pMethods).xTruncate.unwrap()(system, length)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: `open` made the file.
    unsafe {
        let Some(found) = on_disk(file) else {
            let system = system_file(file);
            return (*(*system).pMethods).xSync.unwrap()(system, flags);
        };
        // The disk is made up, so the real one need not be waited for.
        let verdict = lock(&found.disk).sync(&found.name);
        if verdict == Verdict::Done { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_FSYNC }
    }
}

/// Maps a part of the index of the log, which the system's layer keeps in a file of its own.
unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    // SAFETY: `open` made the file, and the arguments are SQLite's.
    unsafe {
        if extend != 0
            && let Some(found) = on_disk(file)
        {
            // As the system's layer does when it fails.
            let verdict = lock(&found.disk).extend_index();
            let code = match verdict {
                Verdict::Done => ffi::SQLITE_OK,
                Verdict::Failed { is_full: true } => ffi::SQLITE_IOERR_SHMSIZE,
                Verdict::Failed { is_full: false } | Verdict::Short(_) => ffi::SQLITE_IOERR_SHMOPEN,
            };
            if code != ffi::SQLITE_OK {
                *mapped = std::ptr::null_mut();
                return code;
            }
        }
        let system = system_file(file);
        (*(*system).pMethods).xShmMap.unwrap()(system, page, size, extend, mapped)
    }
}

/// What the system's file does, unchanged.
macro_rules! forward {
    ($($name:ident, $method:ident, ($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $kind),*) -> $result {
            // SAFETY: `open` made the file, and the arguments are SQLite's.
            unsafe {
                let system = system_file(file);
                (*(*system).pMethods).$method.unwrap()(system, $($argument),*)
            }
        })*
    };
}

forward! {
    file_size, xFileSize, (size: *mut i64) -> c_int;
    lock_file, xLock, (level: c_int) -> c_int;
    unlock_file, xUnlock, (level: c_int) -> c_int;
    check_reserved_lock, xCheckReservedLock, (is_locked: *mut c_int) -> c_int;
    file_control, xFileControl, (operation: c_int, argument: *mut c_void) -> c_int;
    sector_size, xSectorSize, () -> c_int;
    device_characteristics, xDeviceCharacteristics, () -> c_int;
    shm_lock, xShmLock, (offset: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier, xShmBarrier, () -> ();
    shm_unmap, xShmUnmap, (delete: c_int) -> c_int;
}
