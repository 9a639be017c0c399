//! Decodes timelines: divides the occurrences of a call among its requests.

use perennial_domain::index::NoticeIndex;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;

use crate::provider::bindings::lifecycle as wit;
use crate::provider::decode::Problem;
use crate::provider::decode::lists::Items;
use crate::provider::decode::lists::Mismatch;
use crate::provider::decode::lists::Words;
use crate::provider::decode::lists::check_count;
use crate::provider::decode::member;
use crate::provider::decode::place;
use crate::provider::decode::stage;
use crate::provider::decode::timestamp;

/// What will happen to each bundle, in an answer that may say `max_bytes`.
pub fn timelines(
    answer: wit::Timelines,
    requests: usize,
    max_bytes: usize,
) -> Result<Vec<Result<Vec<Occurrence>, Problem>>, Mismatch> {
    check_count(answer.counts.len(), requests)?;
    let mut words = Words::of(answer.words, max_bytes);
    let mut occurrences = Items::of("occurrences", answer.occurrences);
    let mut timelines = Vec::with_capacity(requests);
    for count in answer.counts {
        let mut problem = None;
        let mut timeline = Vec::new();
        let own = occurrences.take(count)?;
        timeline.reserve_exact(own.len());
        for one in own {
            match occurrence(&mut words, one) {
                Ok(occurrence) => timeline.push(occurrence),
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        timelines.push(problem.map_or(Ok(timeline), Err));
    }
    occurrences.finish()?;
    words.finish()?;
    Ok(timelines)
}

fn occurrence(words: &mut Words, occurrence: wit::Occurrence) -> Result<Occurrence, Problem> {
    let action = match occurrence.action {
        wit::Action::TryRenewal => Action::TryRenewal,
        wit::Action::Enter(to) => Action::Enter(stage(to)),
        wit::Action::Convert => Action::Convert,
        wit::Action::SetAttribute(pair) => {
            Action::SetAttribute(words.text(pair.name)?, words.text(pair.value)?)
        }
        wit::Action::Refill => Action::Refill,
        wit::Action::Notice(notice) => Action::Notice(NoticeIndex::new(place(notice))),
    };
    Ok(Occurrence { at: timestamp(occurrence.at)?, member: member(occurrence.member), action })
}
