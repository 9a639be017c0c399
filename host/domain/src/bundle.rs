//! Resources and bundles. A bundle is the unit of every decision. Knows no rule.
//!
//! The plain fields of a resource are listed in [`mod@crate::resource_fields`]; here is what else it has.

use std::collections::BTreeMap;
use std::ops::Index;
use std::ops::IndexMut;

use crate::field::Field;
use crate::field::FieldSource;
use crate::field::FieldValue;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::resource_fields::Changes;
use crate::resource_fields::ResourceField;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// How a resource is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charging {
    /// Ahead, for a term.
    #[default]
    Prepaid,
    /// Paid for by use.
    Postpaid,
}

impl Charging {
    /// Both ways, for parsing and for lists of choices.
    pub const ALL: [Charging; 2] = [Charging::Prepaid, Charging::Postpaid];

    /// `prepaid` or `postpaid`.
    pub const fn name(self) -> &'static str {
        match self {
            Charging::Prepaid => "prepaid",
            Charging::Postpaid => "postpaid",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Charging::Prepaid => 0,
            Charging::Postpaid => 1,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<Charging> {
        match code {
            0 => Some(Charging::Prepaid),
            1 => Some(Charging::Postpaid),
            _ => None,
        }
    }
}

crate::field::word_field!(Charging);

/// The stage of a resource in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Paid for, and in service.
    #[default]
    Active,
    /// Expired, still serving.
    Grace,
    /// Expired, stopped or frozen, its data kept.
    Retention,
    /// Gone, with its data. Final.
    Released,
    /// Given back. Final.
    Unsubscribed,
    /// Now pay-per-use. Final for the clock: a command can pay it ahead again.
    Converted,
}

impl Stage {
    /// Every stage, in the order of a life.
    pub const ALL: [Stage; 6] = [
        Stage::Active,
        Stage::Grace,
        Stage::Retention,
        Stage::Released,
        Stage::Unsubscribed,
        Stage::Converted,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Active => "active",
            Stage::Grace => "grace",
            Stage::Retention => "retention",
            Stage::Released => "released",
            Stage::Unsubscribed => "unsubscribed",
            Stage::Converted => "converted",
        }
    }

    /// Whether nothing happens to such a resource any more.
    pub const fn is_final(self) -> bool {
        match self {
            Stage::Active | Stage::Grace | Stage::Retention => false,
            Stage::Released | Stage::Unsubscribed | Stage::Converted => true,
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Stage::Active => 0,
            Stage::Grace => 1,
            Stage::Retention => 2,
            Stage::Released => 3,
            Stage::Unsubscribed => 4,
            Stage::Converted => 5,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<Stage> {
        match code {
            0 => Some(Stage::Active),
            1 => Some(Stage::Grace),
            2 => Some(Stage::Retention),
            3 => Some(Stage::Released),
            4 => Some(Stage::Unsubscribed),
            5 => Some(Stage::Converted),
            _ => None,
        }
    }
}

crate::field::word_field!(Stage);

/// What is set to happen when a resource expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnExpiry {
    /// The provider's grace and retention.
    #[default]
    Lapse,
    /// Auto-renew is on.
    Renew,
    /// It goes on as pay-per-use.
    Convert,
    /// It is released at once.
    Release,
}

impl OnExpiry {
    /// Every choice, for parsing and for lists of choices.
    pub const ALL: [OnExpiry; 4] = [OnExpiry::Lapse, OnExpiry::Renew, OnExpiry::Convert, OnExpiry::Release];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            OnExpiry::Lapse => "lapse",
            OnExpiry::Renew => "renew",
            OnExpiry::Convert => "convert",
            OnExpiry::Release => "release",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            OnExpiry::Lapse => 0,
            OnExpiry::Renew => 1,
            OnExpiry::Convert => 2,
            OnExpiry::Release => 3,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<OnExpiry> {
        match code {
            0 => Some(OnExpiry::Lapse),
            1 => Some(OnExpiry::Renew),
            2 => Some(OnExpiry::Convert),
            3 => Some(OnExpiry::Release),
            _ => None,
        }
    }
}

crate::field::word_field!(OnExpiry);

/// What a resource package adds to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// How much it covers, in millionths of the unit.
    pub quota: Micros,
    /// How much of that is used, from zero to the quota.
    pub used: Micros,
    /// What is counted, for people, such as `vCPU-hour`.
    pub unit: String,
    /// The type of resource whose use it covers, such as `cci`.
    pub resource_type: String,
    /// When it was paid for.
    pub bought_at: Timestamp,
}

impl Package {
    /// How much it still covers.
    pub fn left(&self) -> Micros {
        self.quota - self.used
    }
}

/// Makes the struct from the list of its plain fields, and what goes through them one by one.
macro_rules! resource {
    ($( $(#[doc = $meaning:literal])+ $field:ident: $type:ty, $changes:ident; )+) => {
        /// One thing a provider bills.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Resource {
            $( $(#[doc = $meaning])+ pub $field: $type, )+
            /// The member of its bundle that it is attached to; `None` for the primary.
            pub attached_to: Option<MemberIndex>,
            /// Whether an order of it waits to be paid.
            pub has_unpaid_order: bool,
            /// Present for resource packages.
            pub package: Option<Package>,
            /// What the provider's rules may read.
            pub attributes: BTreeMap<String, String>,
            /// Labels that people group resources by.
            pub tags: BTreeMap<String, String>,
        }

        impl Resource {
            /// The plain fields, in the order of every format.
            pub const FIELDS: &'static [ResourceField] = &[$(
                ResourceField {
                    name: stringify!($field),
                    meaning: concat!($($meaning),+),
                    kind: <$type as Field>::KIND,
                    is_optional: <$type as Field>::IS_OPTIONAL,
                    changes: Changes::$changes,
                },
            )+];

            /// Calls `visit` with the name and the value of every plain field, in their order.
            pub fn visit_fields<'r>(&'r self, mut visit: impl FnMut(&'static str, FieldValue<'r>)) {
                $( visit(stringify!($field), self.$field.value()); )+
            }

            /// The resource with the plain fields that `source` has, and nothing else; `None` when `source` lacks one. Every
            /// field is read, so that `source` can report every problem.
            pub fn read(source: &mut impl FieldSource) -> Option<Resource> {
                $( let $field = Field::read(stringify!($field), source); )+
                Some(Resource { $( $field: $field?, )+ ..Resource::default() })
            }

            /// The value of the plain field called `name`; nothing if there is none.
            pub(crate) fn field(&self, name: &str) -> FieldValue<'_> {
                match name {
                    $( stringify!($field) => self.$field.value(), )+
                    _ => FieldValue::Nothing,
                }
            }

            /// Takes the value of the plain field called `name` from another resource.
            pub(crate) fn copy_field(&mut self, name: &str, from: &Resource) {
                match name {
                    $( stringify!($field) => self.$field = from.$field.clone(), )+
                    _ => {}
                }
            }
        }
    };
}

crate::resource_fields!(resource);

impl Resource {
    /// Whether the clock has something to do with it: it is prepaid and not at its end.
    pub fn is_live(&self) -> bool {
        self.charging == Charging::Prepaid && !self.stage.is_final()
    }

    /// Whether it renews itself when its period ends.
    pub fn renews_itself(&self) -> bool {
        self.is_live() && self.on_expiry == OnExpiry::Renew && self.renewals_left != Some(0)
    }

    /// The expiry of one that renews itself and is still called active: before that it may be tried.
    fn expiry_to_try_before(&self) -> Option<Timestamp> {
        self.expires_at.filter(|_| self.stage == Stage::Active && self.renews_itself())
    }

    /// Where the period began of one that renews itself and is still called active.
    fn missed_period_start(&self) -> Option<Timestamp> {
        let (expires_at, term, anchor_day) = (self.expiry_to_try_before()?, self.term?, self.anchor_day?);
        Some(expires_at.minus(term, anchor_day, 0).max(self.started_at).min(expires_at))
    }

    /// An instant before all tries of its present expiry, of one that renews itself and is still called active. A provider may
    /// try before the period begins: thirty days before the end of a February. What began after its last try never had one.
    pub(crate) fn before_tries(&self) -> Option<Timestamp> {
        Some((self.expiry_to_try_before()? - TRIES_BEFORE_MAX).max(self.started_at))
    }

    /// Makes it pay-per-use and forgets what it was paid ahead for; returns the stage before.
    pub(crate) fn convert(&mut self) -> Stage {
        self.charging = Charging::Postpaid;
        self.on_expiry = OnExpiry::Lapse;
        (self.expires_at, self.anchor_day, self.term, self.price) = (None, None, None, None);
        (self.renewals_left, self.renewal_term) = (None, None);
        std::mem::replace(&mut self.stage, Stage::Converted)
    }
}

/// How long before an expiry a provider tries to renew at the earliest, in seconds: a year.
pub const TRIES_BEFORE_MAX: i64 = 366 * 86_400;

/// What is decided on together: a primary resource, which comes first, and those attached to it. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The primary and then the attached ones, in the order of their ids.
    pub members: Vec<Resource>,
}

impl Bundle {
    /// The resource that the others are attached to.
    pub fn primary(&self) -> &Resource {
        &self.members[0]
    }

    /// The member at this place, if there is one.
    pub fn get(&self, member: MemberIndex) -> Option<&Resource> {
        self.members.get(member.get())
    }

    /// Every member with its place.
    pub fn iter(&self) -> impl Iterator<Item = (MemberIndex, &Resource)> {
        self.members.iter().enumerate().map(|(number, member)| (MemberIndex::new(number), member))
    }

    /// The place of the member with this id, if it is one.
    pub fn position(&self, id: &str) -> Option<MemberIndex> {
        self.members.iter().position(|member| member.id == id).map(MemberIndex::new)
    }

    /// Whether the clock has something to do with any member.
    pub fn is_live(&self) -> bool {
        self.members.iter().any(Resource::is_live)
    }

    /// Up to which instant everything counts as done for a bundle that is taken in as of `at`.
    ///
    /// What is due at `at` itself is still to come. What a member that expired before has met since is still to come, too,
    /// and so are the tries to renew it in the period before, if it renews itself and nobody has said that it expired.
    pub(crate) fn done_before(&self, at: Timestamp) -> Timestamp {
        let live = self.members.iter().filter(|member| member.is_live());
        let begins = live.filter_map(|member| {
            let expires_at = member.expires_at.filter(|expires_at| *expires_at < at)?;
            Some(member.missed_period_start().unwrap_or(expires_at))
        });
        begins.chain([at]).min().unwrap_or(at) - 1
    }
}

impl Index<MemberIndex> for Bundle {
    type Output = Resource;

    fn index(&self, member: MemberIndex) -> &Resource {
        &self.members[member.get()]
    }
}

impl IndexMut<MemberIndex> for Bundle {
    fn index_mut(&mut self, member: MemberIndex) -> &mut Resource {
        &mut self.members[member.get()]
    }
}
