//! The fields and words that show a resource, as data.
//!
//! Documents: the models of the appendices of BCC and EIP, with `bce-sdk-go` for the types. A resource's attributes
//! have the names of Baidu's fields. A field without its attribute is left out, unless it has a default.

use plugin_sdk::Charging;
use plugin_sdk::Stage;

use crate::kinds::Kind;

/// The attribute with the address of an `eip`; without it, the id is shown.
pub const ADDRESS: &str = "eip";

/// The attribute with the name; without it, the id is shown.
pub const NAME: &str = "name";

/// Text fields, with the default of those that are always shown.
pub type Texts = &'static [(&'static str, Option<&'static str>)];

/// The text fields of an instance.
pub(crate) const INSTANCE_TEXTS: Texts = &[
    ("desc", Some("")),
    ("hostname", None),
    ("serialNumber", None),
    ("instanceType", None),
    ("spec", None),
    ("imageId", None),
    ("internalIp", Some("")),
    ("publicIp", Some("")),
    ("ipv6", None),
    ("zoneName", Some("")),
    ("vpcId", None),
    ("subnetId", None),
    ("keypairId", None),
    ("keypairName", None),
    ("dedicatedHostId", None),
    ("deploysetId", None),
    ("ehcClusterId", None),
    ("placementPolicy", None),
    ("gpuCard", None),
    ("fpgaCard", None),
    ("cardCount", None),
];

/// The fields of an instance that are whole numbers.
pub(crate) const INSTANCE_NUMBERS: &[&str] =
    &["cpuCount", "memoryCapacityInGB", "localDiskSizeInGB", "networkCapacityInMbps", "deletionProtection"];

/// The text fields of a disk.
pub(crate) const DISK_TEXTS: Texts = &[
    ("desc", Some("")),
    ("type", Some("Cds")),
    ("storageType", None),
    ("zoneName", Some("")),
    ("clusterId", None),
    ("sourceSnapshotId", None),
    ("snapshotNum", None),
];

/// The fields of a disk that are whole numbers.
pub(crate) const DISK_NUMBERS: &[&str] = &["diskSizeInGB"];

/// The text fields of a disk's attachment.
pub(crate) const ATTACHMENT_TEXTS: Texts = &[("device", Some("")), ("serial", Some(""))];

/// The text fields of an address.
pub(crate) const ADDRESS_TEXTS: Texts =
    &[("eipInstanceType", Some("normal")), ("billingMethod", None), ("shareGroupId", None)];

/// The fields of an address that are whole numbers.
pub(crate) const ADDRESS_NUMBERS: &[&str] = &["bandwidthInMbps"];

/// The type of the instance that an address is bound to.
pub(crate) const BOUND_TO: &str = "BCC";

/// The name of a resource of this kind, in messages.
pub fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Bcc => "instance",
        Kind::Cds => "disk",
        Kind::Eip => "address",
        Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => kind.name(),
    }
}

/// The value of `paymentTiming`.
pub(crate) fn payment_timing(charging: Charging) -> &'static str {
    match charging {
        Charging::Prepaid => "Prepaid",
        Charging::Postpaid => "Postpaid",
    }
}

/// The `status` of an instance in this stage and with this attribute `status`.
pub(crate) fn instance_status(stage: Stage, status: Option<&str>) -> &'static str {
    match (stage, status) {
        (Stage::Retention, _) => "Expired",
        (Stage::Released | Stage::Unsubscribed, _) => "Deleted",
        (Stage::Active | Stage::Grace | Stage::Converted, Some("stopped")) => "Stopped",
        (Stage::Active | Stage::Grace | Stage::Converted, Some("scaling")) => "Scaling",
        (Stage::Active | Stage::Grace | Stage::Converted, _) => "Running",
    }
}

/// The `status` of a disk in this stage.
pub(crate) fn disk_status(stage: Stage, is_attached: bool, status: Option<&str>) -> &'static str {
    match (stage, status) {
        (Stage::Retention, _) => "Expired",
        (Stage::Released | Stage::Unsubscribed, _) => "Deleted",
        (Stage::Active | Stage::Grace | Stage::Converted, Some("scaling")) => "Scaling",
        (Stage::Active | Stage::Grace | Stage::Converted, _) if is_attached => "InUse",
        (Stage::Active | Stage::Grace | Stage::Converted, _) => "Available",
    }
}

/// The `status` of an address in this stage. `binded` is Baidu's own spelling.
pub(crate) fn address_status(stage: Stage, is_attached: bool) -> &'static str {
    match stage {
        Stage::Retention | Stage::Released | Stage::Unsubscribed => "paused",
        Stage::Active | Stage::Grace | Stage::Converted if is_attached => "binded",
        Stage::Active | Stage::Grace | Stage::Converted => "available",
    }
}
