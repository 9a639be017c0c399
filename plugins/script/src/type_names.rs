//! What messages call the types and functions of scripts.

/// The names that Rhai and Rust give to types, and what a message says.
const CALLED: [(&str, &str); 24] = [
    ("plugin_script::calendar::Instant", "an instant"),
    ("plugin_script::map::TextMap", "a map"),
    ("plugin_script::plan::Plan", "a plan"),
    ("plugin_script::plan::Resource", "a resource"),
    ("plugin_script::plan::Account", "an account"),
    ("plugin_script::plan::Budget", "a budget"),
    ("plugin_script::bindings::exports::perennial::policy::types::Term", "a term"),
    ("plugin_script::ruling::RulingValue", "a ruling"),
    ("instant", "an instant"),
    ("plan", "a plan"),
    ("resource", "a resource"),
    ("account", "an account"),
    ("budget", "a budget"),
    ("term", "a term"),
    ("i64", "a whole number"),
    ("decimal", "an amount"),
    ("rust_decimal::decimal::Decimal", "an amount"),
    ("&str | ImmutableString | String", "text"),
    ("string", "text"),
    ("Fn", "a function"),
    ("bool", "true or false"),
    ("char", "a character"),
    ("array", "a list"),
    ("map", "a map"),
];

/// What a message says for a type.
pub fn called(type_name: &str) -> String {
    let known = CALLED.iter().find(|(name, _)| *name == type_name);
    known.map_or_else(|| format!("`{type_name}`"), |(_, called)| (*called).to_owned())
}

/// The signature of a function that there is not, such as `deny (i64)`, as a message says it.
pub fn signature(signature: &str) -> String {
    let Some((name, arguments)) = signature.split_once(" (") else { return format!("`{signature}`") };
    // Of the brackets at the end only the last one is the call's: `()` may be its argument.
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let arguments =
        arguments.split(", ").filter(|argument| !argument.is_empty()).map(called).collect::<Vec<_>>();
    match arguments[..] {
        [] => format!("`{name}()` without arguments"),
        _ => format!("`{name}` of {}", arguments.join(" and ")),
    }
}
