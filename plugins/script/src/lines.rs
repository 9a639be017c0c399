//! The lines of a script that count for its coverage: those at which a statement or a call begins.

use std::collections::BTreeSet;

use rhai::AST;
use rhai::ASTNode;
use rhai::Expr;
use rhai::Stmt;

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
