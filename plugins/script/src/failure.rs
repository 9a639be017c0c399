//! Why a script failed, in words, with the function and the place where it did.

use rhai::Dynamic;
use rhai::EvalAltResult;
use rhai::ParseError;
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
/// `last` is the function and the place that a debugger saw last: Rhai forgets where a limit was met.
pub(crate) fn of_run(
    error: Box<EvalAltResult>,
    script: &str,
    last: impl FnOnce() -> (String, Position),
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
        (function, position) = last();
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
    finding(error.err_type().to_string(), error.position(), script)
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
        text: text.trim().chars().take(200).collect(),
    }
}

fn message(mut error: EvalAltResult) -> String {
    error.clear_position();
    if matches!(error, EvalAltResult::ErrorTooManyOperations(_)) {
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
        value.to_string()
    } else if let EvalAltResult::ErrorAssignmentToConstant(name, _)
    | EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) = &error
    {
        read_only(name)
    } else {
        in_our_words(&error.to_string())
    }
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
