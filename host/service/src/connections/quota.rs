//! Token buckets: how many calls an account may send to an API, by the quota that the provider publishes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use perennial_domain::connector::Api;
use perennial_domain::connector::ApiIndex;

/// An account, and an API of its provider.
type BucketKey = (String, usize);

/// The buckets of every account.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<BTreeMap<BucketKey, Bucket>>);

/// When the calls so far would have been sent one by one at an even pace.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    paid_until: Instant,
}

impl Buckets {
    /// Takes a call out of an account's bucket; returns how long to wait before it may be sent.
    pub(crate) fn take(&self, account: &str, index: ApiIndex, api: &Api, now: Instant) -> Duration {
        let span = Duration::from_secs(u64::from(api.seconds));
        let each = span / api.calls.max(1);
        let mut buckets = self.0.lock().expect("no holder of the buckets panics");
        let bucket = buckets.entry((account.to_owned(), index.get())).or_insert(Bucket { paid_until: now });
        // A burst of the whole quota may be sent at once; what was not used for a span is not saved up.
        let paid_until = bucket.paid_until.max(now) + each;
        bucket.paid_until = paid_until;
        paid_until.saturating_duration_since(now + span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_has_more_calls_than_the_quota_twice() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let api = Api { name: "orders".to_owned(), calls: 10, seconds: 1 };
        let index = ApiIndex::new(0);
        let waits = (0..30).map(|_| buckets.take("acme", index, &api, start)).collect::<Vec<_>>();
        assert!(waits[..10].iter().all(Duration::is_zero));
        assert_eq!(waits[10], Duration::from_millis(100));
        assert_eq!(waits[29], Duration::from_secs(2));
        assert!(buckets.take("globex", index, &api, start).is_zero(), "each account has its own");
        assert!(buckets.take("acme", ApiIndex::new(1), &api, start).is_zero(), "and each API");
        assert!(buckets.take("acme", index, &api, start + Duration::from_secs(9)).is_zero());
    }
}
