//! A resource of a bundle, as rules see it. Knows its fields; knows nothing of how it crossed.

use std::borrow::Cow;

use crate::Charging;
use crate::MemberIndex;
use crate::OnExpiry;
use crate::Stage;
use crate::Term;
use crate::Timestamp;

/// A text that rules read. In the sandbox it points into what the host sent, because a sandbox lives for one call; tests
/// own theirs.
pub type Text = Cow<'static, str>;

/// A member of a bundle: the primary, which comes first, or what is attached to it, directly or through another member.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The provider's id. Rules of time are told none: it is empty there.
    pub id: Text,
    /// One of the kinds in the manifest.
    pub kind: Text,
    /// The member that this one is attached to; `None` for the primary.
    pub attached_to: Option<MemberIndex>,
    /// How it is paid: ahead, or by use.
    pub charging: Charging,
    /// Where in its life it is.
    pub stage: Stage,
    /// When it was bought or, for a package bought ahead, when it takes effect.
    pub started_at: Timestamp,
    /// `None` for postpaid resources.
    pub expires_at: Option<Timestamp>,
    /// The day of the month that periods are counted from, 1 to 31; `None` for postpaid resources.
    pub anchor_day: Option<u8>,
    /// The period it was bought for; `None` for postpaid resources.
    pub term: Option<Term>,
    /// What happens when it expires.
    pub on_expiry: OnExpiry,
    /// Automatic renewals still allowed; `None` is without limit.
    pub renewals_left: Option<u32>,
    /// The term of an automatic renewal; `None` is the same as `term`.
    pub renewal_term: Option<Term>,
    /// Whether an order of it waits to be paid.
    pub has_unpaid_order: bool,
    /// The attributes that the manifest lists in `reads`: read them with [`get`](crate::settings::get).
    pub attributes: Vec<(Text, Text)>,
}
