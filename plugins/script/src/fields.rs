//! The fields of a plan and its records, as a table: which there are, what they hold, and which of them may be `()`.

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    Plan,
    Resource,
    Account,
    Budget,
    Term,
}

/// What a field holds, beside numbers and instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    Text,
    Record(Record),
    /// A list of resources.
    Resources,
    /// Names with values.
    Texts,
}

/// One field of a record that scripts read.
pub struct Field {
    pub name: &'static str,
    /// Whether it is `()` for some plans.
    pub may_be_unit: bool,
    pub holds: Holds,
}

const fn always(name: &'static str, holds: Holds) -> Field {
    Field { name, may_be_unit: false, holds }
}

const fn maybe(name: &'static str, holds: Holds) -> Field {
    Field { name, may_be_unit: true, holds }
}

const PLAN: [Field; 17] = [
    always("command", Holds::Text),
    always("cause", Holds::Text),
    maybe("cost", Holds::Nothing),
    maybe("refund", Holds::Nothing),
    always("currency", Holds::Text),
    always("at", Holds::Nothing),
    maybe("first_try_at", Holds::Nothing),
    maybe("next_try_at", Holds::Nothing),
    maybe("last_try_at", Holds::Nothing),
    maybe("term", Holds::Record(Record::Term)),
    maybe("options", Holds::Texts),
    always("resource", Holds::Record(Record::Resource)),
    always("members", Holds::Resources),
    maybe("expires_after", Holds::Nothing),
    always("account", Holds::Record(Record::Account)),
    maybe("budget", Holds::Record(Record::Budget)),
    maybe("requested_by", Holds::Text),
];

const RESOURCE: [Field; 11] = [
    always("id", Holds::Text),
    always("kind", Holds::Text),
    always("region", Holds::Text),
    always("tags", Holds::Texts),
    always("attributes", Holds::Texts),
    always("stage", Holds::Text),
    always("started_at", Holds::Nothing),
    maybe("expires_at", Holds::Nothing),
    maybe("term", Holds::Record(Record::Term)),
    maybe("price", Holds::Nothing),
    always("renewals", Holds::Nothing),
];

const ACCOUNT: [Field; 4] = [
    always("id", Holds::Text),
    always("provider", Holds::Text),
    always("balance", Holds::Nothing),
    always("settings", Holds::Texts),
];
const BUDGET: [Field; 3] =
    [always("limit", Holds::Nothing), always("spent", Holds::Nothing), always("left", Holds::Nothing)];
const TERM: [Field; 2] = [always("count", Holds::Nothing), always("unit", Holds::Text)];

impl Record {
    /// What messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Record::Plan => "plan",
            Record::Resource => "resource",
            Record::Account => "account",
            Record::Budget => "budget",
            Record::Term => "term",
        }
    }

    /// Its fields, in the order of the documentation.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Record::Plan => &PLAN,
            Record::Resource => &RESOURCE,
            Record::Account => &ACCOUNT,
            Record::Budget => &BUDGET,
            Record::Term => &TERM,
        }
    }

    /// The field of that name.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }
}

/// The message for a name that is no field of the record.
pub fn unknown(record: Record, name: &str) -> String {
    let names = record.fields().iter().map(|field| field.name);
    let meant = match closest(name, names.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    let article = if record == Record::Account { "an" } else { "a" };
    format!("{article} {} has no field `{name}`; {meant}", record.name())
}

/// The one of `names` that `name` may be a misspelling of: two letters are wrong at most, and fewer than half.
pub(crate) fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 2).min(2);
    let distances = names.map(|known| (distance(name, known), known));
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
}

/// How many letters have to be changed, added or left out to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other = other.chars().collect::<Vec<_>>();
    let mut row = (0..=other.len()).collect::<Vec<_>>();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, known) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *known);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
