//! Drift: what a provider says of a resource that differs from what this host knew, by kind.
//!
//! Compares; changes nothing. What the clock of this host expects, such as a stage that is due, is no drift.

use crate::bundle::Charging;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::connector::CloudResource;
use crate::connector::inventory;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// Its expiry moved on, and nobody here renewed it: in the provider's console, say.
    Renewed,
    /// Its expiry moved on while the provider's own auto-renew was on.
    RenewedByProvider,
    /// Its expiry moved back.
    Shortened,
    /// Auto-renew was switched on.
    AutoRenewOn,
    /// Auto-renew was switched off.
    AutoRenewOff,
    /// Something else than renewal is set to happen when it expires.
    OnExpiryChanged,
    /// It is pay-per-use now, or prepaid again.
    Converted,
    /// It is attached to something else.
    PrimaryChanged,
    /// It is in another stage than this host expected.
    StageChanged,
    /// It is not there any more.
    Gone,
    /// It was not known.
    New,
}

impl DriftKind {
    /// Every kind, for parsing and for lists of choices.
    pub const ALL: [DriftKind; 11] = [
        DriftKind::Renewed,
        DriftKind::RenewedByProvider,
        DriftKind::Shortened,
        DriftKind::AutoRenewOn,
        DriftKind::AutoRenewOff,
        DriftKind::OnExpiryChanged,
        DriftKind::Converted,
        DriftKind::PrimaryChanged,
        DriftKind::StageChanged,
        DriftKind::Gone,
        DriftKind::New,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            DriftKind::Renewed => "renewed",
            DriftKind::RenewedByProvider => "renewed_by_provider",
            DriftKind::Shortened => "shortened",
            DriftKind::AutoRenewOn => "auto_renew_on",
            DriftKind::AutoRenewOff => "auto_renew_off",
            DriftKind::OnExpiryChanged => "on_expiry_changed",
            DriftKind::Converted => "converted",
            DriftKind::PrimaryChanged => "primary_changed",
            DriftKind::StageChanged => "stage_changed",
            DriftKind::Gone => "gone",
            DriftKind::New => "new",
        }
    }
}

/// A difference, with both values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// What kind of difference it is.
    pub kind: DriftKind,
    /// What this host knew; `None` for nothing.
    pub here: Option<String>,
    /// What the provider says.
    pub there: Option<String>,
}

/// Every difference between what this host knows of a resource and what the provider says; `parents` are what it is attached
/// to here and there, as far as that is known.
pub fn drift(here: &Resource, there: &CloudResource, parents: (Option<&str>, Option<&str>)) -> Vec<Drift> {
    let mut found = Vec::new();
    let mut add = |kind, here: Option<String>, there: Option<String>| found.push(Drift { kind, here, there });
    let is_converted = here.charging != there.charging;
    if is_converted {
        add(
            DriftKind::Converted,
            Some(here.charging.name().to_owned()),
            Some(there.charging.name().to_owned()),
        );
    }
    if there.charging == Charging::Prepaid && !is_converted && there.expires_at != here.expires_at {
        let kind = match (there.expires_at > here.expires_at, here.on_expiry) {
            (true, OnExpiry::Renew) => DriftKind::RenewedByProvider,
            (true, OnExpiry::Lapse | OnExpiry::Convert | OnExpiry::Release) => DriftKind::Renewed,
            (false, _) => DriftKind::Shortened,
        };
        add(kind, here.expires_at.map(|at| at.to_string()), there.expires_at.map(|at| at.to_string()));
    } else if !is_converted && there.stage != here.stage {
        add(DriftKind::StageChanged, Some(here.stage.name().to_owned()), Some(there.stage.name().to_owned()));
    }
    if let Some(on_expiry) = inventory::on_expiry(there).filter(|on_expiry| *on_expiry != here.on_expiry) {
        let kind = match (here.on_expiry, on_expiry) {
            (_, OnExpiry::Renew) => DriftKind::AutoRenewOn,
            (OnExpiry::Renew, _) => DriftKind::AutoRenewOff,
            (OnExpiry::Lapse | OnExpiry::Convert | OnExpiry::Release, _) => DriftKind::OnExpiryChanged,
        };
        add(kind, Some(here.on_expiry.name().to_owned()), Some(on_expiry.name().to_owned()));
    }
    if let (here, there) = parents
        && here != there
    {
        add(DriftKind::PrimaryChanged, here.map(str::to_owned), there.map(str::to_owned));
    }
    found
}
