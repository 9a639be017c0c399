//! The limits of the host, and how it sends webhooks.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use perennial_domain::answer_limits::WAKES_PER_HOUR_MAX;
use perennial_domain::plugin_failure::BackOff;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_engine::housekeeping::CLIENT_TOKENS_MAX;
use perennial_engine::housekeeping::DECISION_DAYS;
use perennial_engine::import_report::ImportReport;
use perennial_formats::body_limits::BodyLimits;
use perennial_store::quotas::PolicyUsage;
use perennial_store::quotas::RevisionUsage;

/// A limit of the configuration: its name and its bounds, and how it is read and set. It is shown by its key.
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
    /// Sets a limit that is a time, to milliseconds; of any other, changes nothing.
    pub set_milliseconds: fn(&mut Limits, u32),
    /// Whether it is a time, whose bounds are in seconds.
    pub is_time: bool,
}

impl Limit {
    /// The limit's value, for counting.
    pub fn value(self, limits: &Limits) -> usize {
        usize::try_from((self.get)(limits)).unwrap_or(usize::MAX)
    }

    /// Why there would be too many of something, in words; `None` when there would not.
    pub fn problem(self, limits: &Limits, what: &str, would_be: i64) -> Option<String> {
        let most = (self.get)(limits);
        let is_too_much = u64::try_from(would_be).is_ok_and(|would_be| would_be > most);
        is_too_much.then(|| {
            format!("there would be {would_be} {what}, and there may be {most}; nothing was done; have fewer, or raise {self}")
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`limits.{}`", self.name)
    }
}

/// A time in words, such as `20 seconds` or `50 ms`.
pub fn time_text(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} seconds", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

/// What a limit may be: a whole number, or a time of whole seconds.
trait Whole: Copy {
    const IS_TIME: bool = false;
    fn of(number: u32) -> Self;
    fn to_u64(self) -> u64;
    fn of_milliseconds(self, _: u32) -> Self {
        self
    }
}

impl Whole for Duration {
    const IS_TIME: bool = true;

    fn of(number: u32) -> Duration {
        Duration::from_secs(number.into())
    }

    fn to_u64(self) -> u64 {
        self.as_secs()
    }

    fn of_milliseconds(self, number: u32) -> Duration {
        Duration::from_millis(number.into())
    }
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
            pub const ALL: &'static [Limit] = &[$(Limit::$name(),)*];
        }

        impl Limit {
            $($(#[$doc])*
            pub const fn $name() -> Limit {
                Limit {
                    name: stringify!($name),
                    least: $least,
                    most: $most,
                    get: |limits| Whole::to_u64(limits.$name),
                    set: |limits, number| limits.$name = Whole::of(number),
                    set_milliseconds: |limits, number| {
                        limits.$name = Whole::of_milliseconds(limits.$name, number);
                    },
                    is_time: <$number as Whole>::IS_TIME,
                }
            })*
        }
    };
}

limits! {
    /// The largest body, in bytes.
    body_bytes_max: usize = 16 * 1024 * 1024, 1024..=u32::MAX;
    /// The largest body that installs a revision of a plugin, in bytes: a component of 64 MiB in base64, and the rest.
    revision_body_bytes_max: usize = 88 * 1024 * 1024, 1024..=u32::MAX;
    /// How many bytes of bodies above 64 KiB are on their way or being read at once; one person has half of that.
    bodies_bytes_max: usize = 512 * 1024 * 1024, 65_536..=u32::MAX;
    /// The longest text in a body, in bytes.
    body_text_bytes_max: usize = BodyLimits::DEFAULT.text_bytes_max, 64..=16_777_216;
    /// The longest name of a field in a body, in bytes.
    body_name_bytes_max: usize = BodyLimits::DEFAULT.name_bytes_max, 64..=65_536;
    /// The most fields of an object in a body.
    body_fields_max: usize = BodyLimits::DEFAULT.fields_max, 32..=1_000_000;
    /// The longest request, in seconds.
    request_seconds: Duration = Duration::from_secs(30), 1..=3600;
    /// The longest time until the head of a request has come, a TLS handshake included, in seconds.
    head_seconds: Duration = Duration::from_secs(10), 1..=3600;
    /// The longest head of a request, in bytes.
    head_bytes_max: usize = 64 * 1024, 8_192..=1_048_576;
    /// The most headers of a request.
    head_fields_max: usize = 100, 16..=10_000;
    /// The most connections that hold a head of more than 4 KiB that did not come at once, for each listener.
    long_heads_max: usize = 256, 1..=100_000;
    /// The most of those of one address.
    long_heads_per_address_max: usize = 64, 1..=100_000;
    /// The longest time until the body of a request has come, in seconds.
    body_seconds: Duration = Duration::from_secs(20), 1..=3600;
    /// The longest time for which a client takes nothing of a response, in seconds.
    stall_seconds: Duration = Duration::from_secs(10), 1..=3600;
    /// The longest time that a client takes over one response, in seconds.
    response_seconds: Duration = Duration::from_secs(60), 1..=86_400;
    /// The longest forecast, in seconds. It simulates months over a copy of the database.
    forecast_seconds: Duration = Duration::from_secs(300), 1..=86_400;
    /// The most requests in flight, for each listener.
    concurrency_max: usize = 512, 1..=100_000;
    /// The most requests of one token in flight.
    concurrency_per_token_max: usize = 64, 1..=100_000;
    /// The most requests of one person in flight, over all their tokens.
    concurrency_per_person_max: usize = 128, 1..=100_000;
    /// The most open connections, for each listener.
    connections_max: usize = 2048, 1..=1_000_000;
    /// The most open connections of one address, for each listener.
    connections_per_address_max: usize = 512, 1..=1_000_000;
    /// The most requests of one address that have proved nothing yet, whose bodies are still to come: to a provider's own
    /// API, or to sign in to the console.
    unproved_per_address_max: usize = 64, 1..=100_000;
    /// The most items of one page of a list. No fewer than the command line and the console ask for.
    page_items_max: u32 = 1_000, 1_000..=100_000;
    /// How long one look at the host answers `/readyz` and `/metrics`, in seconds.
    health_seconds: Duration = Duration::from_secs(1), 1..=60;
    /// The most that the clock may lag behind while the host is ready, in seconds.
    lag_seconds_max: i64 = 60, 1..=86_400;
    /// The most jobs of one person that are kept, ended ones included.
    jobs_per_person_max: i64 = 1_000, 1..=1_000_000;
    /// The most resources of one job.
    job_items_max: usize = 10_000, 1..=1_000_000;
    /// The most items of all kept jobs of one person.
    job_items_per_person_max: i64 = 200_000, 1..=100_000_000;
    /// The most jobs of one person that run.
    running_jobs_per_person_max: i64 = 8, 1..=1_000;
    /// The most responses that are kept under the idempotency keys of one token.
    responses_per_token_max: i64 = 100_000, 1..=100_000_000;
    /// The most webhooks of one person.
    webhooks_per_person_max: i64 = 50, 1..=10_000;
    /// The most channels of one person.
    channels_per_person_max: i64 = 50, 1..=10_000;
    /// The most webhooks of the host.
    webhooks_max: i64 = 100, 1..=10_000;
    /// The most channels of the host.
    channels_max: i64 = 100, 1..=10_000;
    /// The most refused requests that the audit log has of a minute: with a valid token, and without one.
    recorded_refusals_per_minute_max: u32 = 60, 1..=100_000;
    /// The largest body of a request to a provider's own API, in bytes.
    provider_body_bytes_max: u32 = 1 << 20, 1024..=16_777_216;
    /// The most calendars of one person.
    calendars_per_person_max: i64 = 100, 1..=100_000;
    /// The most tokens of one person that are not revoked.
    tokens_per_person_max: i64 = 1_000, 1..=100_000;
    /// The most keys of its provider's own API that are in force for one account.
    keys_per_account_max: i64 = 100, 1..=100_000;
    /// The most resources of one account that an import through the API leads to.
    resources_per_account_max: i64 = 200_000, 1..=100_000_000;
    /// The most tags that one resource may be given, those that it has included.
    tags_per_resource_max: usize = 256, 1..=10_000;
    /// The most attributes that one resource may be given, those that it has included.
    attributes_per_resource_max: usize = 256, 1..=10_000;
    /// The most client tokens of the providers' own APIs that are remembered for one account.
    client_tokens_per_account_max: i64 = CLIENT_TOKENS_MAX, 1..=100_000_000;
    /// The most policies that hold, shadow policies included.
    policies_max: i64 = 100, 1..=10_000;
    /// The most bytes of all their scripts and calendars.
    policy_bytes_max: i64 = 4 * 1024 * 1024, 1024..=1_073_741_824;
    /// The most instants within an hour at which a plugin may have something happen to a bundle, for each of its members.
    wakes_per_hour_max: usize = WAKES_PER_HOUR_MAX, 1..=3_600;
    /// How long a bundle rests after its plugin failed over it, in seconds; twice as long each time ...
    plugin_retry_seconds: i64 = FailureLimits::DEFAULT.retry.first_seconds, 1..=86_400;
    /// ... up to this.
    plugin_retry_seconds_max: i64 = FailureLimits::DEFAULT.retry.most_seconds, 1..=604_800;
    /// How many times in a row a plugin fails over a bundle that it is asked about alone until the bundle is parked.
    plugin_park_failures: u32 = FailureLimits::DEFAULT.park_failures, 1..=1_000;
    /// How many bundles a plugin's revision fails over one after the other until its breaker opens.
    plugin_breaker_bundles: u32 = FailureLimits::DEFAULT.breaker_bundles, 1..=1_000_000;
    /// How long a revision is not asked once its breaker is open, in seconds; twice as long each time ...
    plugin_breaker_seconds: i64 = FailureLimits::DEFAULT.breaker.first_seconds, 1..=86_400;
    /// ... up to this.
    plugin_breaker_seconds_max: i64 = FailureLimits::DEFAULT.breaker.most_seconds, 1..=604_800;
    /// The most revisions of plugins that are kept, those that the host loads among them.
    revisions_max: i64 = 1_000, 1..=1_000_000;
    /// The most bytes of all their components and tables.
    revision_bytes_max: i64 = 1024 * 1024 * 1024, 1_048_576..=u32::MAX;
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

    /// What follows from failures of plugins.
    pub const fn failure_limits(&self) -> FailureLimits {
        FailureLimits {
            retry: BackOff {
                first_seconds: self.plugin_retry_seconds,
                most_seconds: self.plugin_retry_seconds_max,
            },
            park_failures: self.plugin_park_failures,
            breaker_bundles: self.plugin_breaker_bundles,
            breaker: BackOff {
                first_seconds: self.plugin_breaker_seconds,
                most_seconds: self.plugin_breaker_seconds_max,
            },
        }
    }

    /// Why the revisions of plugins that would be kept are too much, in words; `None` when they are not.
    pub fn revision_problem(&self, usage: RevisionUsage) -> Option<String> {
        let revisions = Limit::revisions_max().problem(self, "revisions of plugins", usage.revisions);
        let what = "bytes of revisions of plugins";
        revisions.or_else(|| Limit::revision_bytes_max().problem(self, what, usage.bytes))
    }

    /// Why a resource would have too many tags or attributes, in words, when it gets some and has so many then; `None` when it
    /// would not.
    pub fn named_problem(&self, resource: &str, tags: usize, attributes: usize) -> Option<String> {
        let problem = |what: &str, found: usize, most: usize, name: &str| {
            (found > most).then(|| {
                format!(
                    "`{resource}` would have {found} {what}, and a resource may have {most}; nothing was done; give it fewer, \
                     or raise `limits.{name}`"
                )
            })
        };
        problem("tags", tags, self.tags_per_resource_max, "tags_per_resource_max").or_else(|| {
            let most = self.attributes_per_resource_max;
            problem("attributes", attributes, most, "attributes_per_resource_max")
        })
    }

    /// Why what an import gives resources is too much, in words; `None` when it is not.
    pub fn import_problem(&self, report: &ImportReport) -> Option<String> {
        let (tags, attributes) = (&report.most_tags, &report.most_attributes);
        let problem = self.named_problem(&tags.resource, tags.count, 0);
        problem.or_else(|| self.named_problem(&attributes.resource, 0, attributes.count))
    }

    /// Why the policies that would hold are too much, in words; `None` when they are not.
    pub fn policy_problem(&self, usage: PolicyUsage) -> Option<String> {
        let policies = Limit::policies_max().problem(self, "policies", usage.policies);
        let what = "bytes of scripts and calendars";
        policies.or_else(|| Limit::policy_bytes_max().problem(self, what, usage.bytes))
    }
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
            let mut limits = Limits::DEFAULT;
            (limit.set_milliseconds)(&mut limits, 50);
            assert_eq!(limits != Limits::DEFAULT, limit.is_time, "{}", limit.name);
        }
    }
}
