//! Compiles a script, once for a batch.

use rhai::AST;
use rhai::Engine;

use crate::comments;
use crate::failure;
use crate::failure::RULE;
use crate::limits::SCRIPT_MAX_BYTES;
use crate::rulings::Failure;
use crate::scripts::Finding;
use crate::types::Script;

/// What is said of a comment that swallows the rest of the script.
const UNCLOSED: &str = "this comment has no end; close it with `*/`";

/// The text of a script, without the mark that some editors put before it.
pub fn text_of(script: &Script) -> &str {
    script.text.strip_prefix('\u{feff}').unwrap_or(&script.text)
}

/// Compiles `text`, and makes sure that it defines `fn rule(plan)`.
pub fn compile(engine: &Engine, text: &str) -> Result<AST, Finding> {
    let whole = |message: String| Finding { line: 0, column: 0, message, text: String::new() };
    if text.len() > SCRIPT_MAX_BYTES {
        return Err(whole(format!(
            "a script has at most {SCRIPT_MAX_BYTES} bytes; this one has {}",
            text.len()
        )));
    }
    let ast = engine.compile(text).map_err(|error| match comments::unclosed(text) {
        Some(at) => failure::finding(UNCLOSED.to_owned(), at, text),
        None => failure::of_compilation(&error, text),
    })?;
    let arities = ast.iter_functions().filter(|function| function.name == RULE);
    match arities.map(|function| function.params.len()).collect::<Vec<_>>()[..] {
        [] => Err(match comments::unclosed(text) {
            Some(at) => failure::finding(UNCLOSED.to_owned(), at, text),
            None => whole(format!("a policy defines `fn {RULE}(plan)`; this script does not")),
        }),
        [1] => Ok(ast),
        ref found => Err(whole(format!(
            "`{RULE}` has one parameter, the plan; this one has {}",
            found.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ")
        ))),
    }
}

/// The failure of every plan that a script is asked about which cannot be compiled.
pub fn failure(finding: Finding) -> Failure {
    let Finding { line, column, message, text } = finding;
    Failure { message, function: String::new(), line, column, text }
}
