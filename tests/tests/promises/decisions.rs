//! Promise 8: what was decided can be decided again, and comes out the same.

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::index::AccountIndex;
use perennial_domain::ledger::Balance;
use perennial_formats::decision;
use perennial_sandbox::PlanRequest;
use perennial_store::decisions;
use perennial_store::testing;
use proptest::prelude::*;

use crate::host::Host;
use crate::host::check;
use crate::host::providers;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::busy;

#[test]
fn every_kept_decision_is_answered_the_same_when_it_is_asked_again() {
    let will_retry = std::cell::Cell::new(0);
    check(50, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        for kept in decisions::list(host.engine.db(), u32::MAX).unwrap() {
            let rules = &providers()[&kept.plugin];
            prop_assert_eq!(
                rules.digest(),
                &kept.digest,
                "the revision that answered is the one that is loaded"
            );
            let question = decision::read_question(&kept.request, &kept.contract).unwrap();
            prop_assert_eq!(decision::question(&question.as_input()).to_text(), &*kept.request);
            // All that a plugin was told of the account is in the question.
            let account = Account {
                id: question.account.clone(),
                provider: kept.plugin.clone(),
                mode: Mode::Managed,
                currency: "CNY".to_owned(),
                balance: Balance::default(),
                settings: question.settings.clone(),
                approval_above: None,
                budget: None,
            };
            let again = PlanRequest {
                at: question.at,
                account: AccountIndex::new(0),
                command: &question.command,
                member: question.member,
                bundle: &question.bundle,
                orders: &question.orders,
            };
            let answer = rules.make_plans(&[&account], &[again]).pop().unwrap().unwrap();
            prop_assert_eq!(decision::answer(&answer).to_text(), &*kept.response);
            prop_assert_eq!(decision::read_answer(&kept.response, &kept.contract).unwrap(), answer);
            will_retry.set(will_retry.get() + 1);
        }
        Ok(())
    });
    assert!(will_retry.get() > 100, "only {} decisions were asked again", will_retry.get());
}

#[test]
fn every_renewal_settled_or_declined_by_the_clock_has_its_decision() {
    check(20, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        let decided = testing::decided(host.db());
        for event in host.events("renewal_settled").iter().chain(&host.events("renewal_declined")) {
            let named = event["primary"].as_str().or(event["resource"].as_str()).unwrap();
            let at = event["at"].as_str().unwrap().parse::<perennial_domain::timestamp::Timestamp>().unwrap();
            let row = format!("{named} {}", at.as_second());
            prop_assert!(decided.contains(&row), "nothing is kept about {event}");
        }
        Ok(())
    });
}
