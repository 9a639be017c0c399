//! Renewals on clouds, exactly once: simulations of the engine, the store, the dispatcher and a model of a cloud.
//!
//! Goal: promises 1 to 5 hold through storms of faults with crashes after every commit and every call, and everything is
//! settled or explained in the calm after them. Method: one seed decides everything; a failing one is printed as the command
//! that shows it again. The host is then broken on purpose, in eight ways, and each is found:
//!
//! | break | what it does | found as |
//! |---|---|---|
//! | `MovedToken` | another idempotency token whenever a call is made again | 1: paid for twice |
//! | `BlindRetry` | what is in doubt is called again | 1 or 4: paid for twice |
//! | `HoldKept` | a hold is not given back when nothing was applied | 4: more is held than renewals under way cost |
//! | `LostTimeout` | a response that never comes is waited for | 2: still `Calling` at the end |
//! | `CallBeforeCommit` | the call leaves before it is written down | 1 or 4: paid for twice, or applied and not known |
//! | `SecondTerm` | one of another term while the first is in doubt | 1 or 4: paid for twice, or applied and not known |
//! | `TokenOutlivesDecline` | the token of a proven decline is used again | 2: lapsed long after everything was well |
//! | `TokenCountedUp` | another token after a reading that shows nothing moved, where no orders are listed | 1: applied and not known |

mod due_calls;
mod simulation;
mod switches;
