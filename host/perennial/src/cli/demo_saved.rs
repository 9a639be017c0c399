//! What the demos say of the files that they saved.

use std::io;
use std::io::Write;
use std::path::PathBuf;

use crate::report::Style;
use crate::report::columns;
use crate::report::style::Tone;

/// Says where what was saved is.
pub(super) fn tell(what: &str, saved: &[PathBuf], style: Style, out: &mut dyn Write) -> io::Result<()> {
    if saved.is_empty() {
        return Ok(());
    }
    let files = saved.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(" and ");
    columns::paragraph(&format!("{what} are in {files}."), ("", ""), Tone::Plain, style, out)
}
