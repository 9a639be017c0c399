//! Warns of files with secrets that others on this machine can read or change. Changes nothing.

use std::path::Path;

/// Logs a warning if others than its owner can read or write the file at `path`, which holds `what`. One that is not there is
/// somebody else's to report.
pub(super) fn warn_if_wide(path: &Path, what: &str) {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            let (file, mode) = (path.display(), format!("{mode:o}"));
            tracing::warn!(%file, mode, "others than its owner can read or change {what}: close it with `chmod 600`");
        }
    }
    #[cfg(not(unix))]
    let _ = (path, what);
}
