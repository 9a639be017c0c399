//! What is sent to Huawei Cloud: hosts, reads, mutations, and how many calls a second.
//!
//! Sources: "Regions and Endpoints" of the business support system for the hosts, "API Throttling" (fci_00002) for the
//! quotas, and the document of each call for the resources of one request.

use plugin_sdk::connector::Api;
use plugin_sdk::connector::Capabilities;
use plugin_sdk::connector::MutationLimit;
use plugin_sdk::connector::MutationName;
use plugin_sdk::connector::Read;

/// The hosts of the legal sites, by the setting `site`.
pub(crate) const HOSTS: [(&str, &str); 3] =
    [("cn", "bss.myhuaweicloud.com"), ("intl", "bss-intl.myhuaweicloud.com"), ("eu", "bss.myhuaweicloud.eu")];

/// The path of the query for resources; the missing letter is the provider's.
pub(crate) const RESOURCES: &str = "/v2/orders/suscriptions/resources/query";
/// The path of the list of orders.
pub(crate) const ORDERS: &str = "/v2/orders/customer-orders";
/// The path of the price of a renewal.
pub(crate) const QUOTE: &str = "/v2/bills/ratings/period-resources/renew-rate";
/// The path of the balance.
pub(crate) const BALANCE: &str = "/v2/accounts/customer-accounts/balances";

/// The most resources of one query (api_order_00021), and of one change or price (api_order_00018).
pub(crate) const FIND_MAX: u32 = 50;
pub(crate) const TARGETS_MAX: u32 = 10;

/// The APIs that are throttled by themselves, each with its calls a second.
const APIS: [(&str, u32); 5] =
    [("resources", 10), ("orders", 10), ("prices", 20), ("balances", 20), ("subscriptions", 10)];
/// The places of the APIs in that list.
pub(crate) const RESOURCES_API: u32 = 0;
pub(crate) const ORDERS_API: u32 = 1;
pub(crate) const PRICES_API: u32 = 2;
pub(crate) const BALANCES_API: u32 = 3;
pub(crate) const SUBSCRIPTIONS_API: u32 = 4;

/// A read: its name, its label, method, path and parameters.
type ReadRow = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const READS: [ReadRow; 4] = [
    (
        "list-resources",
        "Yearly/monthly resources with their expiry (api_order_00021)",
        "POST",
        RESOURCES,
        &[],
    ),
    (
        "list-orders",
        "Orders and their states (api_order_00002)",
        "GET",
        ORDERS,
        &["order_id", "create_time_begin", "limit", "offset"],
    ),
    ("quote-renewals", "What renewals would cost (renew-rate)", "POST", QUOTE, &[]),
    ("read-balance", "The balance of the account (bc_00001)", "GET", BALANCE, &[]),
];

/// A mutation, and how many resources of one request it takes.
const MUTATIONS: [(MutationName, u32); 8] = [
    (MutationName::Renew, TARGETS_MAX),
    (MutationName::SetAutoRenew, 1),
    (MutationName::CancelAutoRenew, 1),
    (MutationName::Unsubscribe, TARGETS_MAX),
    (MutationName::ConvertOnExpiry, 100),
    (MutationName::CancelConversion, 100),
    (MutationName::PayOrder, TARGETS_MAX),
    (MutationName::CancelOrder, TARGETS_MAX),
];

/// What this connector translates.
pub fn capabilities() -> Capabilities {
    let read = |&(name, label, method, path, parameters): &ReadRow| Read {
        name: name.to_owned(),
        label: label.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        parameters: parameters.iter().map(|&name| name.to_owned()).collect(),
    };
    let limit = |&(mutation, targets_max): &(MutationName, u32)| MutationLimit {
        mutation,
        targets_max,
        same_kind: false,
        same_region: false,
        // The renewal has no field for a token: api_order_00018.
        takes_client_token: false,
        is_shown: true,
    };
    Capabilities {
        hosts: HOSTS.iter().map(|(_, host)| (*host).to_owned()).collect(),
        apis: APIS.iter().map(|&(name, calls)| Api { name: name.to_owned(), calls, seconds: 1 }).collect(),
        reads: READS.iter().map(read).collect(),
        mutations: MUTATIONS.iter().map(limit).collect(),
        find_targets_max: FIND_MAX,
        changes: true,
        quote_targets_max: TARGETS_MAX,
        balance: true,
    }
}
