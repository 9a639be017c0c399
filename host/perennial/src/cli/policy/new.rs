//! `perennial policy new`: a policy to begin with, which holds its own tests.

use std::fs::OpenOptions;
use std::io::Write;
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
    let known = std::fs::read_to_string(file).unwrap_or_default();
    if known.contains(&format!("name = \"{name}\"")) {
        let message = format!("`{}` has a policy `{name}` already; choose another name", file.display());
        return Err(UserError::Argument(message).into());
    }
    let blank = if known.is_empty() { "" } else { "\n" };
    write(&script, SCRIPT)?;
    write(&tests, TESTS)?;
    write(file, &format!("{blank}{entry}"))?;
    output::done(format_args!(
        "wrote {}, {} and the policy in {}",
        script.display(),
        tests.display(),
        file.display()
    ))?;
    output::done(format_args!("next: perennial policy test {}", file.display()))?;
    Ok(())
}

/// Writes at the end of a file, which is made if it is not there.
fn write(path: &Path, text: &str) -> Result<(), UserError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| UserError::Argument(format!("cannot write `{}`: {error}", path.display())))
}
