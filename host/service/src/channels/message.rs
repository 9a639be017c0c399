//! Messages of channels as they are written down, one for each reader. Decides neither what they say nor when they are sent.

use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;
use perennial_store::channel_deliveries;
use perennial_store::channel_deliveries::NewChannelDelivery;
use perennial_store::channel_deliveries::StoredChannelDelivery;
use perennial_store::channels::StoredChannel;
use perennial_store::error::StoreError;

use crate::channels::texts;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageText {
    pub(crate) title: String,
    pub(crate) body: String,
    /// How many events it reports; 0 for a test and for an alarm.
    pub(crate) events: usize,
}

/// Writes down a test to each reader of a channel, which is sent at once, whatever the hour.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written to.
pub fn insert_test(
    db: &WriteTx,
    channel: &StoredChannel,
    at: Timestamp,
) -> Result<Vec<StoredChannelDelivery>, StoreError> {
    let (title, body) = texts::test(channel.settings.language);
    insert(db, channel, &MessageText { title, body, events: 0 }, at, at)
}

/// Writes down a message to each reader of a channel, to be sent at `next_try_at`, and returns them.
pub(crate) fn insert(
    db: &WriteTx,
    channel: &StoredChannel,
    text: &MessageText,
    at: Timestamp,
    next_try_at: Timestamp,
) -> Result<Vec<StoredChannelDelivery>, StoreError> {
    // The group of a robot is one reader, who needs no address.
    let group = [String::new()];
    let readers = if channel.target.readers.is_empty() { &group[..] } else { &channel.target.readers };
    let deliveries = readers.iter().map(|reader| {
        let MessageText { title, body, events } = text;
        let channel = channel.row;
        channel_deliveries::insert(
            db,
            &NewChannelDelivery {
                channel,
                reader,
                events: *events,
                title,
                body,
                created_at: at,
                next_try_at,
            },
        )
    });
    deliveries.collect()
}
