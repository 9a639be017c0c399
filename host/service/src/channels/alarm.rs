//! A channel that delivers nothing is told of through the others. Has their messages written down; sends none.

use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;
use perennial_store::channels;
use perennial_store::channels::StoredChannel;
use perennial_store::error::StoreError;

use crate::channels::message;
use crate::channels::message::MessageText;
use crate::channels::schedule;
use crate::channels::send_result::SendResult;
use crate::channels::texts;

/// The number of tries of one message that fail before other channels are told.
const ATTEMPTS_BEFORE_ALARM: u32 = 3;

/// Notes on a channel what a try says of it, and tells the others when it delivers nothing. Returns how many were told, if
/// it is time that they are.
pub(super) fn note(
    db: &WriteTx,
    channel: &mut StoredChannel,
    attempts: u32,
    result: &SendResult,
    at: Timestamp,
) -> Result<Option<usize>, StoreError> {
    let (why, is_final) = match result {
        SendResult::Delivered(_) => {
            channel.failing_since = None;
            channel.alarmed_at = None;
            return Ok(None);
        }
        SendResult::Refused { why, .. } | SendResult::NotSent(why) => (why, false),
        SendResult::Rejected { why, .. } | SendResult::InDoubt(why) => (why, true),
    };
    let since = *channel.failing_since.get_or_insert(at);
    if channel.alarmed_at.is_some() || !is_final && attempts < ATTEMPTS_BEFORE_ALARM {
        return Ok(None);
    }
    channel.alarmed_at = Some(at);
    let mut count = 0;
    for other in channels::list(db)? {
        if other.id == channel.id || other.disabled_at.is_some() || !may_know(&other, channel) {
            continue;
        }
        let about = (channel.id.as_str(), channel.kind.name(), channel.target.address.as_str());
        let settings = &other.settings;
        let (title, body) = texts::alarm(settings.language, settings.time_zone, about, since, why);
        let next = schedule::next_open(settings, at);
        message::insert(db, &other, &MessageText { title, body, events: 0 }, at, next)?;
        count += 1;
    }
    Ok(Some(count))
}

/// Whether the readers of a channel may know of another one: their accounts are all of its accounts, or more.
fn may_know(reader: &StoredChannel, of: &StoredChannel) -> bool {
    match (&reader.accounts, &of.accounts) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(readers), Some(accounts)) => accounts.iter().all(|account| readers.contains(account)),
    }
}
