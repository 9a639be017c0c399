//! The table of all limits of plugins, as the guide has it. One of the sandbox's that is not in it does not compile, and one of
//! those that stand alone in a module is found there.

use std::path::Path;

use perennial_domain::answer_limits;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_domain::timeline;
use perennial_formats::dates;
use perennial_sandbox::GrantBounds;
use perennial_sandbox::Limits;
use perennial_sandbox::TABLE_BYTES_MAX;

/// The table, in Markdown.
pub fn table() -> String {
    let source = SOURCES.iter().map(|source| (source.limit, source.shown()));
    let rows = [calls(), components(), answers(), granted(), source.collect()].concat();
    let rows = rows.iter().map(|(limit, value)| format!("| {limit} | {value} |\n"));
    format!("| limit | value |\n|---|---|\n{}", rows.collect::<String>())
}

type Row = (&'static str, String);

/// A limit that only its module knows.
struct InSource {
    limit: &'static str,
    /// The file, and the name of the constant in it.
    place: (&'static str, &'static str),
    unit: &'static str,
}

const fn of(limit: &'static str, file: &'static str, name: &'static str, unit: &'static str) -> InSource {
    InSource { limit, place: (file, name), unit }
}

const ENGINE: &str = "host/sandbox/src/runtime/engine.rs";
const PANIC: &str = "host/sandbox/src/runtime/panic_message.rs";
const WASI: &str = "host/sandbox/src/runtime/wasi.rs";
const MANIFEST: &str = "host/sandbox/src/provider/manifest.rs";
const API: &str = "host/domain/src/provider_api.rs";
const CONNECTOR: &str = "host/domain/src/connector/check.rs";
const PACKAGE: &str = "host/formats/src/package.rs";
const SECTION: &str = "host/formats/src/package_manifest.rs";
const VALUES: &str = "plugins/declared/src/read/section.rs";
const NOTICES: &str = "plugins/declared/src/read/notices.rs";
const KINDS: &str = "plugins/declared/src/read/kinds.rs";
const WORDS: &str = "plugins/declared/src/words.rs";
const REFUNDS: &str = "plugins/declared/src/unsubscription.rs";

/// Every constant of these modules whose name says that it is a limit.
const SOURCES: [InSource; 27] = [
    of("stack of a call", ENGINE, "STACK_MAX_BYTES", "KiB"),
    of("what is kept of a panic's text, or of the standard error", PANIC, "BYTES_MAX", "bytes"),
    of("random bytes that WASI gives at once", WASI, "RANDOM_BYTES_MAX", "KiB"),
    of("items of each list of a manifest", MANIFEST, "ITEMS_MAX", ""),
    of("a text of a manifest", MANIFEST, "TEXT_MAX_BYTES", "bytes"),
    of("a name of a manifest", MANIFEST, "NAME_MAX_BYTES", "bytes"),
    of("provider's own API: ids of a filter, items of a page", API, "PAGE_MAX", ""),
    of("provider's own API: queries of a step, mutations of a transaction", API, "LIST_MAX", ""),
    of("provider's own API: derivations of a signature", API, "DERIVATIONS_MAX", ""),
    of("provider's own API: validity of a token", API, "TOKEN_SECONDS_MAX", "days"),
    of("connector: items of a list of capabilities, headers of a request", CONNECTOR, "ITEMS_MAX", ""),
    of("connector: a name of its capabilities", CONNECTOR, "NAME_BYTES_MAX", "bytes"),
    of("connector: a text of its capabilities, a host name, a path", CONNECTOR, "TEXT_BYTES_MAX", "bytes"),
    of("connector: a cursor", CONNECTOR, "CURSOR_BYTES_MAX", "bytes"),
    of("connector: the query of a request", CONNECTOR, "QUERY_BYTES_MAX", "bytes"),
    of("connector: the body of a request", CONNECTOR, "BODY_BYTES_MAX", "KiB"),
    of("connector: resources or orders of a page", CONNECTOR, "PAGE_MAX", ""),
    of("package: each text, such as its source", PACKAGE, "TEXT_MAX_BYTES", "bytes"),
    of("package: the section with its limits", SECTION, "BYTES_MAX", "KiB"),
    of("table: a text", VALUES, "TEXT_MAX_BYTES", "bytes"),
    of("table: a name", VALUES, "NAME_MAX_BYTES", "bytes"),
    of("table: kinds", KINDS, "KINDS_MAX", ""),
    of("table: terms of a kind", WORDS, "TERMS_MAX", ""),
    of("table: days of the tries, or of one notice", WORDS, "DAYS_MAX", ""),
    of("table: notices", NOTICES, "NOTICES_MAX", ""),
    of("table: days of all notices together", NOTICES, "DAYS_MAX", ""),
    of("table: a stage or another length of time", WORDS, "LENGTH_MAX", "days"),
];

/// Constants of the same modules that are no limits of plugins, with why.
const OTHERS: [(&str, &str, &str); 2] = [
    (ENGINE, "IDLE_TICKS_MAX", "it is about the host's own thread"),
    (REFUNDS, "MONTHS_MAX", "it is how far refunds are looked for, and refuses nothing"),
];

impl InSource {
    fn shown(&self) -> String {
        let (file, name) = self.place;
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let (_, value) = constants(&text)
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{file} has no {name}"));
        let number = value_of(value);
        match self.unit {
            "KiB" => format!("{} KiB", whole(number >> 10)),
            "days" => format!("{} days", whole(number / 86_400)),
            "" => whole(number),
            unit => format!("{} {unit}", whole(number)),
        }
    }
}

/// Every limit of the modules of [`SOURCES`] that is in no row.
pub fn forgotten() -> Vec<String> {
    let files = SOURCES.iter().map(|source| source.place.0).chain([REFUNDS]);
    let files = files.collect::<std::collections::BTreeSet<_>>();
    let mut forgotten = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        for (name, _) in constants(&text).filter(|(name, _)| name.contains("MAX")) {
            let is_row = SOURCES.iter().any(|source| source.place == (file, name));
            let is_other = OTHERS.iter().any(|(other, known, _)| (*other, *known) == (file, name));
            if !is_row && !is_other {
                forgotten.push(format!("{file}: {name}"));
            }
        }
    }
    forgotten
}

/// The constants at the left margin of a source file, with what they are set to.
fn constants(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let line = line.strip_suffix(';')?;
        let visible = line
            .strip_prefix("pub")
            .map_or(line, |rest| rest.split_once("const ").map_or("", |(_, rest)| rest));
        let (name, rest) = visible.strip_prefix("const ").unwrap_or(visible).split_once(": ")?;
        let is_name = name.chars().all(|character| character.is_ascii_uppercase() || character == '_');
        (is_name && !name.is_empty()).then_some((name, rest.split_once(" = ")?.1))
    })
}

/// A number as a source file has it: digits, products and shifts.
fn value_of(text: &str) -> usize {
    let factor = |text: &str| match text.trim() {
        "DAY" => 86_400,
        digits => {
            digits.replace('_', "").parse::<usize>().unwrap_or_else(|_| panic!("`{text}` is no number"))
        }
    };
    match text.split_once(" << ") {
        Some((number, bits)) => factor(number) << factor(bits),
        None => text.split(" * ").map(factor).product(),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

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

/// What may be granted, and what a plugin has that was granted anything.
fn granted() -> Vec<Row> {
    let GrantBounds { most, memory_total_bytes } = GrantBounds::DEFAULT;
    let PluginLimits { fuel_per_item, memory_bytes, file_bytes, wasi: _ } = most;
    let number = |number: Option<u64>| usize::try_from(number.unwrap()).unwrap();
    let mib = |bytes: usize| format!("{} MiB", whole(bytes >> 20));
    let Limits { instances_max, memories_max, table_elements_max, handles_max, function_bytes_max, .. } =
        Limits::DEFAULT.with(PluginLimits::NONE);
    vec![
        ("at most granted: fuel for each member, order or package", whole(number(fuel_per_item))),
        ("at most granted: memory of a call", mib(number(memory_bytes))),
        ("at most granted: size of a component", mib(number(file_bytes))),
        ("memory of all calls of plugins that were granted anything, together", mib(memory_total_bytes)),
        (
            "modules, memories and tables of such a component",
            format!("{instances_max}, {memories_max} and {memories_max}"),
        ),
        ("elements of such a call's tables", whole(table_elements_max)),
        ("handles of such a call", whole(handles_max)),
        ("code of one function of such a component", format!("{} KiB", whole(function_bytes_max >> 10))),
    ]
}
