//! The kinds of resources, and the differences between them: names, terms, and which of them can be stopped.

use plugin_sdk::Term;
use plugin_sdk::TermUnit;

/// One of the manifest's kinds, in the manifest's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Cloud server (BCC).
    Bcc,
    /// Bare metal server.
    Bbc,
    /// Data disk (CDS).
    Cds,
    /// Public address (EIP).
    Eip,
    /// Marketplace image or software.
    Mkt,
    /// Cache (SCS), for Redis and Memcached.
    Scs,
    /// Relational database (RDS).
    Rds,
    /// Direct connect port.
    Et,
}

impl Kind {
    /// Every kind, for the manifest and for parsing.
    pub const ALL: [Kind; 8] =
        [Kind::Bcc, Kind::Bbc, Kind::Cds, Kind::Eip, Kind::Mkt, Kind::Scs, Kind::Rds, Kind::Et];

    /// The kind with this name.
    pub fn of(name: &str) -> Kind {
        let named = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        named.expect("the host sends resources of the manifest's kinds only")
    }

    /// The name in the manifest and in resources.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bcc => "bcc",
            Kind::Bbc => "bbc",
            Kind::Cds => "cds",
            Kind::Eip => "eip",
            Kind::Mkt => "mkt",
            Kind::Scs => "scs",
            Kind::Rds => "rds",
            Kind::Et => "et",
        }
    }

    /// The label for people.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Bcc => "Baidu Cloud Compute instance",
            Kind::Bbc => "Baidu Baremetal Compute instance",
            Kind::Cds => "Cloud Disk Storage data disk",
            Kind::Eip => "Elastic IP",
            Kind::Mkt => "Marketplace product",
            Kind::Scs => "Simple Cache Service instance",
            Kind::Rds => "Relational Database Service instance",
            Kind::Et => "Direct connect (ET) port",
        }
    }

    /// Whether it can be attached to an instance; it may also stand alone.
    pub fn attaches(self) -> bool {
        match self {
            Kind::Cds | Kind::Eip | Kind::Mkt => true,
            Kind::Bcc | Kind::Bbc | Kind::Scs | Kind::Rds | Kind::Et => false,
        }
    }

    /// Whether it can be stopped: its attribute `status` is then `stopped`, and a renewal starts it again.
    pub fn runs(self) -> bool {
        match self {
            Kind::Bcc | Kind::Bbc | Kind::Scs | Kind::Rds | Kind::Et => true,
            Kind::Cds | Kind::Eip | Kind::Mkt => false,
        }
    }

    /// Whether it is also sold as pay-as-you-go.
    pub(crate) fn has_postpaid_form(self) -> bool {
        match self {
            Kind::Bcc | Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Scs | Kind::Rds => true,
            Kind::Mkt | Kind::Et => false,
        }
    }

    /// The months of a renewal by this term; `None` when the term is not sold.
    pub(crate) fn months_sold(self, term: Term) -> Option<u32> {
        match self {
            Kind::Cds => disk_months(term),
            Kind::Bcc | Kind::Bbc | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
                general_months(term)
            }
        }
    }

    /// The months of a purchase of a pay-as-you-go resource; `None` when the term is not sold.
    pub(crate) fn months_bought(self, term: Term) -> Option<u32> {
        match self {
            Kind::Cds => in_months(term).filter(|months| matches!(months, 1..=9 | 12 | 24 | 36 | 48 | 60)),
            Kind::Bcc | Kind::Bbc | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
                general_months(term)
            }
        }
    }

    /// The terms of such a purchase, for people.
    pub(crate) fn lengths_bought(self) -> &'static str {
        match self {
            Kind::Cds => "1 to 9, 12, 24, 36, 48 or 60 months or 1 to 5 years",
            Kind::Bcc | Kind::Bbc | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
                GENERAL_LENGTHS
            }
        }
    }

    /// Whether it can become pay-as-you-go in the middle of a paid period. For caches and databases the documents say that
    /// the change waits for the expiry; for the rest they are silent.
    pub(crate) fn converts_at_once(self) -> bool {
        match self {
            Kind::Bcc | Kind::Cds => true,
            Kind::Bbc | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => false,
        }
    }

    /// The terms that are sold, for people.
    pub(crate) fn lengths_sold(self) -> &'static str {
        match self {
            Kind::Cds => "1 to 60 months or 1 to 5 years",
            Kind::Bcc | Kind::Bbc | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
                GENERAL_LENGTHS
            }
        }
    }

    /// Every term that can be bought.
    pub fn terms(self) -> Vec<Term> {
        let months = (1..=60).map(|count| Term { count, unit: TermUnit::Month });
        let years = (1..=5).map(|count| Term { count, unit: TermUnit::Year });
        months.chain(years).filter(|term| self.months_sold(*term).is_some()).collect()
    }
}

/// The lengths of [`general_months`], for people.
pub(crate) const GENERAL_LENGTHS: &str = "1 to 9, 12, 24 or 36 months or 1 to 3 years";

/// The months of the term of a renewal or of an auto-renew rule; `None` when the term is not sold.
pub(crate) fn general_months(term: Term) -> Option<u32> {
    in_months(term).filter(|months| matches!(months, 1..=9 | 12 | 24 | 36))
}

/// The months of the term of a disk's own renewal; `None` when the term is not sold.
pub(crate) fn disk_months(term: Term) -> Option<u32> {
    in_months(term).filter(|months| matches!(months, 1..=60))
}

fn in_months(term: Term) -> Option<u32> {
    match term.unit {
        TermUnit::Day => None,
        TermUnit::Month => Some(term.count),
        TermUnit::Year => term.count.checked_mul(12),
    }
}
