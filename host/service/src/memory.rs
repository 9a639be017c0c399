//! Memory that was freed goes back to the system. The C library of Linux keeps it otherwise, so a host would look for
//! ever as large as its largest request made it.

/// Gives back what is free. It takes some milliseconds where much is.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library has no other way to say this")]
pub fn give_back() {
    // SAFETY: it takes a number, touches nothing that is in use, and may be called at any time by any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Has each thread keep at most a megabyte of what is free at its end. The C library learns from large bodies to keep as much
/// as they took, for each thread that read one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library has no other way to say this")]
pub(crate) fn keep_little() {
    // SAFETY: both take numbers, and change nothing but when memory is given back.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

/// What a thread may keep, in bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 1 << 20;

/// Elsewhere the allocator does so by itself.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_little() {}

/// Elsewhere the allocator does so by itself.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
