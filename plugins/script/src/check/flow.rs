//! Follows a script statement by statement, and finds what may be `()` where it must not be.
//!
//! A comparison with `()` counts on the ways that it leads to, and nowhere else. What a call passes is known in the function
//! that is called. Expressions are in `values.rs`.

use std::collections::BTreeSet;

use rhai::AST;
use rhai::ASTNode;
use rhai::Expr;
use rhai::FlowControl;
use rhai::Position;
use rhai::Stmt;
use rhai::SwitchCasesCollection;

use crate::check::Mark;
use crate::check::state::Kind;
use crate::check::state::State;
use crate::check::state::Value;
use crate::failure;
use crate::failure::RULE;
use crate::fields::Record;
use crate::lines;

/// How often the functions are looked at until what calls pass to them is known: calls within calls.
const ROUNDS_MAX: usize = 6;

/// A function of the script.
pub(super) struct Function {
    name: String,
    pub parameters: Vec<String>,
    pub body: Vec<Stmt>,
    /// What calls pass; `None` before one was seen.
    passed: Vec<Option<Value>>,
}

/// What was found so far.
pub(super) struct Flow<'c> {
    pub functions: Vec<Function>,
    pub calendars: &'c [String],
    pub problems: BTreeSet<(Mark, String)>,
    pub warnings: BTreeSet<(Mark, String)>,
    /// The number of the next value that is told apart from others of its name.
    next: usize,
    has_learnt: bool,
}

impl<'c> Flow<'c> {
    /// Follows every function of `ast`.
    pub(super) fn of(ast: &AST, calendars: &'c [String]) -> Flow<'c> {
        let functions = ast.iter_functions().map(|function| {
            let parameters = function.params.iter().map(ToString::to_string).collect::<Vec<_>>();
            let is_rule = function.name == RULE && parameters.len() == 1;
            let passed = match is_rule {
                true => vec![Some(Value::of(Kind::Record(Record::Plan)))],
                false => parameters.iter().map(|_| None).collect(),
            };
            let body = body(ast, function.name, parameters.len());
            Function { name: function.name.to_owned(), parameters, body, passed }
        });
        let mut flow = Flow {
            functions: functions.collect(),
            calendars,
            problems: BTreeSet::new(),
            warnings: BTreeSet::new(),
            next: 1,
            has_learnt: true,
        };
        for _ in 0..ROUNDS_MAX {
            if !std::mem::take(&mut flow.has_learnt) {
                break;
            }
            flow.problems.clear();
            flow.warnings.clear();
            flow.follow(ast);
        }
        flow
    }

    fn follow(&mut self, ast: &AST) {
        let mut outside = State::default();
        for statement in ast.statements() {
            self.statement(statement, &mut outside);
        }
        for index in 0..self.functions.len() {
            let Function { parameters, passed, body, .. } = &self.functions[index];
            let (parameters, body) = (parameters.clone(), body.clone());
            let passed = passed.iter().map(|value| value.clone().unwrap_or_default()).collect::<Vec<_>>();
            let mut state = State::default();
            for (name, value) in parameters.iter().zip(passed) {
                let path = Some(name.clone());
                state.define(name, Value { path, ..value });
            }
            self.block(&body, &mut state);
        }
    }

    /// The function of the script with this name and so many parameters.
    pub(super) fn function(&mut self, name: &str, count: usize) -> Option<&mut Function> {
        let is_it = |function: &&mut Function| function.name == name && function.parameters.len() == count;
        self.functions.iter_mut().find(is_it)
    }

    /// Whether the script defines a function of that name.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.functions.iter().any(|function| function.name == name)
    }

    /// A call passes these to a function of the script.
    pub(super) fn pass(&mut self, name: &str, values: &[Value]) {
        let Some(function) = self.function(name, values.len()) else { return };
        let mut has_learnt = false;
        for (passed, value) in function.passed.iter_mut().zip(values) {
            let value = Value { path: None, ..value.clone() };
            let joined = match passed {
                None => value,
                Some(known) => Value {
                    kind: if known.kind == value.kind { value.kind } else { Kind::Unknown },
                    may_be_unit: known.may_be_unit || value.may_be_unit,
                    path: None,
                },
            };
            if passed.as_ref() != Some(&joined) {
                *passed = Some(joined);
                has_learnt = true;
            }
        }
        self.has_learnt |= has_learnt;
    }

    /// A path for a value that is only known by this name.
    pub(super) fn fresh(&mut self, name: &str) -> Option<String> {
        self.next += 1;
        Some(format!("{name}@{}", self.next))
    }

    pub(super) fn problem(&mut self, at: Position, message: String) {
        self.problems.insert((Mark::of(at), message));
    }

    pub(super) fn warn(&mut self, at: Position, message: String) {
        self.warnings.insert((Mark::of(at), message));
    }

    /// Follows statements, and forgets the variables that they define.
    pub(super) fn block(&mut self, body: &[Stmt], state: &mut State) {
        let depth = state.depth();
        for statement in body {
            self.statement(statement, state);
        }
        state.leave(depth);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all others have nothing to follow")]
    fn statement(&mut self, statement: &Stmt, state: &mut State) {
        match statement {
            Stmt::Var(variable, ..) => {
                let name = variable.0.name.as_str();
                let value = self.value(&variable.1, state);
                self.define(name, value, state);
            }
            Stmt::Assignment(assignment) => {
                let (operation, sides) = &**assignment;
                self.assignment(operation.is_op_assignment(), &sides.lhs, &sides.rhs, state);
            }
            Stmt::FnCall(call, at) => drop(self.call(&call.name, &call.args, *at, state)),
            Stmt::Expr(value) => drop(self.value(value, state)),
            Stmt::Block(block) => self.block(block.statements(), state),
            Stmt::If(flow, _) => self.branches(flow, state),
            Stmt::Switch(switch, _) => self.arms(&switch.0, &switch.1, state),
            Stmt::While(flow, _) if matches!(flow.expr, Expr::Unit(_)) => {
                let mut body = state.clone();
                self.block(flow.body.statements(), &mut body);
            }
            Stmt::While(flow, _) => {
                let (mut body, left) = self.condition(&flow.expr, state.clone());
                self.block(flow.body.statements(), &mut body);
                *state = left.join(body);
            }
            Stmt::Do(flow, ..) => {
                self.block(flow.body.statements(), state);
                self.value(&flow.expr, state);
            }
            Stmt::For(parts, _) => {
                let (name, counter, flow) = &**parts;
                let list = self.value(&flow.expr, state);
                let item =
                    if list.kind == Kind::Resources { Kind::Record(Record::Resource) } else { Kind::Unknown };
                let mut body = state.clone();
                let depth = body.depth();
                self.define(&name.name, Value::of(item), &mut body);
                if let Some(counter) = counter {
                    self.define(&counter.name, Value::default(), &mut body);
                }
                self.block(flow.body.statements(), &mut body);
                body.leave(depth);
                *state = std::mem::take(state).join(body);
            }
            Stmt::TryCatch(flow, _) => self.attempt(flow, state),
            Stmt::Return(value, ..) | Stmt::BreakLoop(value, ..) => {
                if let Some(value) = value {
                    self.value(value, state);
                }
                state.is_dead = true;
            }
            _ => {}
        }
    }

    fn branches(&mut self, flow: &FlowControl, state: &mut State) {
        let (mut taken, mut other) = self.condition(&flow.expr, std::mem::take(state));
        self.block(flow.body.statements(), &mut taken);
        self.block(flow.branch.statements(), &mut other);
        *state = taken.join(other);
    }

    fn arms(&mut self, value: &Expr, cases: &SwitchCasesCollection, state: &mut State) {
        let value = self.value(value, state);
        // An arm may be the one for `()`.
        state.learn(&value);
        let mut after = if cases.def_case.is_some() { state.dead() } else { state.clone() };
        for arm in &cases.expressions {
            let (mut taken, _) = self.condition(&arm.lhs, state.clone());
            self.value(&arm.rhs, &mut taken);
            after = after.join(taken);
        }
        *state = after;
    }

    fn attempt(&mut self, flow: &FlowControl, state: &mut State) {
        let mut tried = state.clone();
        self.block(flow.body.statements(), &mut tried);
        let mut caught = state.clone();
        let depth = caught.depth();
        if let Expr::Variable(variable, ..) = &flow.expr {
            self.define(&variable.1, Value::default(), &mut caught);
        }
        self.block(flow.branch.statements(), &mut caught);
        caught.leave(depth);
        *state = tried.join(caught);
    }

    /// A new variable has this value.
    fn define(&mut self, name: &str, value: Value, state: &mut State) {
        let path = value.path.clone().or_else(|| self.fresh(name));
        state.define(name, Value { path, ..value });
    }

    fn assignment(&mut self, is_operation: bool, to: &Expr, from: &Expr, state: &mut State) {
        let value = self.value(from, state);
        if is_operation {
            let old = self.value(to, state);
            for (operand, at) in [(&old, to.start_position()), (&value, from.start_position())] {
                if state.may_be_unit(operand) && old.kind != Kind::Text {
                    let shown = operand.shown();
                    self.warn(
                        at,
                        format!(
                            "`{shown}` may be (): what is done with it then fails; compare it with () first"
                        ),
                    );
                }
            }
        }
        if let Expr::Variable(variable, _, at) = to {
            let name = variable.1.as_str();
            if state.get(name).is_some_and(|old| {
                old.path.as_deref() == Some(name) && old.kind == Kind::Record(Record::Plan)
            }) {
                self.problem(*at, failure::read_only(name));
                return;
            }
            let path = value.path.clone().or_else(|| self.fresh(name));
            let value = if is_operation { Value::default() } else { Value { path, ..value } };
            state.assign(name, value);
        } else if let Some((root, text)) = self.record_path(to, state) {
            self.problem(root, failure::read_only(&text));
        } else {
            self.value(to, state);
        }
    }
}

/// The body of a function.
fn body(ast: &AST, name: &str, parameters: usize) -> Vec<Stmt> {
    let alone = lines::function_alone(ast, name, parameters);
    let mut body = Vec::new();
    alone.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            body.push((*statement).clone());
        }
        true
    });
    body
}
