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

/// One field of a record that scripts read.
pub struct Field {
    pub name: &'static str,
    /// Whether it is `()` for some plans.
    pub may_be_unit: bool,
    /// The record that it holds, if it holds one.
    pub holds: Option<Record>,
}

const fn always(name: &'static str) -> Field {
    Field { name, may_be_unit: false, holds: None }
}

const fn maybe(name: &'static str) -> Field {
    Field { name, may_be_unit: true, holds: None }
}

const PLAN: [Field; 17] = [
    always("command"),
    always("cause"),
    maybe("cost"),
    maybe("refund"),
    always("currency"),
    always("at"),
    maybe("first_try_at"),
    maybe("next_try_at"),
    maybe("last_try_at"),
    Field { name: "term", may_be_unit: true, holds: Some(Record::Term) },
    maybe("options"),
    Field { name: "resource", may_be_unit: false, holds: Some(Record::Resource) },
    always("members"),
    maybe("expires_after"),
    Field { name: "account", may_be_unit: false, holds: Some(Record::Account) },
    Field { name: "budget", may_be_unit: true, holds: Some(Record::Budget) },
    maybe("requested_by"),
];

const RESOURCE: [Field; 11] = [
    always("id"),
    always("kind"),
    always("region"),
    always("tags"),
    always("attributes"),
    always("stage"),
    always("started_at"),
    maybe("expires_at"),
    Field { name: "term", may_be_unit: true, holds: Some(Record::Term) },
    maybe("price"),
    always("renewals"),
];

const ACCOUNT: [Field; 4] = [always("id"), always("provider"), always("balance"), always("settings")];
const BUDGET: [Field; 3] = [always("limit"), always("spent"), always("left")];
const TERM: [Field; 2] = [always("count"), always("unit")];

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
