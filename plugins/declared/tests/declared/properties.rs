//! What holds for every text and every bundle.

use plugin_declared::Table;
use plugin_sdk::Action;
use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::PlanRequest;
use plugin_sdk::Renewal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use proptest::prelude::*;

use crate::world::NIMBUS;
use crate::world::VOLCENGINE;
use crate::world::attached;
use crate::world::day;
use crate::world::resource;
use crate::world::table;

fn stage() -> impl Strategy<Value = Stage> {
    prop::sample::select(vec![Stage::Active, Stage::Active, Stage::Grace, Stage::Retention, Stage::Released])
}

fn on_expiry() -> impl Strategy<Value = OnExpiry> {
    prop::sample::select(vec![
        OnExpiry::Renew,
        OnExpiry::Renew,
        OnExpiry::Lapse,
        OnExpiry::Convert,
        OnExpiry::Release,
    ])
}

fn bundle() -> impl Strategy<Value = Vec<Resource>> {
    let member = (stage(), on_expiry(), 0..400_i64, prop::sample::select(vec!["ebs", "eip"]));
    prop::collection::vec(member, 1..5).prop_map(|members| {
        let members = members.into_iter().enumerate().map(|(place, (stage, on_expiry, expires, kind))| {
            let expires_at = day(expires) + expires * 977 % 86_400;
            match place {
                0 => Resource { stage, on_expiry, ..resource("ecs", "ecs-0", expires_at) },
                _ => attached(Resource {
                    stage,
                    on_expiry,
                    ..resource(kind, &format!("r-{place}"), expires_at)
                }),
            }
        });
        members.collect()
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(start in 0..4_000_usize, length in 0..60_usize, put in "\\PC{0,12}") {
        for text in [NIMBUS, VOLCENGINE] {
            let characters = text.chars().collect::<Vec<_>>();
            let (start, end) = (start.min(characters.len()), (start + length).min(characters.len()));
            let changed = characters[..start].iter().copied().chain(put.chars()).chain(characters[end..].iter().copied());
            drop(Table::read(&changed.collect::<String>()));
        }
    }

    #[test]
    fn a_timeline_is_in_order_and_ends_every_member(bundle in bundle(), after in -100..500_i64) {
        let after = day(after);
        let timeline = table(VOLCENGINE).timeline(&[], after, &bundle);
        prop_assert!(timeline.is_sorted_by_key(|occurrence| occurrence.at));
        prop_assert!(timeline.iter().all(|occurrence| occurrence.at > after));
        for (member, resource) in (0..).zip(&bundle) {
            let own = timeline.iter().filter(|occurrence| occurrence.member == member).collect::<Vec<_>>();
            let is_end = |action: &Action| matches!(action, Action::Enter(Stage::Released) | Action::Convert);
            let ends = own.iter().filter(|occurrence| is_end(&occurrence.action)).count();
            prop_assert_eq!(ends, usize::from(resource.stage != Stage::Released));
            prop_assert!(own.last().is_none_or(|occurrence| is_end(&occurrence.action)));
            prop_assert!(own.len() <= 128);
        }
    }

    #[test]
    fn a_renewal_moves_every_expiry_forward(bundle in bundle(), at in 0..500_i64, automatic: bool) {
        let command = Command::Renew(Renewal { term: None, automatic, options: Vec::new() });
        let request =
            PlanRequest { at: day(at), command, member: 0, bundle: bundle.clone(), orders: Vec::new() };
        let Ok(plan) = table(VOLCENGINE).plan(&[], &request) else { return Ok(()) };
        for step in &plan.steps {
            let member = &bundle[step.member as usize];
            prop_assert!(member.charging == Charging::Prepaid && member.stage != Stage::Released);
            let Operation::Extend(extension) = &step.operation else { panic!("{step:?}") };
            prop_assert!(Some(extension.expires_at) > member.expires_at);
            prop_assert!(extension.term.count > 0);
        }
        let told = plan.steps.len() + plan.skipped.len();
        prop_assert_eq!(told, bundle.len(), "every member is extended, or it is said why not");
    }
}
