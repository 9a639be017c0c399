//! The periods that orders paid for. Knows their bounds; knows no amounts and no rule of a provider's.

use crate::Order;
use crate::OrderKind;
use crate::Timestamp;

/// Whether the purchases and renewals among `orders`, which are of one resource, pay for all the time from `from` to
/// `until`: the periods that begin at `from` or later follow one another without a gap. Changes of specification pay for no
/// time of their own.
pub fn pay_for<'a>(orders: impl IntoIterator<Item = &'a Order>, from: Timestamp, until: Timestamp) -> bool {
    let pays = |order: &&Order| match order.kind {
        OrderKind::Purchase | OrderKind::Renewal => order.starts_at >= from,
        OrderKind::Upgrade | OrderKind::Downgrade => false,
    };
    let mut periods = orders.into_iter().filter(pays).collect::<Vec<_>>();
    periods.sort_by_key(|order| order.starts_at);
    let mut reached = from;
    for period in periods {
        if period.starts_at > reached {
            return false;
        }
        reached = reached.max(period.ends_at);
    }
    reached >= until
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::OrderKind;
    use crate::periods::pay_for;

    fn order(kind: OrderKind, starts_at: i64, ends_at: i64) -> Order {
        Order { member: 0, kind, starts_at, ends_at, paid: 1, paid_at: 0, reduces: None }
    }

    #[test]
    fn only_periods_without_a_gap_pay_for_time() {
        let (purchase, first) = (order(OrderKind::Purchase, 0, 10), order(OrderKind::Renewal, 10, 20));
        let (second, upgrade) = (order(OrderKind::Renewal, 30, 40), order(OrderKind::Upgrade, 20, 30));
        assert!(pay_for([&first, &purchase], 0, 20), "in any order");
        assert!(pay_for([&second, &purchase], 30, 40), "what is earlier does not count");
        assert!(!pay_for([&purchase, &first, &second], 0, 40), "with a gap");
        assert!(!pay_for([&purchase, &first, &upgrade, &second], 0, 40), "an upgrade fills none");
        assert!(!pay_for([&first, &upgrade], 10, 30), "nor does one reach further");
        assert!(!pay_for([], 0, 1));
    }
}
