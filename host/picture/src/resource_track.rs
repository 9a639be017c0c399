//! The history of one resource. Knows how an event changes its row, and neither accounts nor pages.

use std::collections::BTreeSet;

use perennial_domain::approval::State;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::timestamp::Timestamp;

use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::severity::severity;

/// Where a lane stands among the others of its account: by bundle, then by purchase, then by member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TrackPosition {
    /// The bundle's place.
    pub(crate) bundle: usize,
    /// 0 for what was there at the start, and then counting the packages bought like it.
    pub(crate) purchase: usize,
    /// The member's place, each after what it is attached to.
    pub(crate) member: usize,
}

/// The history of one resource.
#[derive(Clone, Debug)]
pub struct ResourceTrack {
    /// The id of the resource.
    pub id: String,
    /// Its kind, as the provider's rules call it.
    pub kind: String,
    /// Its region, as the provider calls it.
    pub region: String,
    pub(crate) position: TrackPosition,
    /// From the primary down: whether the ancestor, and last the lane itself, is the last one of its parent. Empty for
    /// a primary.
    pub branches: Vec<bool>,
    /// How it was paid for when the history began.
    pub charging: Charging,
    pub(crate) started_at: Timestamp,
    /// The stage that it is in at the end.
    pub stage: Stage,
    /// When the present stage began; `None` when that was before the history.
    pub(crate) stage_at: Option<Timestamp>,
    /// When its paid periods end; `None` when it is not paid ahead.
    pub expires_at: Option<Timestamp>,
    /// How often it was renewed.
    pub renewals: usize,
    /// How many tries of its renewal were declined.
    pub declines: usize,
    /// What was paid for it, in the account's currency.
    pub paid: Micros,
    /// What was given back of it, in the account's currency.
    pub refunded: Micros,
    /// What happened to it, each category once.
    pub(crate) categories: BTreeSet<EventCategory>,
    /// How bad the worst of that was; 0 is no trouble.
    pub(crate) severity: u8,
    is_package: bool,
    /// Whether it is set to be released, so that nobody minds its end.
    is_given_up: bool,
    /// What is wrong with it now, if anything.
    pub problem: Option<String>,
    /// Whether that is only that the plugin gave no usable answer.
    is_plugin_failing: bool,
    /// What the picture shows; `None` when there is no picture, or no room in it.
    pub(crate) details: Option<TrackDetails>,
}

/// What the picture shows of a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrackDetails {
    /// Each stage and when it began, in order; the first began at or before the history.
    pub(crate) stages: Vec<(Timestamp, Stage)>,
    /// Where paid periods begin.
    pub(crate) periods: Vec<Timestamp>,
    /// What happened, in the order it was told.
    pub(crate) marks: Vec<Mark>,
    /// For a package: what it covers in all.
    pub(crate) quota: Option<Micros>,
    /// For a package: what it has left, from each instant on.
    pub(crate) levels: Vec<(Timestamp, Micros)>,
}

/// One thing that happened, in words.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) at: Timestamp,
    pub(crate) category: EventCategory,
    pub(crate) text: String,
}

impl ResourceTrack {
    /// A lane for `resource` as it is when the history begins.
    pub(crate) fn new(
        resource: &Resource,
        index: TrackPosition,
        branches: Vec<bool>,
        with_details: bool,
    ) -> ResourceTrack {
        let details = with_details.then(|| TrackDetails {
            stages: vec![(resource.started_at, resource.stage)],
            quota: resource.package.as_ref().map(|package| package.quota),
            levels: resource.package.iter().map(|package| (resource.started_at, package.left())).collect(),
            ..TrackDetails::default()
        });
        ResourceTrack {
            id: resource.id.clone(),
            kind: resource.kind.clone(),
            region: resource.region.clone(),
            position: index,
            branches,
            charging: resource.charging,
            started_at: resource.started_at,
            stage: resource.stage,
            stage_at: None,
            expires_at: resource.expires_at,
            renewals: 0,
            declines: 0,
            paid: Micros::ZERO,
            refunded: Micros::ZERO,
            categories: BTreeSet::new(),
            severity: 0,
            is_package: resource.package.is_some(),
            is_given_up: resource.on_expiry == OnExpiry::Release,
            problem: None,
            is_plugin_failing: false,
            details,
        }
    }

    /// A lane for a package that was bought like this one.
    pub(crate) fn purchased_like(
        &self,
        event: &Event,
        id: &str,
        purchase: usize,
        with_details: bool,
    ) -> ResourceTrack {
        let mut track = ResourceTrack {
            id: id.to_owned(),
            position: TrackPosition { purchase, member: 0, ..self.position },
            branches: Vec::new(),
            charging: Charging::Prepaid,
            started_at: event.at,
            stage: Stage::Active,
            stage_at: None,
            expires_at: None,
            renewals: 0,
            declines: 0,
            paid: Micros::ZERO,
            refunded: Micros::ZERO,
            categories: BTreeSet::new(),
            severity: 0,
            is_package: true,
            is_given_up: false,
            problem: None,
            is_plugin_failing: false,
            details: None,
            kind: self.kind.clone(),
            region: self.region.clone(),
        };
        if let EventKind::PackageBought { effective_at, quota, .. } = &event.what {
            track.started_at = *effective_at;
            track.details = with_details.then(|| TrackDetails {
                stages: vec![(*effective_at, Stage::Active)],
                quota: Some(*quota),
                levels: vec![(*effective_at, *quota)],
                ..TrackDetails::default()
            });
        }
        track
    }

    /// Whether it is paid as it is used at the end of the history.
    pub(crate) fn is_pay_per_use(&self) -> bool {
        self.charging == Charging::Postpaid || self.stage == Stage::Converted
    }

    /// Takes in what happened to the resource, `words` being the event in words.
    pub(crate) fn record(
        &mut self,
        event: &Event,
        category: Option<EventCategory>,
        words: &dyn Fn() -> String,
    ) {
        self.update_totals(event, words);
        self.refunded += self.conversion_refund(event);
        if let Some(category) = category {
            let is_an_end =
                matches!(category, EventCategory::Grace | EventCategory::Retention | EventCategory::Released);
            if !(is_an_end && (self.is_package || self.is_given_up)) {
                self.severity = self.severity.max(severity(category));
            }
            self.categories.insert(category);
        }
        let Some(details) = &mut self.details else { return };
        if let EventKind::RenewalSettled { expires_before, .. } = &event.what {
            details.periods.push(*expires_before);
        }
        if let EventKind::PackageUsed { left, .. } | EventKind::PackageRefilled { left } = &event.what {
            details.levels.push((event.at, *left));
        }
        if let Some(category) = category.filter(|category| category.marker_row() != MarkerRow::Elsewhere) {
            details.marks.push(Mark { at: event.at, category, text: words() });
        }
    }

    /// Ends as the resource is now, which says more than events that are not all known.
    pub(crate) fn settle(&mut self, resource: &Resource, now: Timestamp) {
        self.enter(now, resource.stage);
        self.expires_at = resource.expires_at;
        self.charging = if self.stage == Stage::Converted { self.charging } else { resource.charging };
    }

    fn update_totals(&mut self, event: &Event, words: &dyn Fn() -> String) {
        if self.is_plugin_failing && is_plugin_success(&event.what) {
            (self.problem, self.is_plugin_failing) = (None, false);
        }
        if let Some(payment) = event.what.payment() {
            self.paid += payment.cost;
            self.expires_at = Some(payment.expires_at);
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "most types of events change no total and no problem"
        )]
        match &event.what {
            EventKind::StageChanged { to, .. } => self.enter(event.at, *to),
            EventKind::Converted => self.enter(event.at, Stage::Converted),
            EventKind::RenewalSettled { .. } => {
                self.renewals += 1;
                self.problem = None;
            }
            EventKind::RenewalDeclined { code, message, .. } => {
                self.declines += 1;
                self.problem = Some(format!("declined: {code} {message}"));
            }
            EventKind::ApprovalDecided { decision: State::Approved, .. }
            | EventKind::ApprovalDecided { will_retry: true, .. }
            | EventKind::ApprovalExpired { will_retry: true, .. }
            | EventKind::PackageRefilled { .. }
            | EventKind::OrderCancelled { .. }
            | EventKind::OrderPaid { kind: OrderKind::Renewal, .. } => self.problem = None,
            what if is_problem(what) => self.problem = Some(words()),
            // Its message is the same for many resources, so it is said once, at the end.
            EventKind::PluginFailed { .. } | EventKind::BundleParked { .. } => {
                (self.problem, self.is_plugin_failing) = (Some("plugin failed".to_owned()), true);
            }
            EventKind::Unsubscribed { refund, expires_at, .. } => {
                self.refunded += *refund;
                match expires_at {
                    Some(expires_at) => self.drop_later_periods(*expires_at),
                    None => self.enter(event.at, Stage::Unsubscribed),
                }
            }
            EventKind::SettingChanged { setting, value } if setting == "on_expiry" => {
                self.is_given_up = value.as_deref() == Some(OnExpiry::Release.name());
            }
            EventKind::OrderCreated { pay_until: Some(_), .. } | EventKind::OrderExpired { .. } => {
                self.problem = Some(words())
            }
            EventKind::OrderPaid { cost, .. } => {
                self.paid += (*cost).max(Micros::ZERO);
                self.refunded += (-*cost).max(Micros::ZERO);
                self.problem = None;
            }
            _ => {}
        }
    }

    /// What converting at once gave back, which no other event says.
    fn conversion_refund(&self, event: &Event) -> Micros {
        let is_converting = self.stage == Stage::Converted && self.stage_at == Some(event.at);
        if let EventKind::BalanceChanged { amount, reason: Reason::Refund, .. } = &event.what
            && is_converting
        {
            return *amount;
        }
        Micros::ZERO
    }

    /// What has not begun was given back.
    fn drop_later_periods(&mut self, expires_at: Timestamp) {
        self.expires_at = Some(expires_at);
        if let Some(details) = &mut self.details {
            details.periods.retain(|starts_at| *starts_at < expires_at);
        }
    }

    fn enter(&mut self, at: Timestamp, stage: Stage) {
        if self.stage == stage {
            return;
        }
        self.stage = stage;
        self.stage_at = Some(at);
        if stage.is_final() {
            self.problem = None;
        }
        if let Some(details) = &mut self.details {
            details.stages.push((at, stage));
        }
    }
}

/// Whether this is what is wrong with a resource until something else happens; an approval that was given, or is asked for again,
/// is not.
fn is_problem(what: &EventKind) -> bool {
    matches!(
        what,
        EventKind::RenewalInDoubt { .. }
            | EventKind::CommandInDoubt { .. }
            | EventKind::PackageDepleted { .. }
            | EventKind::ApprovalRequested { .. }
            | EventKind::ApprovalDecided { will_retry: false, .. }
            | EventKind::PolicyRuled { ruling: RulingKind::Denied, cause: Cause::Auto, shadow: false, .. }
            | EventKind::ApprovalExpired { will_retry: false, .. }
    )
}

/// Whether the plugin must have answered for this to happen: whatever it failed at is over.
fn is_plugin_success(what: &EventKind) -> bool {
    matches!(
        what,
        EventKind::StageChanged { .. }
            | EventKind::RenewalSettled { .. }
            | EventKind::RenewalDeclined { .. }
            | EventKind::Converted
            | EventKind::PackageRefilled { .. }
            | EventKind::BundleUnparked { changed_by: None }
            | EventKind::Notice { .. }
    )
}
