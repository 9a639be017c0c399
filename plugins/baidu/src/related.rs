//! `relatedRenewFlag`: the attached products that are renewed together with an instance.
//!
//! Knows the eight values, and the kinds that each one names.

use crate::kinds::Kind;

/// A value of `relatedRenewFlag`, and the products that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelatedFlag {
    /// The value, as the provider writes it.
    pub flag: &'static str,
    cds: bool,
    eip: bool,
    mkt: bool,
}

/// Every value, as listed in the appendix "RelatedRenewFlag" of the BCC API reference; the empty one is the default.
pub const FLAGS: [RelatedFlag; 8] = [
    RelatedFlag { flag: "", cds: false, eip: false, mkt: false },
    RelatedFlag { flag: "CDS", cds: true, eip: false, mkt: false },
    RelatedFlag { flag: "EIP", cds: false, eip: true, mkt: false },
    RelatedFlag { flag: "MKT", cds: false, eip: false, mkt: true },
    RelatedFlag { flag: "CDS_EIP", cds: true, eip: true, mkt: false },
    RelatedFlag { flag: "CDS_MKT", cds: true, eip: false, mkt: true },
    RelatedFlag { flag: "EIP_MKT", cds: false, eip: true, mkt: true },
    RelatedFlag { flag: "CDS_EIP_MKT", cds: true, eip: true, mkt: true },
];

impl RelatedFlag {
    /// The instance alone.
    pub const NONE: RelatedFlag = FLAGS[0];

    /// The value with this text; `None` for any other text.
    pub fn of(flag: &str) -> Option<RelatedFlag> {
        FLAGS.into_iter().find(|related| related.flag == flag)
    }

    /// The value that names exactly the kinds that are wanted, of those that it can name.
    pub(crate) fn naming(is_wanted: impl Fn(Kind) -> bool) -> RelatedFlag {
        let (cds, eip, mkt) = (is_wanted(Kind::Cds), is_wanted(Kind::Eip), is_wanted(Kind::Mkt));
        let found = FLAGS.into_iter().find(|flag| (flag.cds, flag.eip, flag.mkt) == (cds, eip, mkt));
        found.unwrap_or(RelatedFlag::NONE)
    }

    /// Whether it names products of this kind.
    pub fn takes(self, kind: Kind) -> bool {
        match kind {
            Kind::Cds => self.cds,
            Kind::Eip => self.eip,
            Kind::Mkt => self.mkt,
            Kind::Bcc | Kind::Bbc | Kind::Scs | Kind::Rds | Kind::Et => false,
        }
    }
}
