//! What a reading proves, by expiries, orders and time, as one table.

use expect_test::expect;

use crate::bundle::OnExpiry;
use crate::connected::advance::advance;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::protocol::State;
use crate::connected::read_back::OrderView;
use crate::connected::read_back::ReadBack;
use crate::connected::read_back::confirmed;
use crate::connected::read_back::signal_of;
use crate::connected::record::CallRecord;
use crate::connected::record::Extension;
use crate::connected::schedule::Schedule;
use crate::connector::Change;
use crate::plan::AutoRenewal;
use crate::plan::Scope;
use crate::sample::at;
use crate::sample::money;
use crate::sample::months;
use crate::timestamp::Timestamp;

/// A cloud that lists no orders and remembers tokens for a day.
const TOKEN: OrderView = OrderView::Unlisted { token_seconds: 86_400 };

/// A renewal of a server with a disk that was called at midnight and is in doubt.
fn renewal() -> CallRecord {
    called(Signal::LoseResponse)
}

/// The same, and what became of the call.
fn called(then: Signal) -> CallRecord {
    let extension = |resource: &str| Extension {
        resource: resource.to_owned(),
        expires_before: at("2026-03-10"),
        expires_planned: at("2026-04-10"),
        cost: money("30"),
    };
    let mut renewal = CallRecord::new(
        vec![extension("ecs-1"), extension("disk-1")],
        months(1),
        at("2026-03-10"),
        at("2026-03-03"),
    );
    for signal in [Signal::Reserve, Signal::Read(Reading::Before), then] {
        advance(&mut renewal, signal, at("2026-03-03"), &Schedule::DEFAULT).unwrap();
    }
    renewal
}

fn expiry(word: &str) -> Option<Timestamp> {
    match word {
        "before" => Some(at("2026-03-10")),
        "planned" => Some(at("2026-04-10")),
        "other" => Some(at("2026-05-10")),
        _ => None,
    }
}

#[test]
fn what_a_reading_proves_of_a_renewal_in_doubt() {
    let orders = [
        OrderView::Unknown,
        TOKEN,
        OrderView::Absent,
        OrderView::Unpaid,
        OrderView::Paid,
        OrderView::Completed,
        OrderView::Cancelled { is_own: false },
        OrderView::Cancelled { is_own: true },
    ];
    let mut table = String::new();
    for (server, disk) in [
        ("before", "before"),
        ("planned", "planned"),
        ("planned", "before"),
        ("before", "planned"),
        ("other", "before"),
        ("planned", "gone"),
    ] {
        for view in orders {
            let signal = |seconds: i64| {
                let read = ReadBack {
                    at: at("2026-03-03") + seconds,
                    expiries: vec![expiry(server), expiry(disk)],
                    on_expiry: Vec::new(),
                    orders: view,
                };
                format!("{:?}", signal_of(&renewal(), &read, &Schedule::DEFAULT))
            };
            let view = format!("{view:?}");
            table += &format!("{server:<8}{disk:<8}{view:<34}{:<22}{}\n", signal(3_599), signal(3_600));
        }
    }
    expect![[r#"
        before  before  Unknown                           Read(Before)          Read(Before)
        before  before  Unlisted { token_seconds: 86400 } Read(Before)          Read(Unmoved)
        before  before  Absent                            Read(Before)          Read(Untouched)
        before  before  Unpaid                            FindOrder(Unpaid)     FindOrder(Unpaid)
        before  before  Paid                              FindOrder(Paid)       FindOrder(Paid)
        before  before  Completed                         FindOrder(Paid)       FindOrder(Paid)
        before  before  Cancelled { is_own: false }       Read(Before)          FindOrder(Cancelled)
        before  before  Cancelled { is_own: true }        FindOrder(Cancelled)  FindOrder(Cancelled)
        planned planned Unknown                           Read(Planned)         Read(Planned)
        planned planned Unlisted { token_seconds: 86400 } Read(Planned)         Read(Planned)
        planned planned Absent                            Read(Planned)         Read(Planned)
        planned planned Unpaid                            Read(Planned)         Read(Planned)
        planned planned Paid                              Read(Planned)         Read(Planned)
        planned planned Completed                         Read(Planned)         Read(Planned)
        planned planned Cancelled { is_own: false }       Read(Planned)         Read(Planned)
        planned planned Cancelled { is_own: true }        Read(Planned)         Read(Planned)
        planned before  Unknown                           Read(Partial)         Read(Partial)
        planned before  Unlisted { token_seconds: 86400 } Read(Partial)         Read(Partial)
        planned before  Absent                            Read(Partial)         Read(PartialForGood)
        planned before  Unpaid                            Read(Partial)         Read(Partial)
        planned before  Paid                              Read(Partial)         Read(Partial)
        planned before  Completed                         Read(Partial)         Read(PartialForGood)
        planned before  Cancelled { is_own: false }       Read(Partial)         Read(PartialForGood)
        planned before  Cancelled { is_own: true }        Read(Partial)         Read(PartialForGood)
        before  planned Unknown                           Read(Before)          Read(Elsewhere)
        before  planned Unlisted { token_seconds: 86400 } Read(Before)          Read(Elsewhere)
        before  planned Absent                            Read(Before)          Read(Elsewhere)
        before  planned Unpaid                            Read(Before)          Read(Elsewhere)
        before  planned Paid                              Read(Before)          Read(Elsewhere)
        before  planned Completed                         Read(Before)          Read(Elsewhere)
        before  planned Cancelled { is_own: false }       Read(Before)          Read(Elsewhere)
        before  planned Cancelled { is_own: true }        Read(Before)          Read(Elsewhere)
        other   before  Unknown                           Read(Elsewhere)       Read(Elsewhere)
        other   before  Unlisted { token_seconds: 86400 } Read(Elsewhere)       Read(Elsewhere)
        other   before  Absent                            Read(Elsewhere)       Read(Elsewhere)
        other   before  Unpaid                            Read(Elsewhere)       Read(Elsewhere)
        other   before  Paid                              Read(Elsewhere)       Read(Elsewhere)
        other   before  Completed                         Read(Elsewhere)       Read(Elsewhere)
        other   before  Cancelled { is_own: false }       Read(Elsewhere)       Read(Elsewhere)
        other   before  Cancelled { is_own: true }        Read(Elsewhere)       Read(Elsewhere)
        planned gone    Unknown                           Read(Gone)            Read(Gone)
        planned gone    Unlisted { token_seconds: 86400 } Read(Gone)            Read(Gone)
        planned gone    Absent                            Read(Gone)            Read(Gone)
        planned gone    Unpaid                            Read(Gone)            Read(Gone)
        planned gone    Paid                              Read(Gone)            Read(Gone)
        planned gone    Completed                         Read(Gone)            Read(Gone)
        planned gone    Cancelled { is_own: false }       Read(Gone)            Read(Gone)
        planned gone    Cancelled { is_own: true }        Read(Gone)            Read(Gone)
    "#]]
    .assert_eq(&table);
}

#[test]
fn an_order_that_was_given_up_keeps_nothing_from_being_tried_again() {
    let mut renewal = renewal();
    let cancelled = OrderView::Cancelled { is_own: false };
    let read =
        |at| ReadBack { at, expiries: vec![expiry("before"); 2], on_expiry: Vec::new(), orders: cancelled };
    let later = at("2026-03-04");
    let signal = signal_of(&renewal, &read(later), &Schedule::DEFAULT);
    for signal in [signal, Signal::Retry, Signal::Reserve] {
        advance(&mut renewal, signal, later, &Schedule::DEFAULT).unwrap();
    }
    assert_eq!(signal_of(&renewal, &read(later + 60), &Schedule::DEFAULT), Signal::Read(Reading::Before));
}

/// What a reading of the old expiry so many seconds after `at` says to a renewal.
fn unmoved(renewal: &CallRecord, at: Timestamp, seconds: i64) -> Signal {
    let read = ReadBack {
        at: at + seconds,
        expiries: vec![expiry("before"); 2],
        on_expiry: Vec::new(),
        orders: TOKEN,
    };
    signal_of(renewal, &read, &Schedule::DEFAULT)
}

#[test]
fn the_same_call_leaves_again_only_while_the_cloud_knows_its_token() {
    let first = at("2026-03-03");
    let mut renewal = renewal();
    let token = renewal.call_identity();
    // Each call is lost, and so is the next one, for a day.
    for hour in 1..23 {
        let now = first + hour * 3_600;
        let signal = unmoved(&renewal, now, 0);
        assert_eq!(signal, Signal::Read(Reading::Unmoved), "hour {hour}");
        for signal in [signal, unmoved(&renewal, now, 0), Signal::LoseResponse] {
            advance(&mut renewal, signal, now, &Schedule::DEFAULT).unwrap();
        }
        assert_eq!((renewal.token_since, renewal.called_at), (Some(first), Some(now)));
    }
    assert_eq!(renewal.call_identity(), token);
    // A call that left now may be under way for an hour, and the cloud may have forgotten the first one by then.
    let last = first + 23 * 3_600;
    assert_eq!(unmoved(&renewal, last, -1), Signal::Read(Reading::Before));
    assert_eq!(unmoved(&renewal, last, 0), Signal::Escalate);
    let mut waiting = renewal.clone();
    advance(&mut waiting, Signal::Read(Reading::Unmoved), last, &Schedule::DEFAULT).unwrap();
    assert_eq!(unmoved(&waiting, last, -1), Signal::Read(Reading::Before), "it may leave");
    assert_eq!(unmoved(&waiting, last, 0), Signal::Escalate, "it waited for too long");
    waiting.deadline = last - 1;
    assert_eq!(unmoved(&waiting, last, -1), Signal::Escalate, "the cloud takes it no more");
    // A person has looked, and answers for it.
    for signal in [Signal::Escalate, Signal::SayNotApplied, Signal::Retry, Signal::Reserve] {
        advance(&mut renewal, signal, last, &Schedule::DEFAULT).unwrap();
    }
    assert_eq!(unmoved(&renewal, last, 0), Signal::Read(Reading::Unmoved));
}

#[test]
fn what_shows_before_the_same_call_leaves_again_was_the_first_one() {
    let now = at("2026-03-03T01:00:00");
    for (shown, expected) in [
        (["planned", "planned"], State::Settled),
        (["planned", "before"], State::Submitted),
        (["before", "before"], State::Calling),
        (["other", "before"], State::WithPerson),
    ] {
        let mut renewal = renewal();
        advance(&mut renewal, Signal::Read(Reading::Unmoved), now, &Schedule::DEFAULT).unwrap();
        let expiries = shown.map(expiry).to_vec();
        let read = ReadBack { at: now, expiries, on_expiry: Vec::new(), orders: TOKEN };
        let signal = signal_of(&renewal, &read, &Schedule::DEFAULT);
        advance(&mut renewal, signal, now, &Schedule::DEFAULT).unwrap();
        assert_eq!(renewal.state, expected, "{shown:?}");
    }
    // Nor is it given up, whoever does: a person has to look at what was sent.
    let mut renewal = renewal();
    for signal in [Signal::Read(Reading::Unmoved), Signal::Cancel] {
        advance(&mut renewal, signal, now, &Schedule::DEFAULT).unwrap();
    }
    assert_eq!(renewal.state, State::WithPerson);
}

#[test]
fn an_expiry_from_before_an_earlier_renewal_proves_nothing() {
    let read = ReadBack {
        at: at("2026-03-03") + 3_600,
        expiries: vec![Some(at("2026-02-10")), expiry("before")],
        on_expiry: Vec::new(),
        orders: TOKEN,
    };
    let signal = |record: &CallRecord| signal_of(record, &read, &Schedule::DEFAULT);
    assert_eq!(signal(&renewal()), Signal::Read(Reading::Before));
    assert_eq!(signal(&called(Signal::Accept)), Signal::Read(Reading::Before));
    let waiting = called(Signal::FailToConnect);
    assert_eq!(signal(&waiting), Signal::Read(Reading::Elsewhere), "nor does it lead to a call");
}

#[test]
fn an_accepted_call_that_shows_nothing_is_for_a_person() {
    let record = called(Signal::Accept);
    for (seconds, expected) in
        [(3_599, Reading::Before), (3_600, Reading::Unmoved), (90_000, Reading::Unmoved)]
    {
        assert_eq!(unmoved(&record, at("2026-03-03"), seconds), Signal::Read(expected), "{seconds}");
    }
}

#[test]
fn a_partial_renewal_confirms_what_has_moved() {
    let read = ReadBack {
        at: at("2026-03-03"),
        expiries: vec![expiry("planned"), expiry("before")],
        on_expiry: Vec::new(),
        orders: OrderView::Absent,
    };
    let renewal = renewal();
    let confirmed =
        confirmed(&renewal, &read).into_iter().map(|one| one.resource.as_str()).collect::<Vec<_>>();
    assert_eq!(confirmed, ["ecs-1"]);
}

#[test]
fn a_short_answer_is_taken_for_a_resource_that_is_gone() {
    let read = ReadBack {
        at: at("2026-03-03"),
        expiries: vec![expiry("planned")],
        on_expiry: Vec::new(),
        orders: OrderView::Absent,
    };
    assert_eq!(signal_of(&renewal(), &read, &Schedule::DEFAULT), Signal::Read(Reading::Gone));
}

/// A command on the server and its disk that was called at midnight, and what became of it.
fn command(change: &Change, then: Signal) -> CallRecord {
    let extensions = renewal().extensions.into_iter();
    let extensions =
        extensions.map(|one| Extension { expires_planned: one.expires_before, cost: money("0"), ..one });
    let mut record =
        CallRecord::of_change(extensions.collect(), change.clone(), at("2026-03-04"), at("2026-03-03"));
    for signal in [Signal::Reserve, Signal::Read(Reading::Before), then] {
        advance(&mut record, signal, at("2026-03-03"), &Schedule::DEFAULT).unwrap();
    }
    record
}

#[test]
fn what_a_reading_proves_of_a_command() {
    let auto_renewal = AutoRenewal { term: None, renewals: None };
    let changes = [
        Change::SetAutoRenew(auto_renewal),
        Change::CancelAutoRenew,
        Change::ConvertOnExpiry,
        Change::CancelConversion,
        Change::Unsubscribe(Scope::All),
    ];
    let shown = [
        ("lapse", Some(OnExpiry::Lapse), "before"),
        ("renew", Some(OnExpiry::Renew), "before"),
        ("convert", Some(OnExpiry::Convert), "before"),
        ("unsaid", None, "before"),
        ("gone", None, "gone"),
        ("moved", Some(OnExpiry::Lapse), "planned"),
    ];
    let mut table = String::new();
    for change in &changes {
        for (name, on_expiry, expires) in shown {
            let read = |seconds| ReadBack {
                at: at("2026-03-03") + seconds,
                expiries: vec![expiry(expires); 2],
                on_expiry: vec![on_expiry; 2],
                orders: OrderView::Unknown,
            };
            let signal = |then, seconds| {
                let signal = signal_of(&command(change, then), &read(seconds), &Schedule::DEFAULT);
                if let Signal::Read(reading) = signal {
                    format!("{reading:?}")
                } else {
                    format!("{signal:?}")
                }
            };
            let (lost, accepted) = (Signal::LoseResponse, Signal::Accept);
            table += &format!(
                "{:<19}{name:<9}{:<12}{:<12}{}\n",
                change.mutation().name(),
                signal(accepted, 5),
                signal(lost, 5),
                signal(lost, 7_200)
            );
        }
    }
    expect![[r#"
        set_auto_renew     lapse    Before      Before      Untouched
        set_auto_renew     renew    Planned     Before      Planned
        set_auto_renew     convert  Before      Before      Untouched
        set_auto_renew     unsaid   Before      Before      Before
        set_auto_renew     gone     Gone        Gone        Gone
        set_auto_renew     moved    Before      Before      Untouched
        cancel_auto_renew  lapse    Planned     Before      Planned
        cancel_auto_renew  renew    Before      Before      Untouched
        cancel_auto_renew  convert  Planned     Before      Untouched
        cancel_auto_renew  unsaid   Before      Before      Before
        cancel_auto_renew  gone     Gone        Gone        Gone
        cancel_auto_renew  moved    Planned     Before      Planned
        convert_on_expiry  lapse    Before      Before      Untouched
        convert_on_expiry  renew    Before      Before      Untouched
        convert_on_expiry  convert  Planned     Before      Planned
        convert_on_expiry  unsaid   Before      Before      Before
        convert_on_expiry  gone     Gone        Gone        Gone
        convert_on_expiry  moved    Before      Before      Untouched
        cancel_conversion  lapse    Planned     Before      Planned
        cancel_conversion  renew    Planned     Before      Untouched
        cancel_conversion  convert  Before      Before      Untouched
        cancel_conversion  unsaid   Before      Before      Before
        cancel_conversion  gone     Gone        Gone        Gone
        cancel_conversion  moved    Planned     Before      Planned
        unsubscribe        lapse    Before      Before      Before
        unsubscribe        renew    Before      Before      Before
        unsubscribe        convert  Before      Before      Before
        unsubscribe        unsaid   Before      Before      Before
        unsubscribe        gone     Planned     Planned     Planned
        unsubscribe        moved    Elsewhere   Elsewhere   Elsewhere
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_command_on_something_that_shows_half_of_it_is_partial() {
    let record = command(&Change::CancelAutoRenew, Signal::Accept);
    let read = |seconds: i64, shown: [OnExpiry; 2]| ReadBack {
        at: at("2026-03-03") + seconds,
        expiries: vec![expiry("before"); 2],
        on_expiry: shown.map(Some).to_vec(),
        orders: OrderView::Unknown,
    };
    let signal = |read: &ReadBack| signal_of(&record, read, &Schedule::DEFAULT);
    let half = [OnExpiry::Lapse, OnExpiry::Renew];
    assert_eq!(signal(&read(5, half)), Signal::Read(Reading::Partial));
    assert_eq!(signal(&read(7_199, half)), Signal::Read(Reading::Partial));
    assert_eq!(signal(&read(7_200, half)), Signal::Read(Reading::PartialForGood));
    assert_eq!(confirmed(&record, &read(7_200, half)).len(), 1);
    let attached_first = [OnExpiry::Renew, OnExpiry::Lapse];
    assert_eq!(signal(&read(5, attached_first)), Signal::Read(Reading::Before));
}
