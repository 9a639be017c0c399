//! What a shadow revision would have taken a use from otherwise than the one that is followed. Nothing of it is followed.

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;
use perennial_domain::micros::Micros;
use perennial_domain::revision::RevisionDifference;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_store::change::Change;
use perennial_store::keys::AccountKey;
use perennial_store::keys::ResourceKey;
use perennial_store::revision_differences::NewRevisionDifference;
use perennial_store::revision_differences::RevisionTrial;

use crate::clock::Stopwatch;
use crate::revision_shadow::text;
use crate::rules::Rules;

/// The word for a use among questions.
const USE: &str = "use";

/// A use that was answered, with what is followed.
pub(crate) struct AnsweredUse<'a> {
    /// The account that used something ...
    pub(crate) account: (AccountKey, &'a Account),
    /// ... and of what.
    pub(crate) consumption: &'a Consumption,
    /// The rows of the packages that were offered.
    pub(crate) packages: &'a [ResourceKey],
    /// The digest of the revision that is followed ...
    pub(crate) followed: &'a str,
    /// ... its answer, and how long that took, in microseconds.
    pub(crate) answer: (&'a [Allocation], u64),
}

impl AnsweredUse<'_> {
    /// Asks `shadow` the same; returns what is to be kept of it.
    pub(crate) fn compare(&self, shadow: &dyn Rules) -> Vec<Change> {
        let (row, account) = self.account;
        let (followed, micros_followed) = self.answer;
        let at = self.consumption.at;
        let watch = Stopwatch::start();
        let answer = shadow.allocate(&[account], &[(AccountIndex::new(0), self.consumption)]).pop();
        let answer = answer.expect("rules give one answer per question");
        let kind = match &answer {
            Ok(allocations) if allocations == followed => None,
            Ok(_) => Some(RevisionDifference::Usage),
            Err(_) => Some(RevisionDifference::Failed),
        };
        let trial = RevisionTrial {
            digest: shadow.digest().to_owned(),
            followed: self.followed.to_owned(),
            asked: 1,
            differed: u64::from(kind.is_some()),
            failed: u64::from(answer.is_err()),
            fuel: 0,
            fuel_followed: 0,
            micros: watch.micros(),
            micros_followed,
            first_at: at,
            last_at: at,
        };
        let mut changes = vec![Change::AddRevisionTrial(Box::new(trial))];
        // A difference is kept under a package, and without any there is nothing to take otherwise.
        let (Some(kind), Some(resource)) = (kind, self.packages.first()) else { return changes };
        let words = match &answer {
            Ok(allocations) => self.lines(allocations),
            Err(error) => vec![error.to_string()],
        };
        changes.push(Change::RecordRevisionDifference(Box::new(NewRevisionDifference {
            at,
            digest: shadow.digest().to_owned(),
            followed: self.followed.to_owned(),
            account: row,
            resource: *resource,
            question: USE,
            kind,
            expires_before: None,
            followed_answer: text(&self.lines(followed)),
            answer: text(&words),
            followed_cost: None,
            cost: None,
        })));
        changes
    }

    /// An answer, a line for each package that something is taken of, and one for what no package covers.
    fn lines(&self, allocations: &[Allocation]) -> Vec<String> {
        let line = |allocation: &Allocation| {
            let package = self.consumption.packages.get(allocation.package.get());
            let alert = match allocation.alert {
                Alert::None => "",
                Alert::Low => ", low",
                Alert::Depleted => ", depleted",
            };
            format!("{} take {}{alert}", package.map_or("?", |offer| offer.id.as_str()), allocation.amount)
        };
        let covered = allocations.iter().map(|allocation| allocation.amount).sum::<Micros>();
        let left = self.consumption.amount - covered;
        let uncovered = (left > Micros::ZERO).then(|| format!("uncovered {left}"));
        allocations.iter().map(line).chain(uncovered).collect()
    }
}
