//! What a plugin implements of a provider's rules. Knows no list of the contract's: each function is about one bundle.

use crate::Allocation;
use crate::Consumption;
use crate::Occurrence;
use crate::Plan;
use crate::PlanRequest;
use crate::Refusal;
use crate::Resource;
use crate::Timestamp;

/// A provider's rules, each about one bundle or one use. The SDK calls them for every request of a call from the host, in
/// order. All are pure: the same arguments give the same answer.
pub trait Rules {
    /// What an account's settings say, in the form that the rules use.
    type Settings;

    /// Reads the settings of an account. Called once for each account of a call, before anything else. A setting is
    /// absent where the account has the default, and was checked by `check-settings` before it was stored.
    fn settings(values: &[(String, String)]) -> Self::Settings;

    /// Everything that will happen to a bundle strictly after `after`, in time order, if nobody sends a command and every
    /// try fails. Called for each request of `timeline`.
    fn timeline(settings: &Self::Settings, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence>;

    /// What a command would do. Called for each request of `make-plans`.
    ///
    /// # Errors
    ///
    /// The provider's refusal of the command.
    fn plan(settings: &Self::Settings, request: &PlanRequest) -> Result<Plan, Refusal>;

    /// Which packages pay for a use, and how much of it each; what remains is pay-per-use. Called for each consumption of
    /// `allocate`.
    fn allocate(settings: &Self::Settings, consumption: &Consumption) -> Vec<Allocation>;
}
