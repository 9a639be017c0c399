//! Why a script failed, in words, with the function and the place where it did.

use rhai::Dynamic;
use rhai::EvalAltResult;
use rhai::ParseError;
use rhai::ParseErrorType;
use rhai::Position;

use crate::limits::CALLS_MAX;
use crate::limits::LIST_MAX;
use crate::limits::MAP_MAX;
use crate::limits::OPERATIONS_MAX;
use crate::limits::TEXT_MAX_BYTES;
use crate::limits::VARIABLES_MAX;
use crate::rulings::Failure;
use crate::scripts::Finding;
use crate::type_names;

/// The function that every script defines.
pub(crate) const RULE: &str = "rule";

/// What a function of a script returns, or why it cannot.
pub type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// The error of a function that a script called.
pub fn error(message: String) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(message.into(), Position::NONE).into()
}

/// What happened when a script of this text ran.
///
/// `locate` tells the function and the place at which a limit was met: Rhai knows the place at most.
pub(crate) fn of_run(
    error: Box<EvalAltResult>,
    script: &str,
    locate: impl FnOnce(Position) -> (String, Position),
) -> Failure {
    let (mut function, mut inner, mut position) = (RULE.to_owned(), error, Position::NONE);
    loop {
        if !inner.position().is_none() {
            position = inner.position();
        }
        let EvalAltResult::ErrorInFunctionCall(name, _, cause, _) = &mut *inner else { break };
        // A closure has a name that nobody gave it.
        if !name.starts_with("anon$") {
            function = std::mem::take(name);
        }
        let cause = std::mem::replace(cause, Box::new(EvalAltResult::ErrorFor(Position::NONE)));
        inner = cause;
    }
    if inner.is_system_exception() {
        (function, position) = locate(position);
    }
    at(message(*inner), function, position, script)
}

/// A script that ran and returned something that is no ruling.
pub(crate) fn of_value(value: &Dynamic, script: &str) -> Failure {
    let returned = match value.type_name() {
        "()" => "nothing; it must end in a ruling such as approve()".to_owned(),
        name => {
            format!("{}, which is no ruling such as approve() or deny(\"why\")", type_names::called(name))
        }
    };
    at(format!("`{RULE}` returned {returned}"), RULE.to_owned(), Position::NONE, script)
}

/// Why a script of this text cannot be compiled.
pub(crate) fn of_compilation(error: &ParseError, script: &str) -> Finding {
    let message = if let ParseErrorType::VariableUndefined(name) = error.err_type() {
        no_variable(name)
    } else {
        error.err_type().to_string()
    };
    match end_of(script).filter(|_| error.position().is_none() || is_after_all(error.position(), script)) {
        Some(end) => finding(format!("{message}; the script ends here"), end, script),
        None => finding(message, error.position(), script),
    }
}

/// The message for a variable that there is not.
pub(crate) fn no_variable(name: &str) -> String {
    format!("there is no variable `{name}`; a constant of the script is `global::{name}` within a function")
}

/// Whether there are only blanks from this place on.
fn is_after_all(position: Position, script: &str) -> bool {
    let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
    let mut rest = script.lines().skip(line - 1);
    let is_blank = |text: String| text.trim().is_empty();
    let here = rest.next().unwrap_or_default().chars().skip(column.saturating_sub(1)).collect();
    is_blank(here) && rest.all(|line| line.trim().is_empty())
}

/// The place behind the last thing that a script says; `None` when it says nothing.
fn end_of(script: &str) -> Option<Position> {
    let (index, line) = script.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last()?;
    let column = line.trim_end().chars().count() + 1;
    Some(Position::new(u16::try_from(index + 1).ok()?, u16::try_from(column).ok()?))
}

/// Something about a place in a script of this text.
pub fn finding(message: String, position: Position, script: &str) -> Finding {
    let failure = at(message, String::new(), position, script);
    Finding { line: failure.line, column: failure.column, message: failure.message, text: failure.text }
}

fn at(message: String, function: String, position: Position, script: &str) -> Failure {
    let line = position.line().unwrap_or(0);
    let text = line.checked_sub(1).and_then(|index| script.lines().nth(index)).unwrap_or_default();
    Failure {
        message,
        function,
        line: u32::try_from(line).unwrap_or(0),
        column: u32::try_from(position.position().unwrap_or(0)).unwrap_or(0),
        text: text.trim_end().chars().take(200).collect(),
    }
}

fn message(mut error: EvalAltResult) -> String {
    error.clear_position();
    if matches!(error, EvalAltResult::ErrorTooManyOperations(_) | EvalAltResult::ErrorTerminated(..)) {
        format!(
            "more than {OPERATIONS_MAX} operations: a loop that does not end, or too much work for one plan"
        )
    } else if matches!(error, EvalAltResult::ErrorStackOverflow(_)) {
        format!("calls within calls go deeper than {CALLS_MAX}: a function that calls itself")
    } else if matches!(error, EvalAltResult::ErrorTooManyVariables(_)) {
        format!("more than {VARIABLES_MAX} variables")
    } else if matches!(error, EvalAltResult::ErrorDataTooLarge(..)) {
        format!(
            "a value becomes too large: a text has at most {TEXT_MAX_BYTES} bytes, a list {LIST_MAX} items, a map \
             {MAP_MAX} names"
        )
    } else if let EvalAltResult::ErrorFunctionNotFound(signature, _) = &error {
        format!("there is no function {}", type_names::signature(signature))
    } else if let EvalAltResult::ErrorRuntime(value, _) = &error {
        thrown(value)
    } else if let EvalAltResult::ErrorAssignmentToConstant(name, _)
    | EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) = &error
    {
        read_only(name)
    } else {
        in_our_words(&error.to_string())
    }
}

/// What a script says that throws `value`: text and numbers speak for themselves.
fn thrown(value: &Dynamic) -> String {
    if value.is_unit() {
        return "it throws nothing; say why it does".to_owned();
    }
    let speaks =
        value.is_string() || value.is_int() || value.is_decimal() || value.is_bool() || value.is_char();
    let name = type_names::called(value.type_name());
    let speaks = speaks || ["an instant", "a map", "a list"].contains(&name.as_str());
    if speaks { value.to_string() } else { format!("it throws {name}") }
}

/// A message of Rhai's about a property, in the words of records; any other as it is.
fn in_our_words(message: &str) -> String {
    let property = || {
        if let Some(rest) = message.strip_prefix("No writable property '") {
            return rest.split_once('\'').map(|(name, _)| read_only(name));
        }
        let rest = message.strip_prefix("Unknown property '")?;
        let (name, rest) = rest.split_once('\'')?;
        let (_, kind) = rest.split_once("for type '")?;
        Some(format!("{} has no field `{name}`", type_names::called(kind.trim_end_matches('\''))))
    };
    property().unwrap_or_else(|| message.to_owned())
}

/// The message for what a script tried to change.
pub(crate) fn read_only(name: &str) -> String {
    format!("`{name}` is read-only: a policy cannot change a plan")
}
