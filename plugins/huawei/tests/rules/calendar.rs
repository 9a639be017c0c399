//! Properties that hold on every day of the calendar: month ends, leap years, any hour, any settings.

use plugin_huawei::family::CALENDAR;
use plugin_sdk::calendar::DAY;
use plugin_sdk::*;
use proptest::prelude::*;

use crate::world::*;

/// An instant from 2023 to 2033: two leap years, every month end.
fn instants() -> impl Strategy<Value = Timestamp> {
    let years = time("2023-01-01 00:00:00")..time("2033-01-01 00:00:00");
    // Every other expiry is at the last second of a day, as most real ones are.
    (years, any::<bool>()).prop_map(|(at, rounds)| if rounds { CALENDAR.end_of_day(at) } else { at })
}

fn on_expiries() -> impl Strategy<Value = OnExpiry> {
    prop_oneof![
        Just(OnExpiry::Lapse),
        Just(OnExpiry::Renew),
        Just(OnExpiry::Convert),
        Just(OnExpiry::Release)
    ]
}

fn settings() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    (2..=7i64, 0..20i64, 0..20i64, 3..=23u8).prop_map(|(deduction, grace, retention, hour)| {
        vec![
            ("deduction_days", deduction.to_string()),
            ("grace_days", grace.to_string()),
            ("retention_days", retention.to_string()),
            ("notice_hour", hour.to_string()),
        ]
    })
}

fn said<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn with(kind: &str, attached_to: Option<u32>, expires_at: Timestamp, on_expiry: OnExpiry) -> Resource {
    let started_at = expires_at - 200 * DAY;
    let anchor_day = Some(CALENDAR.day_of_month(expires_at));
    Resource {
        attached_to,
        started_at,
        expires_at: Some(expires_at),
        anchor_day,
        on_expiry,
        ..resource(kind)
    }
}

/// A bundle in which every member expires within the same ten days, some at the same instant.
fn bundles() -> impl Strategy<Value = Vec<Resource>> {
    let shapes = prop_oneof![
        Just(vec![("ecs", None), ("evs", Some(0)), ("eip", Some(0)), ("bandwidth", Some(2))]),
        Just(vec![("shared-bandwidth", None), ("eip", Some(0)), ("bandwidth-add-on", Some(0))]),
        Just(vec![("codearts-package", None), ("codearts-extension", Some(0))]),
        Just(vec![("package", None)]),
    ];
    let members = prop::collection::vec((prop_oneof![Just(0), 0..10 * DAY], on_expiries()), 4);
    (shapes, instants(), members).prop_map(|(shape, expires_at, members)| {
        let member = |(&(kind, to), &(later, on_expiry)): (&(&str, Option<u32>), &(Timestamp, OnExpiry))| {
            with(kind, to, expires_at + later, on_expiry)
        };
        shape.iter().zip(&members).map(member).collect()
    })
}

/// The stage of a resource of this bundle at `at`, if nobody sends a command.
fn left_alone(bundle: &[Resource], occurrences: &[Occurrence], at: Timestamp) -> Vec<Resource> {
    let mut later = bundle.to_vec();
    for occurrence in occurrences.iter().filter(|occurrence| occurrence.at <= at) {
        let stage = &mut later[occurrence.member as usize].stage;
        match occurrence.action {
            Action::Enter(entered) => *stage = entered,
            Action::Convert => *stage = Stage::Converted,
            Action::TryRenewal | Action::SetAttribute(_) | Action::Refill | Action::Notice(_) => {}
        }
    }
    later
}

fn extended(said: Said, at: Timestamp, resource: &Resource, asked: Command) -> Extension {
    let plan = command(said, at, std::slice::from_ref(resource), 0, asked, &[]).expect("it may be renewed");
    let Operation::Extend(extension) = plan.steps[0].operation else { panic!("a renewal extends") };
    extension
}

/// The last day of the month of `at`.
fn month_length(at: Timestamp) -> u8 {
    let last = (0..31)
        .map(|day| at + day * DAY)
        .take_while(|&day| day == at || CALENDAR.day_of_month(day) > CALENDAR.day_of_month(at));
    last.last().map_or(0, |day| CALENDAR.day_of_month(day))
}

proptest! {
    #[test]
    fn tries_are_at_three_in_the_morning_and_always_before_the_expiry(
        expires_at in instants(), settings in settings(), before in 0..20 * DAY,
    ) {
        let after = expires_at - before;
        let bundle = [with("ecs", None, expires_at, OnExpiry::Renew)];
        let occurrences = timeline(&said(&settings), after, &bundle);
        let tries = occurrences.iter().filter(|one| one.action == Action::TryRenewal).map(|one| one.at).collect::<Vec<_>>();
        let deduction_days = settings[0].1.parse::<i64>().unwrap();
        for &at in &tries {
            prop_assert_eq!(at - CALENDAR.midnight(at), 3 * 3600);
            prop_assert!(after < at && at < expires_at);
        }
        // Exactly one on each day from the deduction day on on which there is still a 03:00 to come.
        let days = (0..=deduction_days).map(|day| CALENDAR.midnight(expires_at) - day * DAY + 3 * 3600);
        let due = days.filter(|&at| after < at && at < expires_at).count();
        prop_assert_eq!(tries.len(), due);
    }

    #[test]
    fn a_timeline_is_in_order_and_ends_each_member(bundle in bundles(), settings in settings(), before in 0..60 * DAY) {
        let after = bundle[0].expires_at.unwrap() - before;
        let occurrences = timeline(&said(&settings), after, &bundle);
        prop_assert!(occurrences.len() <= 128 * bundle.len());
        prop_assert!(occurrences.iter().all(|one| one.at > after));
        prop_assert!(occurrences.is_sorted_by_key(|one| one.at));
        for member in 0..bundle.len() {
            let last = occurrences.iter().rfind(|one| one.member as usize == member).expect("it has a future");
            prop_assert!(matches!(last.action, Action::Enter(Stage::Released) | Action::Convert), "{:?}", last);
        }
    }

    #[test]
    fn a_timeline_asked_later_is_the_rest_of_the_one_asked_before(
        bundle in bundles(), settings in settings(), before in 1..60 * DAY, later in 0..120 * DAY,
    ) {
        let said = said(&settings);
        let after = bundle[0].expires_at.unwrap() - before;
        let occurrences = timeline(&said, after, &bundle);
        let rest = occurrences.iter().filter(|one| one.at > after + later).cloned().collect::<Vec<_>>();
        let asked_later = timeline(&said, after + later, &left_alone(&bundle, &occurrences, after + later));
        prop_assert_eq!(asked_later, rest);
    }

    #[test]
    fn stages_are_entered_in_order_and_each_only_once(bundle in bundles(), settings in settings()) {
        let after = bundle[0].expires_at.unwrap() - 30 * DAY;
        let occurrences = timeline(&said(&settings), after, &bundle);
        for member in 0..bundle.len() {
            let of_member = occurrences.iter().filter(|one| one.member as usize == member);
            let stages = of_member.filter_map(|one| if let Action::Enter(stage) = one.action { Some(stage as u8) } else { None });
            let stages = stages.collect::<Vec<_>>();
            prop_assert!(stages.is_sorted_by(|one, next| one < next), "{:?}", stages);
        }
    }

    #[test]
    fn twelve_months_one_by_one_end_where_one_year_does(expires_at in instants(), anchor_day in 1..=31u8) {
        // Brought to the anchor first, as a resource that was bought on that day is.
        let expires_at = CALENDAR.on_or_after(CALENDAR.midnight(expires_at), anchor_day.min(28)) + 12 * 3600;
        let mut resource = Resource { anchor_day: Some(anchor_day), ..with("ecs", None, expires_at, OnExpiry::Lapse) };
        let whole = extended(&[], expires_at - 1, &resource, renew(Some(YEARLY)));
        for _ in 0..12 {
            let next = extended(&[], expires_at - 1, &resource, renew(Some(MONTHLY)));
            let day = CALENDAR.day_of_month(next.expires_at);
            prop_assert_eq!(day, anchor_day.min(month_length(CALENDAR.midnight(next.expires_at) - (i64::from(day) - 1) * DAY)));
            prop_assert_eq!(next.expires_at - CALENDAR.midnight(next.expires_at), 12 * 3600);
            resource.expires_at = Some(next.expires_at);
        }
        prop_assert_eq!(resource.expires_at, Some(whole.expires_at));
    }

    #[test]
    fn a_late_renewal_ends_where_a_timely_one_does(expires_at in instants(), late in 0..30 * DAY, months in 2..=11u32) {
        let asked = || renew(Some(Term { count: months, unit: TermUnit::Month }));
        let timely = with("ecs", None, expires_at, OnExpiry::Lapse);
        let expected = extended(&[], expires_at - DAY, &timely, asked());
        for stage in [Stage::Grace, Stage::Retention] {
            let expired = Resource { stage, ..timely.clone() };
            prop_assert_eq!(&extended(&[], expires_at + late, &expired, asked()), &expected);
        }
        let automatic = Resource { on_expiry: OnExpiry::Renew, renewal_term: Some(expected.term), ..timely };
        prop_assert_eq!(&extended(&[], expires_at - DAY, &automatic, self::automatic()), &expected);
    }

    #[test]
    fn a_unified_expiry_day_is_the_next_one_after_the_plain_expiry(expires_at in instants(), day in prop_oneof![1..=28i8, Just(-1)]) {
        let resource = with("ecs", None, expires_at, OnExpiry::Lapse);
        let plain = extended(&[], expires_at - 1, &resource, renew(None));
        let text = day.to_string();
        let unified = extended(&[("unified_expiry_day", &text)], expires_at - 1, &resource, renew(None));
        let wanted = if day == -1 { month_length(unified.expires_at) } else { u8::try_from(day).unwrap() };
        prop_assert_eq!(CALENDAR.day_of_month(unified.expires_at), wanted);
        prop_assert_eq!(unified.expires_at, plain.expires_at + i64::from(unified.extra_days) * DAY);
        prop_assert!(unified.extra_days <= 30);
        // Once there, it stays there and costs no further days.
        let anchor_day = unified.anchor_day.or(resource.anchor_day);
        let moved = Resource { expires_at: Some(unified.expires_at), anchor_day, ..resource };
        let next = extended(&[("unified_expiry_day", &text)], unified.expires_at - 1, &moved, renew(None));
        prop_assert_eq!((next.extra_days, next.anchor_day), (0, None));
    }

    #[test]
    fn codearts_and_packages_end_with_their_last_day(expires_at in instants(), at in instants()) {
        for kind in ["codearts-package", "codearts-extension", "package"] {
            let resource = with(kind, None, expires_at, OnExpiry::Lapse);
            let ends = extended(&[], expires_at - 1, &resource, renew(None)).expires_at;
            prop_assert_eq!(ends, CALENDAR.end_of_day(ends));
            let ends = timeline(&[], expires_at - 40 * DAY, &[resource]).iter().find_map(|one| match one.action {
                Action::Enter(_) => Some(one.at),
                Action::TryRenewal
                | Action::Convert
                | Action::SetAttribute(_)
                | Action::Refill
                | Action::Notice(_) => None,
            });
            prop_assert_eq!(ends, Some(CALENDAR.end_of_day(expires_at)));
        }
        let asked = Command::BuyAgain(Purchase { pay_at: None, effective_at: None });
        let plan = command(&[], at, &[with("package", None, at + DAY, OnExpiry::Lapse)], 0, asked, &[]).unwrap();
        let Operation::Buy(buying) = &plan.steps[0].operation else { panic!("it buys") };
        prop_assert_eq!(buying.expires_at, CALENDAR.end_of_day(buying.expires_at));
        prop_assert!(buying.expires_at > buying.effective_at);
    }

    #[test]
    fn the_quota_starts_anew_once_for_each_period_renewed(started_at in instants(), months in 1..=3u32, renewals in 0..12u32) {
        let term = Term { count: months, unit: TermUnit::Month };
        let asked = Command::BuyAgain(Purchase { pay_at: None, effective_at: None });
        let model = Resource { term: Some(term), ..with("package", None, started_at + DAY, OnExpiry::Lapse) };
        let plan = command(&[], started_at, std::slice::from_ref(&model), 0, asked, &[]).unwrap();
        let Operation::Buy(buying) = &plan.steps[0].operation else { panic!("it buys") };
        let anchor_day = Some(CALENDAR.day_of_month(started_at));
        let mut bought = Resource { started_at, expires_at: Some(buying.expires_at), anchor_day, ..model };
        let mut boundaries = Vec::new();
        for _ in 0..renewals {
            boundaries.push(bought.expires_at.unwrap());
            bought.expires_at = Some(extended(&[], started_at, &bought, renew(None)).expires_at);
        }
        let occurrences = timeline(&[], started_at, &[bought]);
        let refills = occurrences.iter().filter(|one| one.action == Action::Refill).map(|one| one.at).collect::<Vec<_>>();
        prop_assert_eq!(refills, boundaries);
    }

    #[test]
    fn a_refund_is_never_more_than_was_paid_and_never_grows(
        starts_at in instants(), days in 1..400i64, paid in 0..10_000_000_000_000i64, fee in 0..=100i64, site in prop_oneof![Just("cn"), Just("intl")],
    ) {
        let ends_at = starts_at + days * DAY;
        let order = Order { member: 0, starts_at, ends_at, paid, paid_at: starts_at, kind: OrderKind::Purchase, reduces: None };
        let fee = fee.to_string();
        let resource = Resource { expires_at: Some(ends_at), ..with("ecs", None, ends_at, OnExpiry::Lapse) };
        let mut before = paid;
        for hours in (-5..days * 24).step_by(7).chain([days * 24]) {
            let asked = Command::Unsubscribe(Scope::Everything);
            let settings = [("site", site), ("handling_fee_percent", fee.as_str())];
            let plan = command(&settings, starts_at + hours * 3600, std::slice::from_ref(&resource), 0, asked, &[order]).unwrap();
            let Operation::EndSubscription(ending) = &plan.steps[0].operation else { panic!("it ends") };
            let amount = ending.refunds[0].amount;
            prop_assert!((0..=before).contains(&amount), "{} after {}", amount, before);
            before = amount;
        }
        prop_assert_eq!(before, 0);
    }
}
