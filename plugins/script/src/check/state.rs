//! What is known of a script's values at one place of it: which records they are, and which of them are not `()`.

use std::collections::BTreeSet;

use crate::fields::Field;
use crate::fields::Holds;
use crate::fields::Record;

/// What a value is, as far as `check` can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Unknown,
    Text,
    Record(Record),
    /// A list of resources.
    Resources,
    /// Names with values; a name that is not there is `()`.
    Texts,
}

/// What is known of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub kind: Kind,
    /// Whether it is `()` for some plans.
    pub may_be_unit: bool,
    /// The same for all that are the same value, such as `plan.cost`; `None` where that cannot be told.
    pub path: Option<String>,
}

impl Value {
    /// A value of that kind which is never `()`.
    pub(super) fn of(kind: Kind) -> Value {
        Value { kind, ..Value::default() }
    }

    /// A field of a record at `path`.
    pub(super) fn of_field(field: &Field, path: Option<String>) -> Value {
        let kind = match field.holds {
            Holds::Nothing => Kind::Unknown,
            Holds::Text => Kind::Text,
            Holds::Record(record) => Kind::Record(record),
            Holds::Resources => Kind::Resources,
            Holds::Texts => Kind::Texts,
        };
        Value { kind, may_be_unit: field.may_be_unit, path }
    }

    /// The path of what it calls `name`.
    pub(super) fn path_of(&self, name: &str) -> Option<String> {
        self.path.as_ref().map(|path| format!("{path}.{name}"))
    }

    /// What a message calls it.
    pub(super) fn shown(&self) -> String {
        let path = self.path.as_deref().unwrap_or("it");
        // What follows `@` keeps variables of one name apart.
        let mut shown = String::new();
        let mut is_number = false;
        for sign in path.chars() {
            is_number = sign == '@' || (is_number && sign.is_ascii_digit());
            shown.extend((!is_number).then_some(sign));
        }
        shown
    }
}

/// What is known at one place.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    variables: Vec<(String, Value)>,
    /// The paths of values that are not `()` here.
    known: BTreeSet<String>,
    /// Whether the script never comes here.
    pub is_dead: bool,
}

impl State {
    /// The same at a place to which the script never comes.
    pub(super) fn dead(&self) -> State {
        State { is_dead: true, ..self.clone() }
    }

    /// How many variables there are.
    pub(super) fn depth(&self) -> usize {
        self.variables.len()
    }

    /// Leaves a block that began at this depth.
    pub(super) fn leave(&mut self, depth: usize) {
        self.variables.truncate(depth);
    }

    pub(super) fn define(&mut self, name: &str, value: Value) {
        self.variables.push((name.to_owned(), value));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) {
        if let Some((_, old)) = self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            *old = value;
        }
    }

    /// From here on the value is not `()`.
    pub(super) fn learn(&mut self, value: &Value) {
        self.learn_path(value.path.clone());
    }

    /// From here on what has this path is not `()`, and neither is what it is a field of.
    pub(super) fn learn_path(&mut self, path: Option<String>) {
        let Some(path) = path else { return };
        let parents = path.match_indices('.').map(|(end, _)| path[..end].to_owned());
        self.known.extend(parents);
        self.known.insert(path);
    }

    /// Whether the value may be `()` here.
    pub(super) fn may_be_unit(&self, value: &Value) -> bool {
        value.may_be_unit && !value.path.as_ref().is_some_and(|path| self.known.contains(path))
    }

    /// What is known where the script comes from here or from there.
    pub(super) fn join(self, other: State) -> State {
        if self.is_dead {
            return other;
        }
        if other.is_dead {
            return self;
        }
        let pairs = self.variables.iter().zip(&other.variables);
        let variables = pairs.map(|((name, one), (_, two))| {
            if one == two {
                return (name.clone(), one.clone());
            }
            let kind = if one.kind == two.kind { one.kind } else { Kind::Unknown };
            let may_be_unit = self.may_be_unit(one) || other.may_be_unit(two);
            (name.clone(), Value { kind, may_be_unit, path: Some(format!("{name}@0")) })
        });
        let variables = variables.collect();
        let known =
            self.known.intersection(&other.known).filter(|path| !path.contains("@0")).cloned().collect();
        State { variables, known, is_dead: false }
    }
}
