//! What orders come to, and tokens.

use perennial_domain::connected::protocol::Reading;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::read_back::OrderView;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connector::CloudOrder;
use perennial_domain::connector::CloudOrderState;
use perennial_domain::connector::Outcome;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use crate::connected::Response;
use crate::connected::translation::OrderList;
use crate::connected::translation::client_token;
use crate::connected::translation::read_back_of;
use crate::connected::translation::response_of;

/// A renewal of `ecs-1` that was called at 100,000 seconds.
fn called() -> CallRecord {
    let at = Timestamp::from_second(100_000);
    let extension = Extension {
        resource: "ecs-1".to_owned(),
        expires_before: at + 1_000_000,
        expires_planned: at + 2_000_000,
        cost: Micros::new(1),
    };
    let term = Term::new(1, TermUnit::Month).unwrap();
    let mut renewal = CallRecord::new(vec![extension], term, at + 1_000_000, at);
    for signal in [Signal::Reserve, Signal::Read(Reading::Before)] {
        perennial_domain::connected::advance::advance(&mut renewal, signal, at, &Schedule::DEFAULT).unwrap();
    }
    renewal
}

fn order(state: CloudOrderState, second: Option<i64>) -> CloudOrder {
    CloudOrder {
        id: "o".to_owned(),
        state,
        kind: Some(OrderKind::Renewal),
        created_at: second.map(Timestamp::from_second),
        resources: vec!["ecs-1".to_owned()],
        amount: None,
        currency: None,
        is_automatic: false,
    }
}

fn view(orders: &[CloudOrder]) -> OrderView {
    read_back_of(&called(), &[], OrderList::Listed(orders), Timestamp::from_second(200_000)).orders
}

#[test]
fn what_no_reading_shows_is_believed_once_it_is_said_to_be_done() {
    let (done, taken) = (Outcome::Applied(Vec::new()), Outcome::Submitted(Vec::new()));
    assert_eq!(
        (response_of(&done, true), response_of(&done, false)),
        (Response::Accepted, Response::Completed)
    );
    assert_eq!(
        (response_of(&taken, true), response_of(&taken, false)),
        (Response::Accepted, Response::Accepted)
    );
    let lost = Outcome::InDoubt("no response".to_owned());
    assert_eq!(response_of(&lost, false), Response::Unproven);
}

#[test]
fn orders_since_the_call_and_open_ones_count_and_others_do_not() {
    use CloudOrderState::Cancelled;
    use CloudOrderState::Completed;
    use CloudOrderState::InProgress;
    use CloudOrderState::Unpaid;
    assert_eq!(view(&[]), OrderView::Absent);
    assert_eq!(view(&[order(Completed, Some(50_000))]), OrderView::Absent, "an earlier renewal");
    assert_eq!(view(&[order(Unpaid, Some(50_000))]), OrderView::Unpaid, "it forbids the renewal");
    assert_eq!(view(&[order(Completed, Some(99_500))]), OrderView::Completed, "the cloud's clock is behind");
    assert_eq!(view(&[order(Completed, None)]), OrderView::Completed, "it may be this one");
    let all = [order(Cancelled, None), order(Completed, None), order(InProgress, None), order(Unpaid, None)];
    let views = [1, 2, 3, 4].map(|count| view(&all[..count]));
    let cancelled = OrderView::Cancelled { is_own: false };
    assert_eq!(views, [cancelled, OrderView::Completed, OrderView::Paid, OrderView::Unpaid]);
    let other = CloudOrder { resources: vec!["ecs-2".to_owned()], ..order(Unpaid, None) };
    assert_eq!(view(&[other]), OrderView::Absent);
    let upgrade = CloudOrder { kind: Some(OrderKind::Upgrade), ..order(Completed, None) };
    assert_eq!(view(&[upgrade]), OrderView::Absent);
    let silent = CloudOrder { resources: Vec::new(), ..order(Completed, None) };
    assert_eq!(view(&[silent]), OrderView::Completed);
}

#[test]
fn only_a_cloud_without_orders_that_takes_the_token_is_asked_by_it() {
    let read = |orders| read_back_of(&called(), &[], orders, Timestamp::from_second(200_000)).orders;
    let token_seconds = 86_400;
    assert_eq!(
        read(OrderList::Unlisted { token_seconds: Some(token_seconds) }),
        OrderView::Unlisted { token_seconds }
    );
    assert_eq!(read(OrderList::Unlisted { token_seconds: None }), OrderView::Unknown);
    assert_eq!(read(OrderList::Unread), OrderView::Unknown, "the token proves nothing of a list");
}

#[test]
fn a_token_has_sixty_four_digits_and_changes_with_a_proof_only() {
    let mut renewal = called();
    let token = client_token(&renewal.call_identity());
    assert_eq!(token.len(), 64);
    renewal.queries += 1;
    assert_eq!(client_token(&renewal.call_identity()), token);
    renewal.declines += 1;
    assert_ne!(client_token(&renewal.call_identity()), token);
}

#[test]
fn an_order_that_names_no_resource_proves_nothing_before_a_call() {
    let planned = CallRecord { called_at: None, ..called() };
    let silent = CloudOrder { resources: Vec::new(), ..order(CloudOrderState::InProgress, None) };
    let read = |renewal: &CallRecord| {
        let orders = OrderList::Listed(std::slice::from_ref(&silent));
        read_back_of(renewal, &[], orders, Timestamp::from_second(200_000)).orders
    };
    assert_eq!(read(&planned), OrderView::Absent, "it may be anybody's");
    assert_eq!(read(&called()), OrderView::Paid, "it may be this one");
}
