//! The table of all limits of plugins, as the guide has it. A limit that is not in it does not compile.

use perennial_domain::answer_limits;
use perennial_domain::timeline;
use perennial_formats::dates;
use perennial_sandbox::Limits;
use perennial_sandbox::TABLE_BYTES_MAX;

/// The table, in Markdown.
pub fn table() -> String {
    let rows = [calls(), components(), answers()].concat();
    let rows = rows.iter().map(|(limit, value)| format!("| {limit} | {value} |\n"));
    format!("| limit | value |\n|---|---|\n{}", rows.collect::<String>())
}

type Row = (&'static str, String);

fn whole(number: usize) -> String {
    dates::whole(number)
}

/// What a call may ask and spend.
fn calls() -> Vec<Row> {
    let Limits {
        requests_max,
        items_max,
        fuel,
        fuel_per_item,
        failing_fuel_max,
        time_max,
        memory_max_bytes,
        table_elements_max,
        handles_max,
        // These are of components and of answers.
        instances_max: _,
        memories_max: _,
        answer_max_bytes: _,
        component_max_bytes: _,
        functions_max: _,
        function_bytes_max: _,
        function_locals_max: _,
        block_values_max: _,
        code_weight_max: _,
        wakes_per_hour_max: _,
    } = Limits::DEFAULT;
    let number = |number: u64| whole(usize::try_from(number).unwrap());
    vec![
        ("requests of a call", whole(requests_max)),
        (
            "members, orders and packages of a call",
            format!("{}; one request is never divided", whole(items_max)),
        ),
        ("fuel of a call", format!("{}, and {} for each of these", number(fuel), number(fuel_per_item))),
        (
            "fuel of calls that fail",
            format!("{} in everything that is asked at once", number(failing_fuel_max)),
        ),
        ("time of a call", format!("{} second", time_max.as_secs())),
        ("memory of a call", format!("{} MiB", memory_max_bytes >> 20)),
        ("elements of a call's tables", whole(table_elements_max)),
        ("handles of a call", whole(handles_max)),
    ]
}

/// What a component or a table may be.
fn components() -> Vec<Row> {
    let Limits {
        instances_max,
        memories_max,
        component_max_bytes,
        functions_max,
        function_bytes_max,
        function_locals_max,
        block_values_max,
        code_weight_max,
        ..
    } = Limits::DEFAULT;
    vec![
        ("a component", format!("{} MiB, {} functions", component_max_bytes >> 20, whole(functions_max))),
        (
            "modules, memories and tables of a component",
            format!("{instances_max}, {memories_max} and {memories_max}"),
        ),
        (
            "one function",
            format!(
                "{} KiB of code, {} locals and parameters, {block_values_max} values of a block or a result",
                function_bytes_max >> 10,
                whole(function_locals_max)
            ),
        ),
        (
            "bytes of each function times its locals, parameters and widest block, together",
            whole(code_weight_max),
        ),
        ("a table of a provider", format!("{} KiB", TABLE_BYTES_MAX >> 10)),
    ]
}

/// What an answer may say.
fn answers() -> Vec<Row> {
    let Limits { answer_max_bytes, wakes_per_hour_max, .. } = Limits::DEFAULT;
    let each = |number: usize| format!("{} for each member", whole(number));
    let bytes = |number: usize| format!("{} bytes", whole(number));
    vec![
        ("an answer", format!("{} MiB of the host's memory", answer_max_bytes >> 20)),
        ("occurrences of a timeline", each(timeline::OCCURRENCES_PER_MEMBER_MAX)),
        ("instants of a timeline within an hour", each(wakes_per_hour_max)),
        ("steps of a plan", each(answer_limits::STEPS_PER_MEMBER_MAX)),
        ("reasons for leaving members out", each(answer_limits::SKIPPED_PER_MEMBER_MAX)),
        ("the code of a refusal", bytes(answer_limits::CODE_BYTES_MAX)),
        ("its message, and the reason for leaving a member out", bytes(answer_limits::MESSAGE_BYTES_MAX)),
        ("the name of an attribute that is set", bytes(answer_limits::ATTRIBUTE_NAME_BYTES_MAX)),
        ("its value", bytes(answer_limits::ATTRIBUTE_BYTES_MAX)),
        ("attributes of a resource with those that are set", whole(answer_limits::ATTRIBUTES_MAX)),
    ]
}
