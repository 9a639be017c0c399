//! Timelines: the events that await a bundle if no command changes it, and the check of a plugin's timeline.

use crate::answer_limits::NewAttributes;
use crate::bundle::Bundle;
use crate::bundle::Stage;
use crate::index::MemberIndex;
use crate::index::NoticeIndex;
use crate::timestamp::Timestamp;

/// The most occurrences that a bundle's timeline may have for each member of the bundle, however they are spread.
pub const OCCURRENCES_PER_MEMBER_MAX: usize = 128;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// What happens to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Its renewal is tried.
    TryRenewal,
    /// The member enters a stage.
    Enter(Stage),
    /// It goes on as pay-per-use.
    Convert,
    /// An attribute gets a new value.
    SetAttribute(String, String),
    /// A package's used amount starts again from nothing.
    Refill,
    /// Its owner is told something.
    Notice(NoticeIndex),
}

/// One action of a timeline and its instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The instant at which it is due.
    pub at: Timestamp,
    /// The member that it happens to.
    pub member: MemberIndex,
    /// The action that is due.
    pub action: Action,
}

/// What a timeline may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineLimits {
    /// How many notices the plugin's manifest lists.
    pub notices: usize,
    /// The most instants within an hour, for each member of the bundle.
    pub wakes_per_hour_max: usize,
}

/// A defect of a plugin's timeline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimelineError {
    /// More than `OCCURRENCES_PER_MEMBER_MAX` for each member.
    #[error("the timeline of `{primary}` has {found} occurrences; at most {accepted} are accepted")]
    Endless {
        /// The id of the bundle's primary.
        primary: String,
        /// The number of occurrences.
        found: usize,
        /// The largest number accepted.
        accepted: usize,
    },
    /// More than [`TimelineLimits::wakes_per_hour_max`] instants within an hour for each member.
    #[error(
        "the timeline of `{primary}` has more than {accepted} instants within an hour, from {at} on; at most {accepted} are \
         accepted"
    )]
    Crowded {
        /// The id of the bundle's primary.
        primary: String,
        /// The first instant of that hour.
        at: Timestamp,
        /// The largest number accepted.
        accepted: usize,
    },
    /// An occurrence names a member that does not exist.
    #[error("the timeline of `{primary}` names member {member} of {members}")]
    OutsideBundle {
        /// The id of the bundle's primary.
        primary: String,
        /// The place named.
        member: MemberIndex,
        /// The number of members.
        members: usize,
    },
    /// An occurrence is not after the instant from which the timeline was requested.
    #[error("the timeline of `{primary}` names {at}, which is not after {after}")]
    InThePast {
        /// The id of the bundle's primary.
        primary: String,
        /// The instant named.
        at: Timestamp,
        /// The instant from which the timeline was requested.
        after: Timestamp,
    },
    /// An occurrence is earlier than the one before it.
    #[error("the timeline of `{primary}` is out of order at {at}")]
    OutOfOrder {
        /// The id of the bundle's primary.
        primary: String,
        /// The instant that comes too late in the list.
        at: Timestamp,
    },
    /// A live member has no end, or something happens to a member that is at its end.
    #[error("the timeline of `{primary}` leaves `{resource}` without a final stage, or goes on after it")]
    NoEnd {
        /// The id of the bundle's primary.
        primary: String,
        /// The id of the member.
        resource: String,
    },
    /// A stage is entered that a timeline cannot lead to.
    #[error("the timeline of `{primary}` lets `{resource}` enter `{stage}`", stage = stage.name())]
    WrongStage {
        /// The id of the bundle's primary.
        primary: String,
        /// The id of the member.
        resource: String,
        /// The stage that it would enter.
        stage: Stage,
    },
    /// A notice that the manifest does not list, or a refill of what is no package.
    #[error("the timeline of `{primary}` has an occurrence that does not fit `{resource}`: {why}")]
    Unfit {
        /// The id of the bundle's primary.
        primary: String,
        /// The id of the member.
        resource: String,
        /// What is wrong with the occurrence, in words.
        why: String,
    },
}

/// Checks what a plugin said of a bundle.
///
/// # Errors
///
/// The first thing that makes no sense, as a [`TimelineError`].
pub fn check(
    bundle: &Bundle,
    after: Timestamp,
    timeline: &[Occurrence],
    limits: TimelineLimits,
) -> Result<(), TimelineError> {
    let primary = || bundle.primary().id.clone();
    let accepted = OCCURRENCES_PER_MEMBER_MAX * bundle.members.len();
    if timeline.len() > accepted {
        return Err(TimelineError::Endless { primary: primary(), found: timeline.len(), accepted });
    }
    let mut live = bundle.members.iter().map(|member| member.is_live()).collect::<Vec<_>>();
    let mut new_attributes = bundle.members.iter().map(|_| NewAttributes::default()).collect::<Vec<_>>();
    let mut last = after;
    for occurrence in timeline {
        let Some(member) = bundle.get(occurrence.member) else {
            let members = bundle.members.len();
            return Err(TimelineError::OutsideBundle {
                primary: primary(),
                member: occurrence.member,
                members,
            });
        };
        if occurrence.at <= after {
            return Err(TimelineError::InThePast { primary: primary(), at: occurrence.at, after });
        }
        if occurrence.at < last {
            return Err(TimelineError::OutOfOrder { primary: primary(), at: occurrence.at });
        }
        last = occurrence.at;
        if !live[occurrence.member.get()] {
            return Err(TimelineError::NoEnd { primary: primary(), resource: member.id.clone() });
        }
        check_action(bundle, occurrence, limits.notices)?;
        if let Action::SetAttribute(name, value) = &occurrence.action
            && let Some(why) = new_attributes[occurrence.member.get()].add(&member.attributes, name, value)
        {
            return Err(TimelineError::Unfit { primary: primary(), resource: member.id.clone(), why });
        }
        if matches!(occurrence.action, Action::Enter(Stage::Released) | Action::Convert) {
            live[occurrence.member.get()] = false;
        }
    }
    let accepted = limits.wakes_per_hour_max * bundle.members.len();
    if let Some(at) = crowded_hour(timeline, accepted) {
        return Err(TimelineError::Crowded { primary: primary(), at, accepted });
    }
    match bundle.members.iter().zip(live).find(|(_, is_live)| *is_live) {
        Some((member, _)) => Err(TimelineError::NoEnd { primary: primary(), resource: member.id.clone() }),
        None => Ok(()),
    }
}

/// The start of the first hour with more than `accepted` instants of a timeline that is in order.
fn crowded_hour(timeline: &[Occurrence], accepted: usize) -> Option<Timestamp> {
    if timeline.len() <= accepted {
        return None;
    }
    let mut instants = timeline.iter().map(|occurrence| occurrence.at).collect::<Vec<_>>();
    instants.dedup();
    let mut hours = instants.iter().zip(instants.iter().skip(accepted));
    hours.find(|(first, last)| **last - **first < HOUR).map(|(first, _)| *first)
}

/// Checks that the action of an occurrence fits its member.
fn check_action(bundle: &Bundle, occurrence: &Occurrence, notices: usize) -> Result<(), TimelineError> {
    let member = &bundle[occurrence.member];
    let (primary, resource) = (|| bundle.primary().id.clone(), || member.id.clone());
    let unfit = |why: String| TimelineError::Unfit { primary: primary(), resource: resource(), why };
    match &occurrence.action {
        // What is paid for may come back once what had stopped it is over.
        Action::Enter(Stage::Active) if member.expires_at.is_some_and(|expiry| occurrence.at < expiry) => {
            Ok(())
        }
        Action::Enter(stage @ (Stage::Active | Stage::Unsubscribed | Stage::Converted)) => {
            Err(TimelineError::WrongStage { primary: primary(), resource: resource(), stage: *stage })
        }
        Action::Notice(notice) if notice.get() >= notices => {
            Err(unfit(format!("notice {notice} of {notices}")))
        }
        Action::Refill if member.package.is_none() => Err(unfit("it is no package".to_owned())),
        Action::Enter(Stage::Grace | Stage::Retention | Stage::Released)
        | Action::Convert
        | Action::TryRenewal
        | Action::SetAttribute(..)
        | Action::Refill
        | Action::Notice(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
