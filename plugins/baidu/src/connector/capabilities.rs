//! What is sent to Baidu AI Cloud: hosts, reads and mutations.
//!
//! Sources: "Service Domain Name" of BCC and EIP, and "Account Balance Query" (Finance), for the hosts. No document has a quota
//! for these calls; ten a second leaves room for the account's own tools.

use plugin_sdk::connector::Api;
use plugin_sdk::connector::Capabilities;
use plugin_sdk::connector::MutationLimit;
use plugin_sdk::connector::MutationName;
use plugin_sdk::connector::Read;

/// The regions whose hosts are asked.
pub(super) const REGIONS: [&str; 6] = ["bj", "gz", "su", "bd", "fwh", "hkg"];

/// The calls that an account may send in a second.
const CALLS: u32 = 10;

/// An API with its own host in each region: instances and disks are of one. What is paid is asked at one host for all regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Bcc,
    Eip,
    Billing,
}

impl Service {
    const ALL: [Service; 3] = [Service::Bcc, Service::Eip, Service::Billing];

    pub(super) fn name(self) -> &'static str {
        match self {
            Service::Bcc => "bcc",
            Service::Eip => "eip",
            Service::Billing => "billing",
        }
    }

    /// The place in the list of capabilities.
    pub(super) fn index(self) -> u32 {
        match self {
            Service::Bcc => 0,
            Service::Eip => 1,
            Service::Billing => 2,
        }
    }

    pub(super) fn host(self, region: &str) -> String {
        match self {
            Service::Bcc | Service::Eip => format!("{}.{region}.baidubce.com", self.name()),
            Service::Billing => "billing.baidubce.com".to_owned(),
        }
    }
}

/// The path of the balance.
pub(super) const BALANCE: &str = "/v1/finance/cash/balance";

/// A read: its name, its label, its method, its path and its parameters.
type ReadRow = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const READS: [ReadRow; 6] = [
    (
        "list-instances",
        "Instances with their expiry (BCC/s/7jwvyo8y6)",
        "GET",
        "/v2/instance",
        &["marker", "maxKeys"],
    ),
    ("show-instance", "One instance (BCC)", "GET", "/v2/instance/{id}", &[]),
    (
        "list-disks",
        "Disks with their expiry (BCC: Query the disk list)",
        "GET",
        "/v2/volume",
        &["marker", "maxKeys"],
    ),
    ("show-disk", "One disk (BCC)", "GET", "/v2/volume/{id}", &[]),
    (
        "list-addresses",
        "Addresses with their expiry (EIP: Query EIP List)",
        "GET",
        "/v1/eip",
        &["marker", "maxKeys", "eipIds"],
    ),
    ("read-balance", "The balance of the account (Finance/s/Skhtyytwu)", "POST", BALANCE, &[]),
];

/// A mutation, whether its request takes a client token, and whether a resource shows afterwards that it was done.
type MutationRow = (MutationName, bool, bool);

const MUTATIONS: [MutationRow; 5] = [
    (MutationName::Renew, true, true),
    (MutationName::SetAutoRenew, false, true),
    (MutationName::CancelAutoRenew, false, true),
    (MutationName::Unsubscribe, false, true),
    // No field of an instance or a disk says that it is to become pay-as-you-go.
    (MutationName::ConvertOnExpiry, false, false),
];

pub(super) fn capabilities() -> Capabilities {
    let regional = [Service::Bcc, Service::Eip];
    let hosts = REGIONS.iter().flat_map(|region| regional.map(|api| api.host(region)));
    let read = |&(name, label, method, path, parameters): &ReadRow| Read {
        name: name.to_owned(),
        label: label.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        parameters: parameters.iter().map(|&name| name.to_owned()).collect(),
    };
    let limit = |&(mutation, takes_client_token, is_shown): &MutationRow| MutationLimit {
        mutation,
        targets_max: 1,
        same_kind: true,
        same_region: true,
        takes_client_token,
        is_shown,
    };
    Capabilities {
        hosts: hosts.chain([Service::Billing.host("")]).collect(),
        apis: Service::ALL.map(|api| Api { name: api.name().to_owned(), calls: CALLS, seconds: 1 }).to_vec(),
        reads: READS.iter().map(read).collect(),
        mutations: MUTATIONS.iter().map(limit).collect(),
        find_targets_max: 1,
        changes: false,
        quote_targets_max: 0,
        balance: true,
    }
}
