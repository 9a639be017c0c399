//! Shadow revisions: what they answered otherwise than the revision that was followed, on the way to the store.
//!
//! Knows answers to one question. Which bundles are asked about is the batch's; nothing here is followed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::apply;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::MemberIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::revision::RevisionDifference;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::plugin_case;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PluginError;
use perennial_store::revision_differences::RevisionTrial;

use crate::batch_entry::EntryIndex;
use crate::rules::Rules;

/// The word for a timeline among questions; the others are the names of commands.
const TIMELINE: &str = "timeline";
/// The most bytes of an answer that are kept: an example for people.
const ANSWER_MAX: usize = 2_000;

/// A question that two revisions were asked.
pub(crate) struct Question<'q> {
    /// The place of the bundle in its batch.
    pub(crate) entry: EntryIndex,
    /// The member that was named.
    pub(crate) member: MemberIndex,
    /// The bundle as both were told of it.
    pub(crate) bundle: &'q Bundle,
    /// The orders that went with the question.
    pub(crate) orders: &'q [Order],
    /// The instant of the question.
    pub(crate) at: Timestamp,
    /// The name of the command; `None` for a timeline.
    pub(crate) command: Option<&'static str>,
}

/// What two revisions can be compared by.
pub(crate) trait Compare {
    /// How the answer of a shadow differs from this one, which is followed.
    fn difference(&self, shadow: &Self, question: &Question<'_>) -> Option<RevisionDifference>;
    /// The answer in lines.
    fn lines(&self, question: &Question<'_>, manifest: &Manifest) -> Vec<String>;
    /// What it costs, less what it gives back; `None` where nothing is paid.
    fn cost(&self, question: &Question<'_>) -> Option<Micros>;
    /// The fuel that it took, as far as it is known.
    fn fuel(&self) -> u64;
}

impl Compare for Vec<Occurrence> {
    fn difference(&self, shadow: &Self, _: &Question<'_>) -> Option<RevisionDifference> {
        (self != shadow).then_some(RevisionDifference::Timeline)
    }

    fn lines(&self, question: &Question<'_>, manifest: &Manifest) -> Vec<String> {
        plugin_case::timeline_lines(self, question.bundle, manifest)
    }

    fn cost(&self, _: &Question<'_>) -> Option<Micros> {
        None
    }

    fn fuel(&self) -> u64 {
        0
    }
}

impl Compare for PlanAnswer {
    fn difference(&self, shadow: &Self, question: &Question<'_>) -> Option<RevisionDifference> {
        RevisionDifference::of_plans(&self.plan, &shadow.plan, question.bundle, question.at)
    }

    fn lines(&self, question: &Question<'_>, _: &Manifest) -> Vec<String> {
        plugin_case::plan_lines(&self.plan, question.bundle, question.orders)
    }

    fn cost(&self, question: &Question<'_>) -> Option<Micros> {
        self.plan.as_ref().ok().map(|plan| apply::net_cost(plan, question.bundle, question.at))
    }

    fn fuel(&self) -> u64 {
        self.fuel
    }
}

/// A difference that was found in a batch.
#[derive(Clone, Debug)]
pub(crate) struct FoundDifference {
    pub(crate) entry: EntryIndex,
    pub(crate) member: MemberIndex,
    pub(crate) at: Timestamp,
    pub(crate) digest: String,
    pub(crate) followed: String,
    pub(crate) question: &'static str,
    pub(crate) kind: RevisionDifference,
    pub(crate) expires_before: Option<Timestamp>,
    pub(crate) followed_answer: String,
    pub(crate) answer: String,
    pub(crate) followed_cost: Option<Micros>,
    pub(crate) cost: Option<Micros>,
}

/// What shadow revisions answered in a batch.
#[derive(Debug, Default)]
pub(crate) struct ShadowLog {
    /// By the digests of the shadow and of the revision that was followed.
    trials: BTreeMap<(String, String), RevisionTrial>,
    differences: Vec<FoundDifference>,
    /// By the digest of the shadow.
    health: BTreeMap<String, ShadowHealth>,
}

/// Whether a shadow revision answered at all in a batch.
#[derive(Debug)]
pub(crate) struct ShadowHealth {
    /// The provider's id.
    pub(crate) provider: String,
    /// Whether it gave a usable answer to anything.
    pub(crate) has_answered: bool,
    /// The bundles about which it gave none.
    pub(crate) failed: BTreeSet<EntryIndex>,
    /// When it was asked last.
    pub(crate) at: Timestamp,
    /// What went wrong last.
    pub(crate) message: String,
}

impl ShadowLog {
    /// How each shadow was asked, and what it answered otherwise.
    pub(crate) fn into_parts(self) -> (impl Iterator<Item = RevisionTrial>, Vec<FoundDifference>) {
        (self.trials.into_values(), self.differences)
    }

    /// How shadow revisions fared since this was called last, by their digests.
    pub(crate) fn take_health(&mut self) -> BTreeMap<String, ShadowHealth> {
        std::mem::take(&mut self.health)
    }

    /// Notes what a shadow answered about these bundles at `at`.
    pub(crate) fn note_health<A>(
        &mut self,
        shadow: &dyn Rules,
        at: Timestamp,
        responses: impl Iterator<Item = (EntryIndex, A)>,
        failure: impl Fn(&A) -> Option<&PluginError>,
    ) {
        let new = || ShadowHealth {
            provider: shadow.manifest().id.clone(),
            has_answered: false,
            failed: BTreeSet::new(),
            at,
            message: String::new(),
        };
        let health = self.health.entry(shadow.digest().to_owned()).or_insert_with(new);
        health.at = health.at.max(at);
        for (entry, response) in responses {
            match failure(&response) {
                None => health.has_answered = true,
                Some(error) => {
                    health.failed.insert(entry);
                    health.message = error.to_string();
                }
            }
        }
    }

    /// Adds the time of calls that were asked of both; `asked_at` is the instant of the first question.
    pub(crate) fn add_time(
        &mut self,
        (shadow, followed): (&dyn Rules, &dyn Rules),
        (micros, micros_followed): (u64, u64),
        asked_at: Timestamp,
    ) {
        let trial = self.trial(shadow.digest(), followed.digest(), asked_at);
        trial.micros += micros;
        trial.micros_followed += micros_followed;
    }

    /// Adds an answer of a shadow, and what was followed.
    pub(crate) fn add<A: Compare>(
        &mut self,
        (shadow, followed): (&dyn Rules, &dyn Rules),
        question: &Question<'_>,
        followed_answer: &A,
        answer: &Result<A, PluginError>,
    ) {
        let kind = match answer {
            Ok(answer) => followed_answer.difference(answer, question),
            Err(_) => Some(RevisionDifference::Failed),
        };
        let trial = self.trial(shadow.digest(), followed.digest(), question.at);
        trial.asked += 1;
        trial.differed += u64::from(kind.is_some());
        trial.failed += u64::from(answer.is_err());
        trial.fuel += answer.as_ref().map_or(0, Compare::fuel);
        trial.fuel_followed += followed_answer.fuel();
        trial.first_at = trial.first_at.min(question.at);
        trial.last_at = trial.last_at.max(question.at);
        let Some(kind) = kind else { return };
        let followed_lines = followed_answer.lines(question, followed.manifest());
        let lines = match answer {
            Ok(answer) => answer.lines(question, shadow.manifest()),
            Err(error) => vec![error.to_string()],
        };
        // Of a timeline, what is on both is no difference.
        let is_shared = |line: &String| kind == RevisionDifference::Timeline && followed_lines.contains(line);
        let own = lines.iter().filter(|line| !is_shared(line)).cloned().collect::<Vec<_>>();
        let is_shared = |line: &String| kind == RevisionDifference::Timeline && lines.contains(line);
        let followed_own = followed_lines.iter().filter(|line| !is_shared(line)).cloned().collect::<Vec<_>>();
        self.differences.push(FoundDifference {
            entry: question.entry,
            member: question.member,
            at: question.at,
            digest: shadow.digest().to_owned(),
            followed: followed.digest().to_owned(),
            question: question.command.unwrap_or(TIMELINE),
            kind,
            expires_before: question.bundle[question.member].expires_at,
            followed_answer: text(&followed_own),
            answer: text(&own),
            followed_cost: followed_answer.cost(question),
            cost: answer.as_ref().ok().and_then(|answer| answer.cost(question)),
        });
    }

    fn trial(&mut self, shadow: &str, followed: &str, at: Timestamp) -> &mut RevisionTrial {
        let new = || RevisionTrial {
            digest: shadow.to_owned(),
            followed: followed.to_owned(),
            asked: 0,
            differed: 0,
            failed: 0,
            fuel: 0,
            fuel_followed: 0,
            micros: 0,
            micros_followed: 0,
            first_at: at,
            last_at: at,
        };
        self.trials.entry((shadow.to_owned(), followed.to_owned())).or_insert_with(new)
    }
}

/// Lines as one text, cut off where it is long.
pub(crate) fn text(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if text.len() > ANSWER_MAX {
        let end = (0..=ANSWER_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
    }
    text
}
