//! Compiles a script, once for a batch.

use rhai::AST;
use rhai::Engine;

use crate::failure;
use crate::failure::RULE;
use crate::limits::SCRIPT_MAX_BYTES;
use crate::rulings::Failure;
use crate::scripts::Finding;

/// Compiles `text`, and makes sure that it defines `fn rule(plan)`.
pub fn compile(engine: &Engine, text: &str) -> Result<AST, Finding> {
    let whole = |message: String| Finding { line: 0, column: 0, message, text: String::new() };
    if text.len() > SCRIPT_MAX_BYTES {
        return Err(whole(format!(
            "a script has at most {SCRIPT_MAX_BYTES} bytes; this one has {}",
            text.len()
        )));
    }
    let ast = engine.compile(text).map_err(|error| failure::of_compilation(&error, text))?;
    let arities = ast.iter_functions().filter(|function| function.name == RULE);
    match arities.map(|function| function.params.len()).collect::<Vec<_>>()[..] {
        [] => Err(whole(format!("a policy defines `fn {RULE}(plan)`; this script does not"))),
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
