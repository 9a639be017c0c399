//! Decides what a response means for a delivery and its webhook: delivered, retry at an instant, give up, or gone.
//!
//! Pure: the instant and the jitter are arguments.

use perennial_domain::timestamp::Timestamp;

/// The delay after each failed attempt, in seconds, without jitter: five seconds, five minutes, half an hour, then
/// hours. Ten attempts over a little more than three days, as Standard Webhooks suggests.
const BACKOFF_SECONDS: [i64; 9] =
    [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// The most jitter, as a divisor of the delay: a fifth. Deliveries that failed together are not retried together.
const JITTER_DIVISOR: i64 = 5;
/// The largest value of `jitter`.
pub(crate) const JITTER_MAX: u32 = 1000;
/// The longest `Retry-After` that is honoured, in seconds: a day.
const RETRY_AFTER_MAX: i64 = 86_400;
/// How long every attempt must fail before the webhook is disabled, in seconds: five days.
const DISABLE_AFTER: i64 = 5 * 86_400;

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The status of the response, and its `Retry-After` in seconds.
    Status(u16, Option<i64>),
    /// The reason why there was no response.
    NoResponse(String),
}

/// The decision on a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// The receiver accepted it.
    Delivered,
    /// It is retried at this instant.
    RetryAt(Timestamp),
    /// The last attempt failed.
    GiveUp,
    /// The receiver answered 410, so the webhook is disabled. The delivery waits until the webhook is enabled.
    Gone,
}

/// Decides on a delivery after its attempt number `attempts`, counted from 1, at `at`. `jitter` is from 0 to
/// `JITTER_MAX`.
pub fn decide(result: &DeliveryResult, attempts: u32, at: Timestamp, jitter: u32) -> RetryDecision {
    let retry_after = match result {
        DeliveryResult::Status(200..=299, _) => return RetryDecision::Delivered,
        DeliveryResult::Status(410, _) => return RetryDecision::Gone,
        DeliveryResult::Status(429 | 503, retry_after) => retry_after.unwrap_or(0).clamp(0, RETRY_AFTER_MAX),
        DeliveryResult::Status(..) | DeliveryResult::NoResponse(_) => 0,
    };
    let index = usize::try_from(attempts).unwrap_or(usize::MAX).saturating_sub(1);
    match BACKOFF_SECONDS.get(index) {
        Some(delay) => {
            let jitter = i64::from(jitter.min(JITTER_MAX));
            let jitter = delay * jitter / (JITTER_DIVISOR * i64::from(JITTER_MAX));
            RetryDecision::RetryAt(at + (delay + jitter).max(retry_after))
        }
        None => RetryDecision::GiveUp,
    }
}

/// Whether to disable a webhook whose attempts have all failed since `since`, when another fails at `at`.
pub(crate) fn should_disable(since: Timestamp, at: Timestamp) -> bool {
    at - since >= DISABLE_AFTER
}

/// The reason of a failed attempt, for people; `None` if it succeeded.
pub(crate) fn failure_reason(result: &DeliveryResult) -> Option<String> {
    match result {
        DeliveryResult::Status(200..=299, _) => None,
        DeliveryResult::Status(status @ 300..=399, _) => {
            Some(format!("it was answered with {status}; redirects are not followed"))
        }
        DeliveryResult::Status(status, _) => Some(format!("it was answered with {status}")),
        DeliveryResult::NoResponse(why) => Some(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    const AT: Timestamp = Timestamp::from_second(1_767_225_600);

    #[test]
    fn a_delivery_is_tried_ten_times_over_three_days() {
        let mut text = String::new();
        let (mut soonest, mut latest) = (AT, AT);
        for attempts in 1..=11 {
            let result = DeliveryResult::Status(500, None);
            let decisions =
                (decide(&result, attempts, soonest, 0), decide(&result, attempts, latest, JITTER_MAX));
            let (RetryDecision::RetryAt(first), RetryDecision::RetryAt(last)) = decisions else {
                text += &format!("{attempts}: {decisions:?}\n");
                continue;
            };
            text += &format!(
                "{attempts}: after {} to {} s, {} to {} s from the first try\n",
                first - soonest,
                last - latest,
                first - AT,
                last - AT
            );
            (soonest, latest) = (first, last);
        }
        expect![[r#"
            1: after 5 to 6 s, 5 to 6 s from the first try
            2: after 300 to 360 s, 305 to 366 s from the first try
            3: after 1800 to 2160 s, 2105 to 2526 s from the first try
            4: after 7200 to 8640 s, 9305 to 11166 s from the first try
            5: after 18000 to 21600 s, 27305 to 32766 s from the first try
            6: after 36000 to 43200 s, 63305 to 75966 s from the first try
            7: after 50400 to 60480 s, 113705 to 136446 s from the first try
            8: after 72000 to 86400 s, 185705 to 222846 s from the first try
            9: after 86400 to 103680 s, 272105 to 326526 s from the first try
            10: (GiveUp, GiveUp)
            11: (GiveUp, GiveUp)
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_status_decides_on_the_delivery() {
        let statuses = [
            200, 201, 204, 299, 300, 301, 302, 307, 400, 401, 404, 408, 409, 410, 413, 422, 429, 500, 502,
            503, 599,
        ];
        let lines = statuses.map(|status| {
            let result = DeliveryResult::Status(status, None);
            let decision = match decide(&result, 1, AT, 0) {
                RetryDecision::RetryAt(at) => format!("again after {} s", at - AT),
                decision @ (RetryDecision::Delivered | RetryDecision::GiveUp | RetryDecision::Gone) => {
                    format!("{decision:?}")
                }
            };
            format!("{status} {decision}: {}\n", failure_reason(&result).unwrap_or_default())
        });
        expect![[r#"
            200 Delivered: 
            201 Delivered: 
            204 Delivered: 
            299 Delivered: 
            300 again after 5 s: it was answered with 300; redirects are not followed
            301 again after 5 s: it was answered with 301; redirects are not followed
            302 again after 5 s: it was answered with 302; redirects are not followed
            307 again after 5 s: it was answered with 307; redirects are not followed
            400 again after 5 s: it was answered with 400
            401 again after 5 s: it was answered with 401
            404 again after 5 s: it was answered with 404
            408 again after 5 s: it was answered with 408
            409 again after 5 s: it was answered with 409
            410 Gone: it was answered with 410
            413 again after 5 s: it was answered with 413
            422 again after 5 s: it was answered with 422
            429 again after 5 s: it was answered with 429
            500 again after 5 s: it was answered with 500
            502 again after 5 s: it was answered with 502
            503 again after 5 s: it was answered with 503
            599 again after 5 s: it was answered with 599
        "#]]
        .assert_eq(&lines.concat());
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_day_and_never_shortens_a_delay() {
        for (status, wish, wait) in [
            (503, None, 5),
            (503, Some(-1), 5),
            (503, Some(1), 5),
            (503, Some(3600), 3600),
            (429, Some(3600), 3600),
            (429, Some(i64::MAX), 86_400),
            (500, Some(3600), 5),
        ] {
            assert_eq!(
                decide(&DeliveryResult::Status(status, wish), 1, AT, 0),
                RetryDecision::RetryAt(AT + wait),
                "{status} {wish:?}"
            );
        }
        let last = decide(&DeliveryResult::Status(503, Some(60)), 10, AT, 0);
        assert_eq!(last, RetryDecision::GiveUp, "`Retry-After` adds no attempt");
    }

    #[test]
    fn a_webhook_is_disabled_after_five_days_of_failures() {
        assert!(!should_disable(AT, AT + 5 * 86_400 - 1));
        assert!(should_disable(AT, AT + 5 * 86_400));
    }

    proptest! {
        #[test]
        fn a_delay_is_its_backoff_or_up_to_a_fifth_longer(
            attempts in 1u32..=9, jitter in 0u32..=JITTER_MAX, why in ".{0,10}",
        ) {
            let wait = BACKOFF_SECONDS[usize::try_from(attempts - 1).unwrap()];
            let RetryDecision::RetryAt(next) = decide(&DeliveryResult::NoResponse(why), attempts, AT, jitter) else {
                return Err(TestCaseError::fail("it was given up"));
            };
            prop_assert!((wait..=wait + wait / 5).contains(&(next - AT)));
        }
    }
}
