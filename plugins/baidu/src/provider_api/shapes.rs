//! How resources are shown: the words for what they are in, and the attributes that are fields of theirs. All data.
//!
//! Documents: the models of the appendices of BCC and EIP, with `bce-sdk-go` for the types. A resource's attributes are
//! called as Baidu calls the fields; those without an attribute are left out, but for those with a default.

use plugin_sdk::Charging;
use plugin_sdk::Stage;

use crate::kinds::Kind;

/// The attribute that has the address of an `eip`; where it is missing, the id is shown.
pub const ADDRESS: &str = "eip";

/// The attribute that has the name; where it is missing, the id is shown.
pub const NAME: &str = "name";

/// Fields that are text, with the default of those that are always there.
pub type Texts = &'static [(&'static str, Option<&'static str>)];

/// Of an instance.
pub const INSTANCE_TEXTS: Texts = &[
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

/// Of an instance: whole numbers.
pub const INSTANCE_NUMBERS: &[&str] =
    &["cpuCount", "memoryCapacityInGB", "localDiskSizeInGB", "networkCapacityInMbps"];

/// Of a disk.
pub const DISK_TEXTS: Texts = &[
    ("desc", Some("")),
    ("type", Some("Cds")),
    ("storageType", None),
    ("zoneName", Some("")),
    ("clusterId", None),
    ("sourceSnapshotId", None),
    ("snapshotNum", None),
];

/// Of a disk: whole numbers.
pub const DISK_NUMBERS: &[&str] = &["diskSizeInGB"];

/// Of where a disk is attached.
pub const ATTACHMENT_TEXTS: Texts = &[("device", Some("")), ("serial", Some(""))];

/// Of an address.
pub const ADDRESS_TEXTS: Texts =
    &[("eipInstanceType", Some("normal")), ("billingMethod", None), ("shareGroupId", None)];

/// Of an address: whole numbers.
pub const ADDRESS_NUMBERS: &[&str] = &["bandwidthInMbps"];

/// What an address is bound to.
pub const BOUND_TO: &str = "BCC";

/// What people call a resource of this kind, in messages.
pub fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Bcc => "instance",
        Kind::Cds => "disk",
        Kind::Eip => "address",
        Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => kind.name(),
    }
}

/// `paymentTiming`.
pub fn payment_timing(charging: Charging) -> &'static str {
    match charging {
        Charging::Prepaid => "Prepaid",
        Charging::Postpaid => "Postpaid",
    }
}

/// `status` of an instance in this stage, whose attribute `status` says this.
pub fn instance_status(stage: Stage, status: Option<&str>) -> &'static str {
    match (stage, status) {
        (Stage::Retention, _) => "Expired",
        (Stage::Released | Stage::Unsubscribed, _) => "Deleted",
        (Stage::Active | Stage::Grace | Stage::Converted, Some("stopped")) => "Stopped",
        (Stage::Active | Stage::Grace | Stage::Converted, Some("scaling")) => "Scaling",
        (Stage::Active | Stage::Grace | Stage::Converted, _) => "Running",
    }
}

/// `status` of a disk in this stage.
pub fn disk_status(stage: Stage, is_attached: bool, status: Option<&str>) -> &'static str {
    match (stage, status) {
        (Stage::Retention, _) => "Expired",
        (Stage::Released | Stage::Unsubscribed, _) => "Deleted",
        (Stage::Active | Stage::Grace | Stage::Converted, Some("scaling")) => "Scaling",
        (Stage::Active | Stage::Grace | Stage::Converted, _) if is_attached => "InUse",
        (Stage::Active | Stage::Grace | Stage::Converted, _) => "Available",
    }
}

/// `status` of an address in this stage. `binded` is Baidu's own spelling.
pub fn address_status(stage: Stage, is_attached: bool) -> &'static str {
    match stage {
        Stage::Retention | Stage::Released | Stage::Unsubscribed => "paused",
        Stage::Active | Stage::Grace | Stage::Converted if is_attached => "binded",
        Stage::Active | Stage::Grace | Stage::Converted => "available",
    }
}
