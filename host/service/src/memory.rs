//! Memory that was freed goes back to the system. The C library of Linux keeps it otherwise, so a host would look for
//! ever as large as its largest request made it.

/// Gives back what is free. It takes some milliseconds where much is.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library has no other way to say this")]
pub fn give_back() {
    // SAFETY: it takes a number, touches nothing that is in use, and may be called at any time by any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Elsewhere the allocator does so by itself.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
