//! Looks at a script without running it: what cannot work, and what may fail for some plans.

mod calls;
mod endings;
mod flow;
mod names;
mod state;
mod values;

use std::collections::BTreeSet;

use rhai::Position;

use crate::compile;
use crate::context::Context;
use crate::failure;
use crate::failure::RULE;
use crate::language;
use crate::lines;
use crate::ruling::FUNCTIONS;
use crate::scripts::Report;

use self::flow::Flow;

/// What is to be said of a script; `calendars` are the names of those that there are.
pub fn report(text: &str, calendars: &[String]) -> Report {
    let mut engine = language::engine(&Context::new(&[]));
    // A variable that there is not is found here, and with it all other problems.
    engine.set_strict_variables(false);
    let ast = match compile::compile(&engine, text) {
        Err(problem) => return Report { problems: vec![problem], warnings: Vec::new(), lines: Vec::new() },
        Ok(ast) => ast,
    };
    let mut flow = Flow::of(&ast, calendars);
    let rule = flow.function(RULE, 1).map(|rule| rule.body.clone()).unwrap_or_default();
    for at in endings::without_value(&rule) {
        let message = format!(
            "`{RULE}` may end here without a ruling, which is a failure; return one such as approve()"
        );
        flow.warn(at, message);
    }
    for (name, _) in FUNCTIONS {
        if flow.defines(name) {
            let message = format!(
                "the script defines a `{name}` of its own, which is called instead of the language's"
            );
            flow.warn(Position::NONE, message);
        }
    }
    let found = |list: BTreeSet<(Mark, String)>| {
        let finding = |(at, message): (Mark, String)| failure::finding(message, at.position(), text);
        list.into_iter().map(finding).collect::<Vec<_>>()
    };
    Report { problems: found(flow.problems), warnings: found(flow.warnings), lines: lines::of(&ast) }
}

/// A line and a column, in the order of a reader.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark(u16, u16);

impl Mark {
    fn of(position: Position) -> Mark {
        let number =
            |number: Option<usize>| number.and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
        Mark(number(position.line()), number(position.position()))
    }

    fn position(self) -> Position {
        if self.0 == 0 { Position::NONE } else { Position::new(self.0, self.1) }
    }
}
