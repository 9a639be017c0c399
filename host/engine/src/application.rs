//! A plan with what is needed to apply it: the command, the members and their orders. Knows no rule.

use perennial_domain::index::MemberIndex;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::unpaid_order::UnpaidOrder;

/// A plan that is to be carried out, with what it was made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanApplication<'a> {
    /// The member that was named.
    pub(crate) named: MemberIndex,
    /// The command that the plan answers.
    pub(crate) command: &'a Command,
    /// The plan to carry out.
    pub(crate) plan: &'a Plan,
    /// The orders that the rules saw when they made it.
    pub(crate) orders: &'a [Order],
    /// The id of a package that is bought now.
    pub(crate) new_id: &'a str,
    /// The id of an order of its own that the plan makes.
    pub(crate) order_id: &'a str,
    /// The order that is paid now, if the plan comes from one.
    pub(crate) paying: Option<&'a UnpaidOrder>,
}

impl<'a> PlanApplication<'a> {
    /// The plan of a renewal that the clock tries: it buys no package and makes no order of its own.
    pub(crate) fn of_try(named: MemberIndex, plan: &'a Plan, command: &'a Command) -> PlanApplication<'a> {
        PlanApplication { named, command, plan, orders: &[], new_id: "", order_id: "", paying: None }
    }
}
