//! What plans would cost at other terms, for the policies that ask: only the provider's rules know whom they would extend by
//! how much.
//!
//! Asks the rules; knows of scripts only how they name a term.

use std::collections::BTreeSet;

use perennial_domain::plan::Command;
use perennial_domain::policy::Amendment;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

use crate::batch::Batch;
use crate::policies::ActivePolicies;
use crate::policy_case::Case;

/// The function of scripts that tells such a price.
const FUNCTION: &str = "price_for";
/// The months and years that are asked about where a script computes the term.
const MONTHS: std::ops::RangeInclusive<u32> = 1..=12;
const YEARS: std::ops::RangeInclusive<u32> = 1..=5;

impl Batch {
    /// Adds to the renewals among these plans what they would cost at the terms that their policies ask about. A term that
    /// the rules refuse has no price.
    pub(crate) fn quote_prices(&self, policies: &ActivePolicies, cases: &mut [&mut Case]) {
        let mut wanted = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            if !matches!(case.state.command, Command::Renew(_)) || !case.has_no_answers() {
                continue;
            }
            let asked = case.matching.active.iter().chain(&case.matching.shadow);
            let terms =
                asked.flat_map(|index| terms_of(&policies.policy(*index).text)).collect::<BTreeSet<_>>();
            let others = terms.into_iter().filter(|term| case.state.facts.term != Some(*term));
            let token = self.account(case.account).token_option();
            wanted.extend(others.map(|term| {
                let amendment = Amendment { term: Some(term), options: None };
                (number, term, case.command_with(&amendment, token))
            }));
        }
        if wanted.is_empty() {
            return;
        }
        let requests = wanted.iter().map(|(number, _, command)| {
            let case = &cases[*number];
            (case.entry, case.member, command)
        });
        let plans = self.request_plans_of(&requests.collect::<Vec<_>>());
        for ((number, term, command), plan) in wanted.iter().zip(plans) {
            let case = &mut *cases[*number];
            let plan = plan.ok().and_then(|answer| answer.plan.ok());
            let cost = plan.and_then(|plan| self.plan_facts(case.entry, command, &plan).cost);
            case.state.facts.quotes.extend(cost.map(|cost| (*term, cost)));
        }
    }
}

/// The terms that providers sell.
pub(crate) fn usual_terms() -> impl Iterator<Item = Term> {
    let months = MONTHS.map(|count| (count, TermUnit::Month));
    let all = months.chain(YEARS.map(|count| (count, TermUnit::Year)));
    all.filter_map(|(count, unit)| Term::new(count, unit))
}

/// The terms that a script may ask the price of: those that it names or, where it computes one, the usual ones.
fn terms_of(script: &str) -> BTreeSet<Term> {
    let mut terms = BTreeSet::new();
    for (start, _) in script.match_indices(FUNCTION) {
        match named_term(&script[start + FUNCTION.len()..]) {
            Some(term) => {
                terms.insert(term);
            }
            None => terms.extend(usual_terms()),
        }
    }
    terms
}

/// The term that a call ends in, such as that of `(plan, 1, "year")`, if it is written out.
fn named_term(call: &str) -> Option<Term> {
    let arguments = call.trim_start().strip_prefix('(')?.split_once(')')?.0;
    let (rest, unit) = arguments.rsplit_once(',')?;
    let count = rest.rsplit_once(',').map_or(rest, |(_, count)| count);
    let unit = match unit.trim() {
        "\"day\"" => TermUnit::Day,
        "\"month\"" => TermUnit::Month,
        "\"year\"" => TermUnit::Year,
        _ => return None,
    };
    Term::new(count.trim().parse().ok()?, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(script: &str) -> Vec<String> {
        terms_of(script).into_iter().map(|term| format!("{} {:?}", term.count, term.unit)).collect()
    }

    #[test]
    fn terms_that_are_written_out_are_asked_about() {
        let script = "price_for(plan, 1, \"year\") < plan.price_for( 3 , \"month\" ) * 4 || price_for(plan, 10, \"day\") > 1";
        assert_eq!(terms(script), ["1 Year", "3 Month", "10 Day"]);
        assert_eq!(terms("approve()"), Vec::<String>::new());
    }

    #[test]
    fn a_term_that_is_computed_may_be_any_usual_one() {
        for script in
            ["price_for(plan, n, \"year\")", "price_for(plan, 1, unit)", "price_for(plan, tag(x), \"day\")"]
        {
            assert_eq!(terms(script).len(), 17, "{script}");
        }
    }
}
