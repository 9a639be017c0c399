//! Usage: the packages that a usage is allocated to. Checks an allocation; does not choose the order of packages.

use crate::bundle::Package;
use crate::index::PackageIndex;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// A use of some resource type, and the packages that may cover it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumption {
    /// The instant of the usage.
    pub at: Timestamp,
    /// The type of the resource that was used.
    pub resource_type: String,
    /// The amount used, above zero.
    pub amount: Micros,
    /// Those bought by then, oldest purchase first.
    pub packages: Vec<Offer>,
}

/// A package that may cover a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The resource's id.
    pub id: String,
    /// Its quota and what is used of it.
    pub package: Package,
    /// The instant at which the package takes effect.
    pub starts_at: Timestamp,
    /// The instant at which the package ends.
    pub expires_at: Timestamp,
}

/// Whether an allocation brings a package to a level that its owner is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// The package has enough left.
    None,
    /// Little is left.
    Low,
    /// The package has nothing left.
    Depleted,
}

/// What a use takes of one package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The package, among those of the consumption.
    pub package: PackageIndex,
    /// The amount used, above zero.
    pub amount: Micros,
    /// What it brings the package to.
    pub alert: Alert,
}

/// Why allocations make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// A package is named that is not there, or twice.
    #[error("the allocation of `{resource_type}` names package {package} of {packages}, or names it twice")]
    OutsidePackages {
        /// The type of the resources that were used.
        resource_type: String,
        /// The place that was named instead of a package's.
        package: PackageIndex,
        /// The number of packages that were offered.
        packages: usize,
    },
    /// More is drawn than the package has left, or nothing.
    #[error("the allocation of `{resource_type}` takes {amount} from `{package}`, which has {left}")]
    WrongAmount {
        /// The type of the resources that were used.
        resource_type: String,
        /// The id of the package.
        package: String,
        /// The amount that was allocated.
        amount: Micros,
        /// The amount that the package has left.
        left: Micros,
    },
    /// A package is drawn on before its time. When it ends is for the provider to say: some count to the end of the day.
    #[error("the allocation of `{resource_type}` uses `{package}`, which is not in force yet")]
    NotYetInForce {
        /// The type of the resources that were used.
        resource_type: String,
        /// The id of the package.
        package: String,
    },
    /// More is drawn than was used.
    #[error("the allocation of `{resource_type}` takes more than the {amount} that were used")]
    TooMuch {
        /// The type of the resources that were used.
        resource_type: String,
        /// The amount that was used.
        amount: Micros,
    },
}

/// Checks what a plugin said of a use.
///
/// # Errors
///
/// The first thing that makes no sense.
pub fn check(consumption: &Consumption, allocations: &[Allocation]) -> Result<(), AllocationError> {
    let resource_type = || consumption.resource_type.clone();
    let mut seen = vec![false; consumption.packages.len()];
    for allocation in allocations {
        let Some(offer) =
            consumption.packages.get(allocation.package.get()).filter(|_| !seen[allocation.package.get()])
        else {
            let packages = consumption.packages.len();
            return Err(AllocationError::OutsidePackages {
                resource_type: resource_type(),
                package: allocation.package,
                packages,
            });
        };
        seen[allocation.package.get()] = true;
        let package = || offer.id.clone();
        let left = offer.package.left();
        if allocation.amount <= Micros::ZERO || allocation.amount > left {
            let amount = allocation.amount;
            return Err(AllocationError::WrongAmount {
                resource_type: resource_type(),
                package: package(),
                amount,
                left,
            });
        }
        if consumption.at < offer.starts_at {
            return Err(AllocationError::NotYetInForce {
                resource_type: resource_type(),
                package: package(),
            });
        }
    }
    if allocations.iter().map(|allocation| allocation.amount).sum::<Micros>() > consumption.amount {
        return Err(AllocationError::TooMuch { resource_type: resource_type(), amount: consumption.amount });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
