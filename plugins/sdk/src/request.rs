//! What rules are asked besides a timeline: the plan of a command, and the allocation of a use.

use crate::Command;
use crate::MemberIndex;
use crate::Micros;
use crate::Order;
use crate::Package;
use crate::Resource;
use crate::Text;
use crate::Timestamp;

/// A command whose plan is asked for. A renewal try that is due is a command too.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRequest {
    /// When it is asked.
    pub at: Timestamp,
    /// What is asked for.
    pub command: Command,
    /// The member that the command names.
    pub member: MemberIndex,
    /// The primary first, then what is attached to it.
    pub bundle: Vec<Resource>,
    /// The orders of every member, oldest first, when the command is `unsubscribe`, `change` or `convert-now`; empty
    /// otherwise.
    pub orders: Vec<Order>,
}

/// A use that packages may pay for.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumption {
    /// When it happened.
    pub at: Timestamp,
    /// What was used, in the words of the packages.
    pub resource_type: Text,
    /// How much, above 0.
    pub amount: Micros,
    /// The packages bought at `at` or before; oldest purchase first. May be empty.
    pub packages: Vec<Package>,
}
