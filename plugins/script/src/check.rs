//! Looks at a script without running it: what cannot work, and what may fail for some plans.
//!
//! Follows what is written out as `plan.…`; what a script does with copies of a record it finds only when it runs.

use std::collections::BTreeSet;

use rhai::AST;
use rhai::ASTFlags;
use rhai::ASTNode;
use rhai::Expr;
use rhai::Position;
use rhai::Stmt;

use crate::compile;
use crate::context::Context;
use crate::failure;
use crate::failure::RULE;
use crate::fields;
use crate::fields::Record;
use crate::language;
use crate::lines;
use crate::ruling::FUNCTIONS;
use crate::scripts::Report;

/// Operators that fail on `()`.
const STRICT_OPERATORS: [&str; 9] = ["<", "<=", ">", ">=", "+", "-", "*", "/", "%"];

/// Functions that fail on `()`.
const STRICT_FUNCTIONS: [&str; 7] =
    ["days_between", "add_days", "month_end", "is_working_day", "next_working_day", "in_calendar", "defer"];

/// What is to be said of a script; `calendars` are the names of those that there are.
pub fn report(text: &str, calendars: &[String]) -> Report {
    let engine = language::engine(&Context::new(&[]));
    match compile::compile(&engine, text) {
        Err(problem) => Report { problems: vec![problem], warnings: Vec::new(), lines: Vec::new() },
        Ok(ast) => {
            let mut review = Review::new(&ast, calendars);
            ast.walk(&mut |path: &[ASTNode<'_>]| {
                review.visit(path);
                true
            });
            let found = |list: BTreeSet<(Mark, String)>| {
                list.into_iter()
                    .map(|(at, message)| failure::finding(message, at.position(), text))
                    .collect::<Vec<_>>()
            };
            let guarded = review.guarded;
            review.warnings.retain(|(_, field, _)| !guarded.contains(field));
            let warnings = review.warnings.into_iter().map(|(at, _, message)| (at, message)).collect();
            Report { problems: found(review.problems), warnings: found(warnings), lines: lines::of(&ast) }
        }
    }
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

/// What was found so far.
struct Review<'c> {
    /// The name of the parameter of `rule`.
    plan: String,
    /// The functions that the script defines.
    own: BTreeSet<String>,
    calendars: &'c [String],
    problems: BTreeSet<(Mark, String)>,
    /// Where, the field that may be `()`, and what may happen.
    warnings: BTreeSet<(Mark, String, String)>,
    /// Fields that the script compares with `()` somewhere, or gives a default with `??`.
    guarded: BTreeSet<String>,
}

/// A chain of fields that begins with the plan, such as `plan.budget.left`.
struct Chain {
    /// As it is written.
    text: String,
    at: Position,
    /// The last part of it that may be `()`, and whether something that `()` has not is asked of that part.
    unit: Option<(String, bool)>,
    /// What is wrong with it.
    problem: Option<(Position, String)>,
    /// Whether it ends in a field, rather than in a call or an index.
    is_field: bool,
}

impl<'c> Review<'c> {
    fn new(ast: &AST, calendars: &'c [String]) -> Review<'c> {
        let rule = ast.iter_functions().find(|function| function.name == RULE);
        let plan = rule.and_then(|rule| rule.params.first().map(ToString::to_string)).unwrap_or_default();
        let own = ast.iter_functions().map(|function| function.name.to_string()).collect();
        Review {
            plan,
            own,
            calendars,
            problems: BTreeSet::new(),
            warnings: BTreeSet::new(),
            guarded: BTreeSet::new(),
        }
    }

    fn visit(&mut self, path: &[ASTNode<'_>]) {
        match path.last() {
            Some(ASTNode::Expr(expression)) => self.visit_expression(expression),
            Some(ASTNode::Stmt(Stmt::FnCall(call, at))) => self.visit_call(&call.name, &call.args, *at),
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                let lhs = &assignment.1.lhs;
                let target = if let Expr::Variable(variable, _, at) = lhs
                    && variable.1.as_str() == self.plan
                {
                    Some((self.plan.clone(), *at))
                } else {
                    self.chain(lhs).map(|chain| (chain.text, chain.at))
                };
                if let Some((text, at)) = target {
                    self.problems.insert((Mark::of(at), failure::read_only(&text)));
                }
            }
            Some(_) | None => {}
        }
    }

    fn visit_expression(&mut self, expression: &Expr) {
        if let Expr::FnCall(call, at) = expression {
            self.visit_call(&call.name, &call.args, *at);
        }
        if let Expr::Coalesce(parts, _) = expression {
            let chains = parts.iter().filter_map(|part| self.chain(part)).filter_map(|chain| chain.unit);
            let guarded = chains.map(|(field, _)| field).collect::<Vec<_>>();
            self.guarded.extend(guarded);
        }
        let Some(chain) = self.chain(expression) else { return };
        if let Some((at, problem)) = chain.problem {
            self.problems.insert((Mark::of(at), problem));
        }
        if let Some((field, true)) = chain.unit {
            self.warn(chain.at, &field, &format!("`{}` then fails", chain.text));
        }
    }

    fn visit_call(&mut self, name: &str, args: &[Expr], at: Position) {
        self.check_name(name, args, at);
        let is_equality = matches!(name, "==" | "!=") && args.iter().any(|arg| matches!(arg, Expr::Unit(_)));
        let is_strict = STRICT_OPERATORS.contains(&name) || STRICT_FUNCTIONS.contains(&name);
        let chains = args.iter().filter_map(|arg| self.chain(arg)).collect::<Vec<_>>();
        for chain in chains {
            let Some((field, _)) = chain.unit.filter(|_| chain.is_field) else { continue };
            if is_equality || name == "type_of" {
                self.guarded.insert(field);
            } else if is_strict && chain.text == field {
                self.warn(chain.at, &field, &format!("`{name}` then fails"));
            }
        }
        if let ("in_calendar", Some(Expr::StringConstant(calendar, at))) = (name, args.first())
            && !self.calendars.iter().any(|known| known == calendar.as_str())
        {
            let message = format!("there is no calendar `{calendar}` in the policy file");
            self.problems.insert((Mark::of(*at), message));
        }
    }

    fn warn(&mut self, at: Position, field: &str, consequence: &str) {
        let message = format!("`{field}` may be (): {consequence}; compare it with () first");
        self.warnings.insert((Mark::of(at), field.to_owned(), message));
    }

    /// Whether a call of one of our functions has as many arguments as it takes, or of none that there is.
    fn check_name(&mut self, name: &str, args: &[Expr], at: Position) {
        if self.own.contains(name) {
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
                let message = format!("`{name}` takes {takes}; this call has {}", args.len());
                self.problems.insert((Mark::of(at), message));
            }
            return;
        }
        let names = FUNCTIONS.iter().map(|(known, _)| *known).filter(|known| known.len() > 4);
        if let Some(meant) = fields::closest(name, names) {
            let message = format!("`{name}` may be a misspelling of `{meant}`");
            self.warnings.insert((Mark::of(at), String::new(), message));
        }
    }

    /// The chain that an expression is, if it begins with the plan.
    fn chain(&self, expression: &Expr) -> Option<Chain> {
        let Expr::Dot(pair, flags, _) = expression else { return None };
        let Expr::Variable(variable, _, at) = &pair.lhs else { return None };
        if variable.1.as_str() != self.plan {
            return None;
        }
        let mut chain =
            Chain { text: self.plan.clone(), at: *at, unit: None, problem: None, is_field: false };
        follow(&mut chain, Record::Plan, &pair.rhs, *flags);
        Some(chain)
    }
}

/// Follows `rest`, which stands behind a record.
fn follow(chain: &mut Chain, record: Record, rest: &Expr, flags: ASTFlags) {
    let (part, next) = if let Expr::Dot(pair, flags, _) = rest {
        (&pair.lhs, Some((&pair.rhs, *flags)))
    } else if let Expr::Index(pair, ..) = rest {
        (&pair.lhs, None)
    } else {
        (rest, None)
    };
    let Expr::Property(property, at) = part else {
        chain.is_field = false;
        return;
    };
    let name = property.2.as_str();
    let Some(field) = record.field(name) else {
        chain.problem = Some((*at, fields::unknown(record, name)));
        return;
    };
    // `?.` passes `()` on.
    if let Some((_, is_used)) = &mut chain.unit
        && !flags.contains(ASTFlags::NEGATED)
    {
        *is_used = true;
    }
    let is_used = chain.unit.as_ref().is_some_and(|(_, is_used)| *is_used);
    chain.text = format!("{}.{name}", chain.text);
    chain.is_field = matches!(rest, Expr::Property(..)) || next.is_some();
    if field.may_be_unit && !is_used {
        chain.unit = Some((chain.text.clone(), false));
    }
    match (field.holds, next) {
        (Some(record), Some((rest, flags))) => follow(chain, record, rest, flags),
        (None, Some((_, flags))) => {
            chain.is_field = false;
            if field.may_be_unit && !is_used && !flags.contains(ASTFlags::NEGATED) {
                chain.unit = Some((chain.text.clone(), true));
            }
        }
        (_, None) => {}
    }
}
