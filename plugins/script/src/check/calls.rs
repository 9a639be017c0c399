//! Calls in a script: whether there is such a function, and what ours return.

use rhai::Expr;
use rhai::Position;

use crate::check::flow::Flow;
use crate::check::names;
use crate::check::state::Kind;
use crate::check::state::Value;
use crate::fields;
use crate::ruling::FUNCTIONS;

impl Flow<'_> {
    /// What our functions return; of `tag` and `price_for`, the same for the same arguments.
    pub(super) fn result(&self, name: &str, args: &[Expr], values: &[Value]) -> Value {
        let Some(first) = values.first() else { return Value::default() };
        match (name, args) {
            ("tag", [_, Expr::StringConstant(tag, _)]) => {
                let path = first.path.as_ref().map(|path| format!("{path}.tags.{tag}"));
                Value { kind: Kind::Text, may_be_unit: true, path }
            }
            ("tag", _) => Value { kind: Kind::Text, may_be_unit: true, path: None },
            ("price_for", [_, Expr::IntegerConstant(count, _), Expr::StringConstant(unit, _)]) => {
                let path = first.path.as_ref().map(|path| format!("price_for({path}, {count}, \"{unit}\")"));
                Value { path, ..Value { may_be_unit: true, ..Value::default() } }
            }
            ("price_for", _) => {
                Value { may_be_unit: true, path: Some("price_for(…)".to_owned()), ..Value::default() }
            }
            _ => Value::default(),
        }
    }

    /// Whether there is such a function, and whether ours has as many arguments as it takes.
    pub(super) fn check_call(&mut self, name: &str, args: &[Expr], at: Position) {
        if let ("in_calendar", Some(Expr::StringConstant(calendar, at))) = (name, args.first())
            && !self.calendars.iter().any(|known| known == calendar.as_str())
        {
            self.problem(*at, format!("there is no calendar `{calendar}` in the policy file"));
        }
        if self.defines(name) {
            return;
        }
        if let Some((_, counts)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            if !counts.contains(&args.len()) {
                let takes = match counts {
                    [0] => "no argument".to_owned(),
                    [1] => "1 argument".to_owned(),
                    counts => {
                        let counts = counts.iter().map(usize::to_string).collect::<Vec<_>>();
                        format!("{} arguments", counts.join(" or "))
                    }
                };
                self.problem(at, format!("`{name}` takes {takes}; this call has {}", args.len()));
            }
            return;
        }
        if !names::is_of_rhai(name) {
            let known = FUNCTIONS.iter().map(|(known, _)| *known);
            let meant = fields::closest(name, known).map(|meant| format!("; did you mean `{meant}`?"));
            self.problem(at, format!("there is no function `{name}`{}", meant.unwrap_or_default()));
        }
    }
}
