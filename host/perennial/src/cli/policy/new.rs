//! `perennial policy new`: a policy to begin with, which holds its own tests.

use std::path::Path;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output;

/// A script that does something useful, and shows how a script is written.
const SCRIPT: &str = r#"// Plans that cost more than this wait until somebody approves of them.
const LIMIT = 500.00;

fn rule(plan) {
    // A cloud that quotes no price leaves `()` here.
    if plan.cost == () || plan.cost > global::LIMIT {
        return require_approval(`costs more than ${global::LIMIT} ${plan.currency}`);
    }
    approve()
}
"#;

/// The tests of the new policy.
const TESTS: &str = r#"# Each case states what matters; everything else of the plan has a default (see FORMATS.md).

[[case]]
name = "a small one passes"
plan = { cost = "99.00" }
ruling = "approve"

[[case]]
name = "a large one waits"
plan = { cost = "600.00" }
ruling = { require_approval = "costs more than 500.00 CNY" }

[[case]]
name = "one whose price nobody knows waits"
plan = { cost = "()" }
ruling = { require_approval = "costs more than 500.00 CNY" }
"#;

/// Writes the script, its tests and its entry. Nothing that is there is overwritten.
pub fn new(_: &Context, name: &str, file: &Path) -> anyhow::Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_plain) {
        let message =
            format!("`{name}` is no name of a policy: use lower case letters, digits and dashes, 64 at most");
        return Err(UserError::Argument(message).into());
    }
    if input::is_standard(file) {
        let message = "`--file -`: a policy is added to a file, and its script is put beside that; name one";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let (script, tests) = (folder.join(format!("{name}.rhai")), folder.join(format!("{name}.test.toml")));
    if let Some(there) = [&script, &tests].into_iter().find(|path| path.exists()) {
        let message = format!("`{}` is there already; choose another name", there.display());
        return Err(UserError::Argument(message).into());
    }
    let entry = format!("[[policy]]\nname = \"{name}\"\nscript = \"{name}.rhai\"\n");
    let known = if file.exists() { input::read(file)? } else { String::new() };
    if known.contains(&format!("name = \"{name}\"")) {
        let message = format!("`{}` has a policy `{name}` already; choose another name", file.display());
        return Err(UserError::Argument(message).into());
    }
    let blank = if known.is_empty() { "" } else { "\n" };
    let written = output::write_new(&script, SCRIPT.as_bytes(), false)
        .and_then(|()| output::write_new(&tests, TESTS.as_bytes(), false))
        .and_then(|()| output::write_file(file, format!("{known}{blank}{entry}").as_bytes()));
    if written.is_err() {
        // Neither was there before, and what is left would be in the way of the next attempt.
        [&script, &tests].into_iter().for_each(|path| drop(std::fs::remove_file(path)));
    }
    written?;
    output::done(format_args!(
        "wrote {}, {} and the policy in {}",
        script.display(),
        tests.display(),
        file.display()
    ))?;
    output::done(format_args!("next: perennial policy test {}", file.display()))?;
    Ok(())
}
