//! What expressions of a script come to, as far as `check` can tell, and which of them fail where a value is `()`.

use rhai::ASTFlags;
use rhai::Expr;
use rhai::FnCallExpr;
use rhai::FnPtr;
use rhai::Position;

use crate::check::flow::Flow;
use crate::check::state::Kind;
use crate::check::state::State;
use crate::check::state::Value;
use crate::failure;
use crate::fields;
use crate::fields::Record;
use crate::ruling::FUNCTIONS;

/// Operators and functions that fail on `()`.
const STRICT: [&str; 20] = [
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "days_between",
    "add_days",
    "month_end",
    "is_working_day",
    "next_working_day",
    "in_calendar",
    "defer",
    "deny",
    "note",
    "money",
    "instant",
];
/// Methods that `()` has.
const OF_UNIT: [&str; 4] = ["type_of", "to_string", "to_debug", "is_shared"];

impl Flow<'_> {
    /// What an expression comes to.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are plain values")]
    pub(super) fn value(&mut self, expression: &Expr, state: &mut State) -> Value {
        match expression {
            Expr::Unit(_) => Value { may_be_unit: true, ..Value::default() },
            Expr::StringConstant(..) => Value::of(Kind::Text),
            Expr::InterpolatedString(parts, _) => {
                for part in parts {
                    self.value(part, state);
                }
                Value::of(Kind::Text)
            }
            Expr::Array(items, _) => {
                for item in items {
                    self.value(item, state);
                }
                Value::default()
            }
            Expr::Map(map, _) => {
                for (_, field) in &map.0 {
                    self.value(field, state);
                }
                Value::default()
            }
            Expr::Variable(variable, _, at) => self.variable(&variable.1, !variable.2.is_empty(), *at, state),
            Expr::Stmt(block) => {
                self.block(block.statements(), state);
                Value::default()
            }
            Expr::FnCall(call, _) if call.name == "!" && call.args.len() == 1 => {
                self.value(&call.args[0], state)
            }
            Expr::FnCall(call, at) => self.call(&call.name, &call.args, *at, state),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expression, state),
            Expr::And(..) | Expr::Or(..) => {
                let (one, other) = self.condition(expression, std::mem::take(state));
                *state = one.join(other);
                Value::default()
            }
            Expr::Coalesce(parts, _) => {
                let values = parts.iter().map(|part| self.value(part, state)).collect::<Vec<_>>();
                let kind = values.first().map(|value| value.kind).unwrap_or_default();
                let may_be_unit = values.iter().all(|value| state.may_be_unit(value));
                Value { kind, may_be_unit, path: None }
            }
            _ => Value::default(),
        }
    }

    /// What is known where a condition holds, and where it does not.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others say nothing about their parts")]
    pub(super) fn condition(&mut self, expression: &Expr, mut state: State) -> (State, State) {
        match expression {
            Expr::BoolConstant(true, _) => {
                let never = state.dead();
                (state, never)
            }
            Expr::And(parts, _) => {
                let mut fails = state.dead();
                for part in parts.iter() {
                    let (holds, not) = self.condition(part, state);
                    fails = fails.join(not);
                    state = holds;
                }
                (state, fails)
            }
            Expr::Or(parts, _) => {
                let mut holds = state.dead();
                for part in parts.iter() {
                    let (one, not) = self.condition(part, state);
                    holds = holds.join(one);
                    state = not;
                }
                (holds, state)
            }
            Expr::FnCall(call, _) if call.name == "!" && call.args.len() == 1 => {
                let (holds, not) = self.condition(&call.args[0], state);
                (not, holds)
            }
            Expr::FnCall(call, at) if matches!(call.name.as_str(), "==" | "!=") && call.args.len() == 2 => {
                let (same, other) = self.equality(call, *at, state);
                if call.name == "==" { (same, other) } else { (other, same) }
            }
            Expr::FnCall(call, at) if call.name == "contains" && call.args.len() == 2 => {
                self.call(&call.name, &call.args, *at, &mut state);
                let (map, name) = (self.value(&call.args[0], &mut state), &call.args[1]);
                let mut holds = state.clone();
                if let (Kind::Texts, Expr::StringConstant(name, _)) = (map.kind, name) {
                    holds.learn_path(map.path_of(name));
                }
                (holds, state)
            }
            other => {
                self.value(other, &mut state);
                (state.clone(), state)
            }
        }
    }

    /// What is known where two values are equal, and where they are not.
    fn equality(&mut self, call: &FnCallExpr, at: Position, mut state: State) -> (State, State) {
        self.call(&call.name, &call.args, at, &mut state);
        let is_unit = |expression: &Expr| matches!(expression, Expr::Unit(_));
        let is_constant = |expression: &Expr| expression.is_constant() && !is_unit(expression);
        let (mut same, mut other) = (state.clone(), state.clone());
        let [one, two] = &call.args[..] else { return (same, other) };
        for (this, that) in [(one, two), (two, one)] {
            if let Expr::FnCall(asked, _) = this
                && asked.name == "type_of"
                && let Some(value) = asked.args.first()
            {
                // Whichever type it asks for, it looks before it uses.
                let value = self.value(value, &mut state);
                same.learn(&value);
                other.learn(&value);
                continue;
            }
            if is_unit(that) {
                let value = self.value(this, &mut state);
                other.learn(&value);
            } else if is_constant(that) {
                let value = self.value(this, &mut state);
                same.learn(&value);
            }
        }
        (same, other)
    }

    fn variable(&mut self, name: &str, is_global: bool, at: Position, state: &State) -> Value {
        if is_global {
            return Value::default();
        }
        if let Some(value) = state.get(name) {
            return value.clone();
        }
        if !self.defines(name) {
            self.problem(at, failure::no_variable(name));
        }
        Value::default()
    }

    /// A call of a function, or of an operator.
    pub(super) fn call(&mut self, name: &str, args: &[Expr], at: Position, state: &mut State) -> Value {
        self.check_call(name, args, at);
        let values = args.iter().map(|arg| self.value(arg, state)).collect::<Vec<_>>();
        let joins_text =
            name == "+" && values.iter().any(|value| value.kind == Kind::Text && !value.may_be_unit);
        if STRICT.contains(&name) && !joins_text {
            for (value, arg) in values.iter().zip(args) {
                if state.may_be_unit(value) && !matches!(arg, Expr::Unit(_)) {
                    let message = format!(
                        "`{}` may be (): `{name}` then fails; compare it with () first",
                        value.shown()
                    );
                    self.warn(arg.start_position(), message);
                }
            }
        }
        self.pass(name, &values);
        self.result(name, args, &values)
    }

    /// The value of a chain of fields, methods and indices.
    fn chain(&mut self, chain: &Expr, state: &mut State) -> Value {
        let (Expr::Dot(first, ..) | Expr::Index(first, ..)) = chain else { return Value::default() };
        let start = first.lhs.start_position();
        let mut value = self.value(&first.lhs, state);
        let mut node = Some(chain);
        while let Some(link) = node {
            let (Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)) = link else { break };
            let goes_on = !flags.contains(ASTFlags::BREAK);
            let next =
                if let Expr::Dot(next, ..) | Expr::Index(next, ..) = &pair.rhs { Some(next) } else { None };
            let next = next.filter(|_| goes_on);
            let step = next.map_or(&pair.rhs, |next| &next.lhs);
            let passes_unit = flags.contains(ASTFlags::NEGATED);
            let about = (start, passes_unit);
            value = match matches!(link, Expr::Index(..)) {
                true => self.item(&value, step, about, state),
                false => self.member(&value, step, about, state),
            };
            node = next.map(|_| &pair.rhs);
        }
        value
    }

    /// Follows a member, `value.step`.
    fn member(
        &mut self,
        value: &Value,
        step: &Expr,
        (start, passes_unit): (Position, bool),
        state: &mut State,
    ) -> Value {
        let may_be_unit = state.may_be_unit(value);
        if let Expr::Property(property, at) = step {
            let name = property.2.as_str();
            self.warn_of_use(value, name, may_be_unit && !passes_unit, start);
            let part = match value.kind {
                Kind::Record(record) => match record.field(name) {
                    Some(field) => Value::of_field(field, value.path_of(name)),
                    None => {
                        self.problem(*at, fields::unknown(record, name));
                        Value::default()
                    }
                },
                Kind::Texts => Value { kind: Kind::Text, may_be_unit: true, path: value.path_of(name) },
                Kind::Unknown | Kind::Text | Kind::Resources => Value::default(),
            };
            return Value { may_be_unit: part.may_be_unit || (may_be_unit && passes_unit), ..part };
        }
        let (Expr::MethodCall(call, at) | Expr::FnCall(call, at)) = step else {
            return self.value(step, state);
        };
        let name = call.name.as_str();
        self.warn_of_use(
            value,
            &format!("{name}()"),
            may_be_unit && !passes_unit && !OF_UNIT.contains(&name),
            start,
        );
        self.method(value, call, *at, state)
    }

    /// `value.method(…)`: as the function with the value as its first argument.
    fn method(&mut self, value: &Value, call: &FnCallExpr, at: Position, state: &mut State) -> Value {
        let args = call.args.iter().map(|arg| self.value(arg, state)).collect::<Vec<_>>();
        if !self.defines(&call.name) && FUNCTIONS.iter().all(|(known, _)| *known != call.name.as_str()) {
            self.check_call(&call.name, &call.args, at);
        }
        if value.kind == Kind::Resources {
            for arg in &call.args {
                self.pass_resource(arg);
            }
        }
        let values = std::iter::once(value.clone()).chain(args).collect::<Vec<_>>();
        self.pass(&call.name, &values);
        let exprs = std::iter::once(Expr::default()).chain(call.args.iter().cloned()).collect::<Vec<_>>();
        match (call.name.as_str(), value.kind) {
            ("get", Kind::Texts) => Value { kind: Kind::Text, may_be_unit: true, path: None },
            _ => self.result(&call.name, &exprs, &values),
        }
    }

    /// A list of resources is handed to a closure, item by item.
    fn pass_resource(&mut self, closure: &Expr) {
        let Expr::DynamicConstant(value, _) = closure else { return };
        let Some(pointer) = value.clone().try_cast::<FnPtr>() else { return };
        let item = Value::of(Kind::Record(Record::Resource));
        let name = pointer.fn_name().to_owned();
        self.pass(&name, &[item]);
    }

    /// Follows an item, `value[step]`.
    fn item(
        &mut self,
        value: &Value,
        step: &Expr,
        (start, passes_unit): (Position, bool),
        state: &mut State,
    ) -> Value {
        self.value(step, state);
        let may_be_unit = state.may_be_unit(value);
        self.warn_of_use(value, "[…]", may_be_unit && !passes_unit, start);
        let part = match (value.kind, step) {
            (Kind::Resources, Expr::IntegerConstant(place, _)) => {
                Value { path: value.path_of(&place.to_string()), ..Value::of(Kind::Record(Record::Resource)) }
            }
            (Kind::Resources, _) => Value::of(Kind::Record(Record::Resource)),
            (Kind::Texts, Expr::StringConstant(name, _)) => {
                Value { kind: Kind::Text, may_be_unit: true, path: value.path_of(name) }
            }
            (Kind::Texts, _) => Value { kind: Kind::Text, may_be_unit: true, path: None },
            (Kind::Unknown | Kind::Text | Kind::Record(_), _) => Value::default(),
        };
        Value { may_be_unit: part.may_be_unit || (may_be_unit && passes_unit), ..part }
    }

    fn warn_of_use(&mut self, value: &Value, part: &str, fails: bool, at: Position) {
        if fails {
            let shown = value.shown();
            let used =
                if part.starts_with('[') { format!("{shown}{part}") } else { format!("{shown}.{part}") };
            self.warn(at, format!("`{shown}` may be (): `{used}` then fails; compare it with () first"));
        }
    }

    /// Where a chain of fields begins and how it is written, if it begins with a record and is fields only.
    pub(super) fn record_path(&self, chain: &Expr, state: &State) -> Option<(Position, String)> {
        let (Expr::Dot(first, ..) | Expr::Index(first, ..)) = chain else { return None };
        let Expr::Variable(variable, _, at) = &first.lhs else { return None };
        let value = state.get(&variable.1).filter(|value| matches!(value.kind, Kind::Record(_)))?;
        let mut text = value.shown();
        let mut node = chain;
        while let Expr::Dot(pair, ..) | Expr::Index(pair, ..) = node {
            let next =
                if let Expr::Dot(next, ..) | Expr::Index(next, ..) = &pair.rhs { Some(next) } else { None };
            let step = next.map_or(&pair.rhs, |next| &next.lhs);
            if let Expr::Property(property, _) = step {
                text = format!("{text}.{}", property.2);
            }
            node = &pair.rhs;
        }
        Some((*at, text))
    }
}
