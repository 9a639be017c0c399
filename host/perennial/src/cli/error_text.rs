//! An error as people read it. Knows nothing of what failed.

/// An error and its causes, but for those that a message before them tells already.
pub(super) fn of(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            let comma = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{comma}{cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::UserError;

    #[test]
    fn a_cause_is_told_once() {
        let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = UserError::Unreadable { path: PathBuf::from("a.json"), source: missing() };
        assert_eq!(of(&error.into()), "cannot read `a.json`: no such file");
        let error = anyhow::Error::from(missing()).context("cannot start");
        assert_eq!(of(&error), "cannot start: no such file");
    }
}
