//! Where a script may end without a ruling: paths on which `rule` returns nothing.

use rhai::ASTFlags;
use rhai::Expr;
use rhai::Position;
use rhai::Stmt;

/// The functions that return nothing.
const NOTHING: [&str; 1] = ["note"];

/// The places at which a function with this body ends with nothing.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other statement has a value, or none that is known"
)]
pub(super) fn without_value(body: &[Stmt]) -> Vec<Position> {
    let Some(last) = body.last() else { return vec![Position::NONE] };
    match last {
        Stmt::If(flow, at) => {
            let otherwise =
                if flow.branch.is_empty() { vec![*at] } else { without_value(flow.branch.statements()) };
            [of_block(flow.body.statements(), *at), otherwise].concat()
        }
        Stmt::Block(block) => of_block(block.statements(), block.position()),
        Stmt::TryCatch(flow, at) => {
            [of_block(flow.body.statements(), *at), of_block(flow.branch.statements(), *at)].concat()
        }
        Stmt::Switch(switch, at) => {
            let arms = switch.1.expressions.iter().flat_map(|arm| of_value(&arm.rhs));
            let otherwise = switch.1.def_case.is_none().then_some(*at);
            arms.chain(otherwise).collect()
        }
        Stmt::Expr(value) => of_value(value),
        Stmt::FnCall(call, at) if NOTHING.contains(&call.name.as_str()) => vec![*at],
        Stmt::Return(None, flags, at) if !flags.contains(ASTFlags::BREAK) => vec![*at],
        Stmt::Var(_, _, at) | Stmt::For(_, at) => vec![*at],
        Stmt::While(flow, at) if !matches!(flow.expr, Expr::Unit(_)) => vec![*at],
        Stmt::Assignment(assignment) => vec![assignment.0.position()],
        _ => Vec::new(),
    }
}

fn of_block(body: &[Stmt], at: Position) -> Vec<Position> {
    if body.is_empty() { vec![at] } else { without_value(body) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other expression has a value")]
fn of_value(value: &Expr) -> Vec<Position> {
    match value {
        Expr::Unit(at) => vec![*at],
        Expr::Stmt(block) => of_block(block.statements(), block.position()),
        Expr::FnCall(call, at) if NOTHING.contains(&call.name.as_str()) => vec![*at],
        _ => Vec::new(),
    }
}
