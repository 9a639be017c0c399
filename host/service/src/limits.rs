//! The limits of the host, and how it sends webhooks.

use std::path::PathBuf;

use perennial_domain::answer_limits::WAKES_PER_HOUR_MAX;
use perennial_engine::housekeeping::DECISION_DAYS;
use perennial_formats::body_limits::BodyLimits;
use perennial_store::quotas::PolicyUsage;

/// A limit of the configuration: its name and its bounds, and how it is read and set.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The key below `[limits]`.
    pub name: &'static str,
    /// The least that may be configured.
    pub least: u32,
    /// The most that may be configured.
    pub most: u32,
    /// Returns the limit's value.
    pub get: fn(&Limits) -> u64,
    /// Sets it to a number within its bounds.
    pub set: fn(&mut Limits, u32),
}

/// A whole number that a limit may be.
trait Whole: Copy {
    fn of(number: u32) -> Self;
    fn to_u64(self) -> u64;
}

macro_rules! whole {
    ($($number:ty),*) => {
        $(impl Whole for $number {
            fn of(number: u32) -> $number {
                number.try_into().unwrap_or(<$number>::MAX)
            }

            fn to_u64(self) -> u64 {
                self.try_into().unwrap_or(u64::MAX)
            }
        })*
    };
}

whole!(u32, u64, i64, usize);

/// The one list of limits: from each line come the field, its default, its key in the configuration and its bounds.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $number:ty = $default:expr, $least:literal..=$most:expr;)*) => {
        /// The limits of requests and of the host.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])* pub $name: $number,)*
        }

        impl Limits {
            /// The limits without configuration.
            pub const DEFAULT: Limits = Limits { $($name: $default,)* };
            /// The names of all of them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];
            /// Every limit, in the order of the configuration.
            pub const ALL: &'static [Limit] = &[$(Limit {
                name: stringify!($name),
                least: $least,
                most: $most,
                get: |limits| Whole::to_u64(limits.$name),
                set: |limits, number| limits.$name = Whole::of(number),
            },)*];
        }
    };
}

limits! {
    /// The largest body, in bytes.
    body_bytes_max: usize = 16 * 1024 * 1024, 1024..=u32::MAX;
    /// The longest text in a body, in bytes.
    body_text_bytes_max: usize = BodyLimits::DEFAULT.text_bytes_max, 64..=16_777_216;
    /// The longest name of a field in a body, in bytes.
    body_name_bytes_max: usize = BodyLimits::DEFAULT.name_bytes_max, 64..=65_536;
    /// The most fields of an object in a body.
    body_fields_max: usize = BodyLimits::DEFAULT.fields_max, 32..=1_000_000;
    /// The longest request, in seconds.
    request_seconds: u64 = 30, 1..=3600;
    /// The longest time until the head of a request has come, a TLS handshake included, in seconds.
    head_seconds: u64 = 10, 1..=3600;
    /// The longest time until the body of a request has come, in seconds.
    body_seconds: u64 = 20, 1..=3600;
    /// The longest time for which a client takes nothing of a response, in seconds.
    stall_seconds: u64 = 10, 1..=3600;
    /// The longest time that a client takes over one response, in seconds.
    response_seconds: u64 = 60, 1..=86_400;
    /// The longest forecast, in seconds. It simulates months over a copy of the database.
    forecast_seconds: u64 = 300, 1..=86_400;
    /// The most requests in flight, for each listener.
    concurrency_max: usize = 512, 1..=100_000;
    /// The most requests of one token in flight.
    concurrency_per_token_max: usize = 64, 1..=100_000;
    /// The most open connections, for each listener.
    connections_max: usize = 2048, 1..=1_000_000;
    /// The most open connections of one address, for each listener.
    connections_per_address_max: usize = 512, 1..=1_000_000;
    /// The most requests of one address to a provider's own API whose bodies are still to come.
    unproved_per_address_max: usize = 64, 1..=100_000;
    /// The most that the clock may lag behind while the host is ready, in seconds.
    lag_seconds_max: i64 = 60, 1..=86_400;
    /// The most jobs of one person that are kept, ended ones included.
    jobs_per_person_max: i64 = 1_000, 1..=1_000_000;
    /// The most items of all kept jobs of one person.
    job_items_per_person_max: i64 = 200_000, 1..=100_000_000;
    /// The most responses that are kept under the idempotency keys of one token.
    responses_per_token_max: i64 = 100_000, 1..=100_000_000;
    /// The most webhooks of one person.
    webhooks_per_person_max: i64 = 50, 1..=100;
    /// The most channels of one person.
    channels_per_person_max: i64 = 50, 1..=100;
    /// The most calendars of one person.
    calendars_per_person_max: i64 = 100, 1..=100_000;
    /// The most tokens of one person that are not revoked.
    tokens_per_person_max: i64 = 1_000, 1..=100_000;
    /// The most keys of its provider's own API that are in force for one account.
    keys_per_account_max: i64 = 100, 1..=100_000;
    /// The most resources of one account that an import through the API leads to.
    resources_per_account_max: i64 = 200_000, 1..=100_000_000;
    /// The most policies that hold, shadow policies included.
    policies_max: i64 = 100, 1..=10_000;
    /// The most bytes of all their scripts and calendars.
    policy_bytes_max: i64 = 4 * 1024 * 1024, 1024..=1_073_741_824;
    /// The most instants within an hour at which a plugin may have something happen to a bundle, for each of its members.
    wakes_per_hour_max: usize = WAKES_PER_HOUR_MAX, 1..=3_600;
    /// The most forecasts at once, each of another person and, for bound tokens, of other accounts.
    forecasts_max: usize = 4, 1..=64;
    /// How many people it takes to raise or lift the approval limit of an account, and until a change of policies counts for
    /// what its author asks for: 1 or 2.
    limit_raise_people: usize = 2, 1..=2;
    /// How many days a decision is kept: what a plugin was asked and answered.
    decision_days: i64 = DECISION_DAYS, 1..=36_500;
    /// The number of reading threads, each with a connection.
    readers: usize = 4, 1..=256;
    /// The most bundles in one transaction.
    batch: u32 = 8192, 1..=1_000_000;
}

impl Limits {
    /// How much one value of a body may hold.
    pub const fn body_limits(&self) -> BodyLimits {
        BodyLimits {
            text_bytes_max: self.body_text_bytes_max,
            name_bytes_max: self.body_name_bytes_max,
            fields_max: self.body_fields_max,
        }
    }

    /// Why the policies that would hold are too much, in words; `None` when they are not.
    pub fn policy_problem(&self, usage: PolicyUsage) -> Option<String> {
        let policies = quota_problem("policies", usage.policies, self.policies_max)
            .map(|problem| format!("{problem}; remove some, or raise `limits.policies_max`"));
        let bytes = || {
            quota_problem("bytes of scripts and calendars", usage.bytes, self.policy_bytes_max)
                .map(|problem| format!("{problem}; remove some, or raise `limits.policy_bytes_max`"))
        };
        policies.or_else(bytes)
    }
}

/// Why there would be too many of something, in words; `None` when there would not.
pub fn quota_problem(what: &str, would_be: i64, most: i64) -> Option<String> {
    (would_be > most)
        .then(|| format!("there would be {would_be} {what}, and there may be {most}; nothing was done"))
}

/// How events are sent to webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether private addresses, any port and plain HTTP are allowed.
    pub allow_private: bool,
    /// A PEM file of root certificates to trust, beside those that browsers trust.
    pub certificates: Option<PathBuf>,
    /// The `source` of the CloudEvents, a URI; `None` is `urn:perennial`.
    pub source: Option<String>,
}

impl Webhooks {
    /// Without configuration: public addresses only.
    pub const DEFAULT: Webhooks = Webhooks { allow_private: false, certificates: None, source: None };

    /// The `source` of the CloudEvents, a URI.
    pub fn source(&self) -> &str {
        self.source.as_deref().unwrap_or("urn:perennial")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_set_by_its_name_within_its_bounds() {
        for limit in Limits::ALL {
            let default = (limit.get)(&Limits::DEFAULT);
            assert!((u64::from(limit.least)..=u64::from(limit.most)).contains(&default), "{}", limit.name);
            let mut limits = Limits::DEFAULT;
            (limit.set)(&mut limits, limit.most);
            assert_eq!((limit.get)(&limits), u64::from(limit.most), "{}", limit.name);
            let changed =
                Limits::ALL.iter().filter(|other| (other.get)(&limits) != (other.get)(&Limits::DEFAULT));
            assert!(changed.count() <= 1, "{} sets others, too", limit.name);
        }
    }
}
