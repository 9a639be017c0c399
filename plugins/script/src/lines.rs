//! The lines of a script: those that count for its coverage, at which a statement or a call begins, and whose they are.

use std::collections::BTreeSet;

use rhai::AST;
use rhai::ASTNode;
use rhai::Expr;
use rhai::Position;
use rhai::Stmt;

use crate::failure::RULE;

/// The lines of `ast` that have something to run, in order.
pub fn of(ast: &AST) -> Vec<u32> {
    let mut lines = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(node) = path.last().filter(|node| is_counted(node))
            && let Some(line) = node.position().line()
        {
            lines.insert(u32::try_from(line).unwrap_or(0));
        }
        true
    });
    // What stands outside of functions is run before every call, whatever the plan.
    let outside = ast.statements().iter().filter_map(|statement| statement.position().line());
    for line in outside {
        lines.remove(&u32::try_from(line).unwrap_or(0));
    }
    lines.into_iter().collect()
}

/// Whether a reader would miss the line if the interpreter never came to such a node.
fn is_counted(node: &ASTNode<'_>) -> bool {
    match node {
        ASTNode::Stmt(statement) => !matches!(statement, Stmt::Noop(_) | Stmt::Block(_) | Stmt::Share(_)),
        ASTNode::Expr(expression) => matches!(expression, Expr::FnCall(call, _) if !call.is_operator_call()),
        _ => false,
    }
}

/// The name of the function that this place belongs to. A closure has no name that somebody gave it.
pub(crate) fn function_at(ast: &AST, place: Position) -> String {
    let mark = |place: Position| (place.line(), place.position());
    let named = ast.iter_functions().filter(|function| !function.name.starts_with("anon$"));
    let is_in = |name: &str, parameters: usize| {
        let alone = function_alone(ast, name, parameters);
        let (mut is_before, mut is_behind) = (false, false);
        alone.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(node) = path.last().filter(|node| !node.position().is_none()) {
                is_before |= mark(node.position()) <= mark(place);
                is_behind |= mark(node.position()) >= mark(place);
            }
            true
        });
        is_before && is_behind
    };
    let mut found = named.filter(|function| is_in(function.name, function.params.len()));
    found.next().map_or_else(|| RULE.to_owned(), |function| function.name.to_owned())
}

/// The script with no other function than this one. Rhai shows the body of a function only to those who walk through it.
pub(crate) fn function_alone(ast: &AST, name: &str, parameters: usize) -> AST {
    let mut alone = ast.clone_functions_only();
    alone.retain_functions(|_, _, known, count| known == name && count == parameters);
    alone
}
