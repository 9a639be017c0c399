//! Properties over the calendar: any day, any hour, any month, leap years.

use plugin_sdk::Action;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use proptest::prelude::*;

use crate::harness::CHINA;
use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::months;
use crate::harness::prepaid;
use crate::harness::renew;
use crate::harness::timeline;

const KINDS: [&str; 8] = ["bcc", "bbc", "cds", "eip", "mkt", "scs", "rds", "et"];

/// Any second of the years 2023 to 2032, often on a day that is difficult for calendars.
fn instants() -> impl Strategy<Value = Timestamp> {
    let any = at("2023-01-01 00:00")..at("2033-01-01 00:00");
    let days = prop::sample::select(vec![
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2026-01-29",
        "2026-01-30",
        "2026-01-31",
        "2026-02-28",
        "2026-12-31",
        "2027-01-01",
        "2028-02-29",
        "2026-03-29",
        "2026-10-25",
        "2026-04-05",
    ]);
    let odd = (days, prop_oneof![Just(0), Just(DAY - 1), 0..DAY]);
    prop_oneof![any, odd.prop_map(|(day, second)| at(&format!("{day} 00:00")) + second)]
}

fn fates() -> impl Strategy<Value = OnExpiry> {
    prop::sample::select(vec![OnExpiry::Lapse, OnExpiry::Renew, OnExpiry::Convert, OnExpiry::Release])
}

prop_compose! {
    fn resources()(
        kind in prop::sample::select(KINDS.to_vec()),
        expires_at in instants(),
        anchor_day in 28_u8..=31,
        fate in fates(),
        switched_off in any::<bool>(),
    ) -> Resource {
        let day = CHINA.day_of_month(expires_at);
        let resource = prepaid(kind, kind, "2026-01-01 00:00").on_expiry(fate);
        let resource = if switched_off { resource.with("renewCds", "false") } else { resource };
        // An anchor later than the day of the expiry is that of a month that was too short.
        let is_last = CHINA.day_of_month(expires_at + DAY) == 1;
        let anchor_day = if is_last { anchor_day.max(day) } else { day };
        Resource { expires_at: Some(expires_at), anchor_day: Some(anchor_day), ..resource }
    }
}

fn bundles() -> impl Strategy<Value = Vec<Resource>> {
    let attached =
        prop::collection::vec((prop::sample::select(vec!["cds", "eip", "mkt"]), resources()), 0..4);
    (resources(), attached, any::<bool>()).prop_map(|(primary, attached, same_expiry)| {
        let primary = match attached.is_empty() {
            true => primary,
            false => Resource { kind: "bcc".into(), ..primary },
        };
        let mut bundle = vec![primary];
        for (kind, resource) in attached {
            let expires_at = if same_expiry { bundle[0].expires_at } else { resource.expires_at };
            let anchor_day = if same_expiry { bundle[0].anchor_day } else { resource.anchor_day };
            bundle.push(
                Resource { kind: kind.to_owned().into(), expires_at, anchor_day, ..resource }.attached(),
            );
        }
        bundle
    })
}

prop_compose! {
    fn settings()(hour in 0_u8..24, notice in 0_u8..24, days in prop::sample::subsequence(vec![14_u8, 7, 3, 2, 1, 0], 0..6)) -> Vec<(String, String)> {
        let days = days.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        vec![
            ("try_hour".to_owned(), hour.to_string()),
            ("notice_hour".to_owned(), notice.to_string()),
            ("try_days".to_owned(), days),
        ]
    }
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Applies an occurrence as the host does.
fn apply(bundle: &mut [Resource], occurrence: &Occurrence) {
    let resource = &mut bundle[occurrence.member as usize];
    match &occurrence.action {
        Action::Enter(stage) => resource.stage = *stage,
        Action::Convert => resource.stage = Stage::Converted,
        Action::SetAttribute((name, value)) => {
            resource.attributes.retain(|(other, _)| other != name);
            resource.attributes.push((name.clone().into(), value.clone().into()));
        }
        Action::TryRenewal | Action::Refill | Action::Notice(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_timeline_is_in_order_and_strictly_after_what_was_asked(
        bundle in bundles(), settings in settings(), after in instants()
    ) {
        let occurrences = timeline(&borrowed(&settings), after, &bundle);
        prop_assert!(occurrences.iter().all(|occurrence| occurrence.at > after));
        prop_assert!(occurrences.is_sorted_by_key(|occurrence| occurrence.at));
        prop_assert!(occurrences.len() <= 128 * bundle.len());
    }

    #[test]
    fn tries_are_before_the_expiry_and_only_of_resources_to_be_renewed(
        bundle in bundles(), settings in settings(), after in instants()
    ) {
        for occurrence in timeline(&borrowed(&settings), after, &bundle) {
            if occurrence.action == Action::TryRenewal {
                let resource = &bundle[occurrence.member as usize];
                prop_assert!(occurrence.at < resource.expires_at.unwrap());
                // Nothing here was left out of a renewal: `left_out` has what was, and what its instance is tried for no more.
                let is_behind = resource.attached_to.is_some() && resource.expires_at < bundle[0].expires_at;
                let stands_in = resource.on_expiry == OnExpiry::Lapse && is_behind;
                prop_assert!(resource.on_expiry == OnExpiry::Renew || stands_in, "{:?}", resource);
            }
        }
    }

    #[test]
    fn every_prepaid_member_ends_in_a_final_stage(
        bundle in bundles(), settings in settings(), after in instants()
    ) {
        let mut ended = bundle.clone();
        for occurrence in timeline(&borrowed(&settings), after, &bundle) {
            let stage = ended[occurrence.member as usize].stage;
            prop_assert!(!matches!(stage, Stage::Released | Stage::Converted), "nothing happens to what is gone");
            apply(&mut ended, &occurrence);
        }
        for resource in ended {
            let expected = if resource.on_expiry == OnExpiry::Convert { Stage::Converted } else { Stage::Released };
            prop_assert_eq!(resource.stage, expected);
        }
    }

    #[test]
    fn a_timeline_asked_later_is_the_rest_of_one_asked_earlier(
        bundle in bundles(), settings in settings(), ahead in 0..60 * DAY, place in any::<prop::sample::Index>(),
        wait in prop_oneof![Just(-1), Just(0), Just(1), 0..9 * DAY]
    ) {
        let first = bundle.iter().filter_map(|resource| resource.expires_at).min().unwrap();
        let after = first - 1 - ahead;
        let whole = timeline(&borrowed(&settings), after, &bundle);
        let later = after.max(whole[place.index(whole.len())].at + wait);
        let (past, rest) = whole.split_at(whole.partition_point(|occurrence| occurrence.at <= later));
        let mut then = bundle.clone();
        past.iter().for_each(|occurrence| apply(&mut then, occurrence));
        prop_assert_eq!(timeline(&borrowed(&settings), later, &then), rest.to_vec());
    }

    #[test]
    fn a_renewal_moves_the_expiry_by_its_months_and_keeps_the_hour(
        resource in resources(), count in prop::sample::select(vec![1_u32, 2, 3, 6, 9, 12, 24, 36])
    ) {
        let expires_at = resource.expires_at.unwrap();
        let bundle = [resource.on_expiry(OnExpiry::Lapse)];
        let plan = ask(&[], expires_at - DAY, &bundle, 0, renew(Some(months(count)), &[]), &[]).unwrap();
        let Operation::Extend(extension) = &plan.steps[0].operation else { panic!("{plan:?}") };
        let apart = CHINA.days_between(expires_at, extension.expires_at);
        prop_assert!((28 * i64::from(count)..=31 * i64::from(count)).contains(&apart), "{} days", apart);
        prop_assert_eq!((extension.expires_at - expires_at) % DAY, 0);
        let anchor = bundle[0].anchor_day.unwrap();
        let day = CHINA.day_of_month(extension.expires_at);
        let is_last = CHINA.day_of_month(extension.expires_at + DAY) == 1;
        prop_assert!(day == anchor || (is_last && day < anchor), "day {} for anchor {}", day, anchor);
    }

    #[test]
    fn an_aligned_disk_ends_with_its_instance_and_pays_for_every_day(
        instance in resources(), disk in resources(), count in 1_u32..=9
    ) {
        let now = instance.expires_at.unwrap().min(disk.expires_at.unwrap()) - DAY;
        let bundle = [
            Resource { kind: "bcc".into(), id: "i".into(), ..instance },
            Resource { kind: "cds".into(), id: "v".into(), ..disk }.attached(),
        ];
        let command = renew(Some(months(count)), &[("relatedRenewFlag", "CDS")]);
        let plan = ask(&[], now, &bundle, 0, command, &[]).unwrap();
        let Operation::Extend(instance) = &plan.steps[0].operation else { panic!("{plan:?}") };
        let (before, anchor) = (bundle[1].expires_at.unwrap(), bundle[1].anchor_day.unwrap());
        match plan.steps.get(1).map(|step| &step.operation) {
            Some(Operation::Extend(disk)) => {
                prop_assert_eq!(disk.expires_at, instance.expires_at);
                let paid_until = CHINA.plus(before, anchor, disk.term) + i64::from(disk.extra_days) * DAY;
                prop_assert!((0..DAY).contains(&(paid_until - disk.expires_at)), "paid until {}", paid_until);
                prop_assert!(disk.extra_days <= 31);
            }
            _ => prop_assert!(before >= instance.expires_at, "left out, but it ends before its instance"),
        }
    }
}
