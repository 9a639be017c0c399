//! Three scripts in the sandbox against the same scripts in Rhai outside of it and the same rules in Rust, and a tick whose
//! plans are asked about against one without policies.
//!
//! The scripts are three of those that ship, and approve of everything, so that every tick does the same beside them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::PolicyIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::RANK_DEFAULT;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_domain::policy::selector::Selector;
use perennial_domain::policy::selector::TagPattern;
use perennial_engine::policies::Policies;
use perennial_sandbox::Interpreter;
use plugin_script::interpreter;
use plugin_script::rulings;
use plugin_script::types;

use crate::arguments::Arguments;
use crate::figures;
use crate::native_policies;
use crate::tick::Bench;
use crate::tick::RENEWAL;
use crate::world;
use crate::world::EXPIRY;
use crate::world::HUAWEI;

/// Plans in one call: those of two accounts.
const PLANS: u32 = 256;
/// Calls in one round.
const CALLS: u32 = 20;
/// A week before the expiry of [`EXPIRY`], when the first try is due.
const AT: perennial_domain::timestamp::Timestamp =
    perennial_domain::timestamp::Timestamp::from_second(EXPIRY.as_second() - 7 * 86_400);

/// The scripts, with their names.
const SCRIPTS: [(&str, &str); 3] = [
    ("approve-above", include_str!("../../../policies/approve-above.rhai")),
    ("no-stopped", include_str!("../../../policies/no-stopped.rhai")),
    ("freeze-month-end", include_str!("../../../policies/freeze-month-end.rhai")),
];

/// Asks about all plans, in the sandbox and outside of it.
pub fn measure_chain(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let asked = Interpreter::load(&world::plugins(folder.path())?)?;
    let how = format!(
        "per plan of three members, in one call of {PLANS}; best of {} x {CALLS} calls",
        arguments.rounds
    );
    figures::title("A chain of three scripts", &how);
    let set = set(&Selector::default());
    let (accounts, facts) = (accounts(), plans());
    let facts = facts.iter().collect::<Vec<_>>();
    let scripts = SCRIPTS.map(|(name, text)| types::Script { name: name.to_owned(), text: text.to_owned() });
    let calendars = [types::Calendar { name: "freeze".to_owned(), days: vec![(20_000, 20_010)] }];
    let batch = batch();
    let [mut sandboxed, mut outside, mut in_rust] = [Duration::MAX; 3];
    for _ in 0..arguments.rounds * CALLS {
        let (taken, answers) = figures::time(|| asked.ask(&set, &accounts, &facts));
        figures::keep_best(&mut sandboxed, taken);
        let approved =
            answers.iter().flat_map(|one| &one.answers).filter(|one| one.ruling == Ruling::Approve);
        anyhow::ensure!(approved.count() == PLANS as usize * SCRIPTS.len(), "every script approves");
        let (taken, results) = figures::time(|| interpreter::rule(&scripts, &calendars, black_box(&batch)));
        figures::keep_best(&mut outside, taken);
        let is_approved = |one: &&rulings::PolicyAnswer| matches!(one.ruling, rulings::Ruling::Approve);
        let approved = results.answers.iter().filter(is_approved).count();
        anyhow::ensure!(approved == PLANS as usize * SCRIPTS.len(), "every script approves outside, too");
        let (taken, approved) =
            figures::time(|| native_policies::approved(black_box(&facts), &set.calendars));
        figures::keep_best(&mut in_rust, taken);
        anyhow::ensure!(approved == PLANS as usize, "the same rules approve in Rust");
    }
    let each = |time: Duration| figures::share(time, PLANS);
    let what = "three scripts, in the sandbox";
    figures::row(what, each(sandboxed), "in Rhai outside the sandbox", each(outside), Some(1.5));
    figures::row(what, each(sandboxed), "the same rules in Rust", each(in_rust), None);
    Ok(())
}

/// A tick with policies against one without.
pub fn measure_tick(arguments: &Arguments) -> anyhow::Result<()> {
    let how = format!(
        "per renewed bundle of three, {} due, three scripts each; best of {} rounds",
        arguments.due, arguments.rounds
    );
    figures::title("A durable tick with policies", &how);
    let bench = Bench::prepare(RENEWAL, arguments.due, 3)?;
    let folder = tempfile::tempdir()?;
    let plugins = world::plugins(folder.path())?;
    let with = |selector: &Selector| {
        let interpreter = Interpreter::load(&plugins)?;
        let policies = Policies::fixed(interpreter, set(selector));
        anyhow::Ok(world::providers(&plugins).with_policies(Arc::new(policies)))
    };
    let third = Selector { tags: vec![TagPattern::parse(world::THIRD)], ..Selector::default() };
    let (none, some, all) = (world::providers(&plugins), with(&third)?, with(&Selector::default())?);
    let [mut without, mut of_some, mut of_all] = [Duration::MAX; 3];
    for _ in 0..arguments.rounds {
        figures::keep_best(&mut without, bench.tick_of(&none)?);
        figures::keep_best(&mut of_some, bench.tick_of(&some)?);
        figures::keep_best(&mut of_all, bench.tick_of(&all)?);
    }
    let each = |time: Duration| figures::share(time, arguments.due);
    let other = "no policies";
    figures::row("selectors choose a third", each(of_some), other, each(without), Some(1.5));
    figures::row("every bundle", each(of_all), other, each(without), None);
    Ok(())
}

/// The scripts as policies that are asked about what `selector` chooses.
fn set(selector: &Selector) -> PolicySet {
    let policies = SCRIPTS.iter().map(|(name, text)| Policy {
        name: (*name).to_owned(),
        script: format!("{name}.rhai"),
        text: (*text).to_owned(),
        rank: RANK_DEFAULT,
        mode: PolicyMode::Active,
        selector: selector.clone(),
        on_failure: OnFailure::Default,
    });
    let freeze = Calendar { name: "freeze".to_owned(), days: vec![(20_000, 20_010)] };
    PolicySet { policies: policies.collect(), calendars: vec![freeze] }
}

/// Two rich accounts.
fn accounts() -> Vec<AccountFacts> {
    let accounts = world::accounts(PLANS, |_| HUAWEI).into_iter().take(2);
    let facts = |account: perennial_domain::account::Account| AccountFacts {
        id: account.id,
        provider: account.provider,
        currency: account.currency,
        settings: account.settings,
        utc_offset_minutes: 480,
        balance: account.balance.available(),
        budget: None,
    };
    accounts.map(facts).collect()
}

fn plans() -> Vec<PlanFacts> {
    let plan = |number: u32| {
        let bundle = world::bundle(HUAWEI, number, 3, EXPIRY, OnExpiry::Renew);
        PlanFacts {
            account: AccountIndex::new((number % 2) as usize),
            command: "renew".to_owned(),
            cause: Cause::Auto,
            cost: Some(Micros::new(37_020_000)),
            refund: Some(Micros::ZERO),
            at: AT,
            tries: Tries { first: Some(AT), next: Some(AT + 86_400), last: Some(AT + 6 * 86_400) },
            term: bundle.members[0].term,
            options: None,
            members: bundle.members.into_iter().map(|member| (member, 0)).collect(),
            expires_after: Some(EXPIRY + 31 * 86_400),
            requested_by: None,
            extensions: Vec::new(),
            quotes: Vec::new(),
            policies: (0..SCRIPTS.len()).map(PolicyIndex::new).collect(),
            is_pending: false,
        }
    };
    (0..PLANS).map(plan).collect()
}

/// The same plans in the flat records of the contract, ready-made.
fn batch() -> rulings::Batch {
    let mut words = Vec::<String>::new();
    let mut word = |text: &str| {
        let place = words.iter().position(|word| word == text).unwrap_or_else(|| {
            words.push(text.to_owned());
            words.len() - 1
        });
        u32::try_from(place).expect("there are few words")
    };
    let nothing = rulings::Items { start: 0, length: 0 };
    let month = types::Term { count: 1, unit: types::TermUnit::Month };
    let account = |account: &AccountFacts, word: &mut dyn FnMut(&str) -> u32| rulings::Account {
        id: word(&account.id),
        provider: word(&account.provider),
        currency: word(&account.currency),
        settings: nothing,
        utc_offset_minutes: account.utc_offset_minutes,
        balance: account.balance.as_micros(),
        budget: None,
    };
    let accounts = accounts().iter().map(|one| account(one, &mut word)).collect();
    let (mut pairs, mut resources, mut asked, mut made) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for plan in plans() {
        let start = |length: usize| u32::try_from(length).expect("there are few");
        let members = rulings::Items { start: start(resources.len()), length: start(plan.members.len()) };
        for (member, renewals) in &plan.members {
            let mut listed = |texts: &std::collections::BTreeMap<String, String>| {
                let items = rulings::Items { start: start(pairs.len()), length: start(texts.len()) };
                let more = texts.iter().map(|(name, value)| (word(name), word(value)));
                pairs.extend(more.map(|(name, value)| rulings::Pair { name, value }));
                items
            };
            let (tags, attributes) = (listed(&member.tags), listed(&member.attributes));
            resources.push(rulings::Resource {
                id: word(&member.id),
                kind: word(&member.kind),
                region: word(&member.region),
                stage: word(Stage::Active.name()),
                tags,
                attributes,
                started_at: member.started_at.as_second(),
                expires_at: member.expires_at.map(|at| at.as_second()),
                term: Some(month),
                price: member.price.map(Micros::as_micros),
                renewals: *renewals,
            });
        }
        let policies = rulings::Items { start: start(asked.len()), length: start(SCRIPTS.len()) };
        asked.extend(0..start(SCRIPTS.len()));
        made.push(rulings::Plan {
            account: start(plan.account.get()),
            command: word(&plan.command),
            automatic: true,
            cost: plan.cost.map(Micros::as_micros),
            refund: plan.refund.map(Micros::as_micros),
            at: plan.at.as_second(),
            first_try_at: plan.tries.first.map(|at| at.as_second()),
            next_try_at: plan.tries.next.map(|at| at.as_second()),
            last_try_at: plan.tries.last.map(|at| at.as_second()),
            term: Some(month),
            options: None,
            members,
            expires_after: plan.expires_after.map(|at| at.as_second()),
            requested_by: None,
            extensions: nothing,
            quotes: nothing,
            policies,
            is_pending: false,
        });
    }
    let (extensions, quotes) = (Vec::new(), Vec::new());
    rulings::Batch { words, pairs, accounts, resources, extensions, quotes, asked, plans: made }
}
