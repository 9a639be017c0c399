//! Use: which packages a use draws on. Knows whether an answer makes sense; not which package goes first.

use crate::bundle::Package;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// A use of some resource type, and the packages that may cover it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumption {
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub resource_type: String,
    /// How much, above zero.
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
    /// When it takes effect.
    pub starts_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whether a draw brings a package to a level that its owner is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing to tell.
    Quiet,
    /// Little is left.
    Low,
    /// Nothing is left.
    Depleted,
}

/// What a use takes of one package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The package, by its place in the consumption.
    pub package: usize,
    /// How much, above zero.
    pub amount: Micros,
    /// What it brings the package to.
    pub level: Level,
}

/// Why draws make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// A package is named that is not there, or twice.
    #[error("the cover of `{resource_type}` names package {package} of {packages}, or names it twice")]
    OutsideOffer {
        /// What is used.
        resource_type: String,
        /// What was named.
        package: usize,
        /// How many there are.
        packages: usize,
    },
    /// More is drawn than the package has left, or nothing.
    #[error("the cover of `{resource_type}` draws {amount} from `{package}`, which has {left}")]
    WrongAmount {
        /// What is used.
        resource_type: String,
        /// The package.
        package: String,
        /// What was drawn.
        amount: Micros,
        /// What it has.
        left: Micros,
    },
    /// A package is drawn on before its time. When it ends is for the provider to say: some count to the end of the day.
    #[error("the cover of `{resource_type}` draws on `{package}`, which is not in force yet")]
    NotYetInForce {
        /// What is used.
        resource_type: String,
        /// The package.
        package: String,
    },
    /// More is drawn than was used.
    #[error("the cover of `{resource_type}` draws more than the {amount} that were used")]
    TooMuch {
        /// What is used.
        resource_type: String,
        /// How much.
        amount: Micros,
    },
}

/// Checks what a plugin said of a use.
///
/// # Errors
///
/// The first thing that makes no sense.
pub fn check(consumption: &Consumption, draws: &[Draw]) -> Result<(), DrawError> {
    let resource_type = || consumption.resource_type.clone();
    let mut seen = vec![false; consumption.packages.len()];
    for draw in draws {
        let Some(offer) = consumption.packages.get(draw.package).filter(|_| !seen[draw.package]) else {
            let packages = consumption.packages.len();
            return Err(DrawError::OutsideOffer {
                resource_type: resource_type(),
                package: draw.package,
                packages,
            });
        };
        seen[draw.package] = true;
        let package = || offer.id.clone();
        let left = offer.package.left();
        if draw.amount <= Micros::ZERO || draw.amount > left {
            let amount = draw.amount;
            return Err(DrawError::WrongAmount {
                resource_type: resource_type(),
                package: package(),
                amount,
                left,
            });
        }
        if consumption.at < offer.starts_at {
            return Err(DrawError::NotYetInForce { resource_type: resource_type(), package: package() });
        }
    }
    if draws.iter().map(|draw| draw.amount).sum::<Micros>() > consumption.amount {
        return Err(DrawError::TooMuch { resource_type: resource_type(), amount: consumption.amount });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
