//! Row keys: the surrogate keys of the tables, one type a table, so that no key is taken for that of another table.
//!
//! Knows numbers and their tables; nothing of what the rows mean. Public ids are other things, and are text.

use std::fmt;
use std::ops::Index;

use perennial_domain::index::MemberIndex;
use rusqlite::Result;
use rusqlite::ToSql;
use rusqlite::types::FromSql;
use rusqlite::types::FromSqlResult;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;

/// A key by which the rows of one list are ordered: those that are added later have larger ones.
pub trait RowKey: Copy {
    /// The key with this number.
    fn from_number(number: i64) -> Self;

    /// The number as SQL has it.
    fn number(self) -> i64;

    /// Below the key of every row.
    fn before_all() -> Self {
        Self::from_number(0)
    }

    /// In place of the key of a row that is not inserted yet.
    fn unassigned() -> Self {
        Self::from_number(0)
    }

    /// Above the key of every row.
    fn after_all() -> Self {
        Self::from_number(i64::MAX)
    }
}

macro_rules! row_keys {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(i64);

            impl RowKey for $name {
                fn from_number(number: i64) -> $name {
                    $name(number)
                }

                fn number(self) -> i64 {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl ToSql for $name {
                fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                    self.0.to_sql()
                }
            }

            impl FromSql for $name {
                fn column_result(value: ValueRef<'_>) -> FromSqlResult<$name> {
                    i64::column_result(value).map($name)
                }
            }
        )+
    };
}

row_keys! {
    /// A row of `account`.
    AccountKey;
    /// A row of `resource`.
    ResourceKey;
    /// The row of `resource` that is a bundle's primary.
    BundleKey;
    /// A row of `deferred_purchase`.
    DeferredPurchaseKey;
    /// A row of `revision`.
    RevisionKey;
    /// A row of `attempt`.
    AttemptKey;
    /// A row of `call`.
    CallKey;
    /// A row of `ledger_entry`.
    LedgerEntryKey;
    /// A row of `orders`.
    OrderKey;
    /// A row of `decision`: the decision's number in the order in which decisions were committed.
    DecisionKey;
    /// A row of `event`: the event's number in the order in which events were committed.
    EventKey;
    /// A row of `approval`.
    ApprovalKey;
    /// A row of `audit`.
    AuditKey;
    /// A row of `webhook`.
    WebhookKey;
    /// A row of `delivery`.
    DeliveryKey;
    /// A row of `channel`.
    ChannelKey;
    /// A row of `channel_delivery`.
    ChannelDeliveryKey;
    /// A row of `job`.
    JobKey;
    /// A row of `calendar`.
    CalendarKey;
    /// A row of `sync`.
    SyncKey;
    /// A row of `drift`.
    DriftKey;
    /// A row of `policy_change`.
    PolicyChangeKey;
    /// A row of `policy_difference`.
    PolicyDifferenceKey;
    /// A row of `plugin_revision`.
    PluginRevisionKey;
    /// A row of `plugin_binding_change`.
    PluginBindingChangeKey;
    /// A row of `revision_difference`.
    RevisionDifferenceKey;
}

/// The place of an item in its job, counted from 0. In lists it stands for a row key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemPosition(u32);

impl ItemPosition {
    /// The place with this number, from 0.
    pub const fn new(number: u32) -> ItemPosition {
        ItemPosition(number)
    }

    /// Its number, from 0.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The place after it.
    pub const fn next(self) -> ItemPosition {
        ItemPosition(self.0.saturating_add(1))
    }
}

impl RowKey for ItemPosition {
    fn from_number(number: i64) -> ItemPosition {
        ItemPosition(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn number(self) -> i64 {
        i64::from(self.0)
    }
}

impl ToSql for ItemPosition {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for ItemPosition {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<ItemPosition> {
        u32::column_result(value).map(ItemPosition)
    }
}

impl EventKey {
    /// The place right before this event.
    pub fn before(self) -> EventKey {
        EventKey(self.0 - 1)
    }

    /// How many events come after `other` up to this one; negative when `other` is the later one.
    pub fn distance_from(self, other: EventKey) -> i64 {
        self.0 - other.0
    }
}

impl BundleKey {
    /// The key of the bundle whose primary has this key.
    pub(crate) fn of_primary(primary: ResourceKey) -> BundleKey {
        BundleKey(primary.0)
    }

    /// The key of its primary.
    pub(crate) fn primary(self) -> ResourceKey {
        ResourceKey(self.0)
    }
}

/// The keys of a bundle's members, the primary's first. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberKeys(Vec<ResourceKey>);

impl MemberKeys {
    /// These keys, the primary's first.
    pub(crate) fn new(keys: Vec<ResourceKey>) -> MemberKeys {
        MemberKeys(keys)
    }

    /// The key of the bundle.
    pub fn bundle(&self) -> BundleKey {
        BundleKey::of_primary(self.0[0])
    }

    /// Every member with its key.
    pub fn iter(&self) -> impl Iterator<Item = (MemberIndex, ResourceKey)> + '_ {
        self.0.iter().enumerate().map(|(index, key)| (MemberIndex::new(index), *key))
    }

    /// The member whose key this is, if it is one.
    pub fn position(&self, key: ResourceKey) -> Option<MemberIndex> {
        self.iter().find(|(_, other)| *other == key).map(|(member, _)| member)
    }
}

impl Index<MemberIndex> for MemberKeys {
    type Output = ResourceKey;

    fn index(&self, member: MemberIndex) -> &ResourceKey {
        &self.0[member.get()]
    }
}
