//! Which request asks for what: every path of the provider's own API that this plugin answers, as one table.
//!
//! Paths are compared piece by piece as they were sent; only the pieces that are parameters are decoded.

use plugin_sdk::provider_api::request::decode;

use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A token of IAM.
    Token,
    /// The account that the caller belongs to.
    Domains,
    /// The cloud services that there are.
    ServiceTypes,
    /// The types of resources that there are.
    ResourceTypes,
    /// Yearly/monthly resources.
    Query,
    /// A renewal.
    Renew,
    /// The end of subscriptions.
    Unsubscribe,
    /// Automatic renewal on.
    SetAutoRenewal,
    /// Automatic renewal off.
    CancelAutoRenewal,
    /// Pay-per-use on expiry, or no longer.
    Convert,
    /// The day of deduction, or of expiry.
    Configure,
    /// What a renewal costs.
    Price,
    /// What a refund is made of.
    Refund,
    /// What the account has.
    Balance,
}

/// What a request asks for, and the parameters in its path.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What it asks for.
    pub operation: Operation,
    /// Of which generation of the API.
    pub dialect: Dialect,
    /// The account in the path, on the old API.
    pub domain: Option<String>,
    /// The resource in the path.
    pub resource: Option<String>,
}

/// A method, a path and what they ask for. `{domain_id}` and `{resource_id}` are parameters.
pub type Row = (&'static str, &'static str, Operation, Dialect);

/// Every path there is. The misspelt `suscriptions` is the provider's.
pub const ROUTES: [Row; 19] = [
    ("POST", "/v3/auth/tokens", Operation::Token, Dialect::Present),
    ("GET", "/v3/auth/domains", Operation::Domains, Dialect::Present),
    ("GET", "/v2/products/service-types", Operation::ServiceTypes, Dialect::Present),
    ("GET", "/v2/products/resource-types", Operation::ResourceTypes, Dialect::Present),
    ("POST", "/v2/orders/suscriptions/resources/query", Operation::Query, Dialect::Present),
    ("POST", "/v2/orders/subscriptions/resources/renew", Operation::Renew, Dialect::Present),
    ("POST", "/v2/orders/subscriptions/resources/unsubscribe", Operation::Unsubscribe, Dialect::Present),
    (
        "POST",
        "/v2/orders/subscriptions/resources/autorenew/{resource_id}",
        Operation::SetAutoRenewal,
        Dialect::Present,
    ),
    (
        "DELETE",
        "/v2/orders/subscriptions/resources/autorenew/{resource_id}",
        Operation::CancelAutoRenewal,
        Dialect::Present,
    ),
    ("POST", "/v2/orders/subscriptions/resources/to-on-demand", Operation::Convert, Dialect::Present),
    ("POST", "/v2/orders/subscriptions/resources/renew/config", Operation::Configure, Dialect::Present),
    ("POST", "/v2/bills/ratings/period-resources/renew-rate", Operation::Price, Dialect::Present),
    ("GET", "/v2/orders/customer-orders/refund-orders", Operation::Refund, Dialect::Present),
    ("GET", "/v2/accounts/customer-accounts/balances", Operation::Balance, Dialect::Present),
    ("GET", "/v1.0/{domain_id}/common/order-mgr/resources/detail", Operation::Query, Dialect::Old),
    ("POST", "/v1.0/{domain_id}/common/order-mgr/resources/renew", Operation::Renew, Dialect::Old),
    ("POST", "/v1.0/{domain_id}/common/order-mgr/resources/delete", Operation::Unsubscribe, Dialect::Old),
    (
        "POST",
        "/v1.0/{domain_id}/common/order-mgr/resources/{resource_id}/actions",
        Operation::SetAutoRenewal,
        Dialect::Old,
    ),
    (
        "DELETE",
        "/v1.0/{domain_id}/common/order-mgr/resources/{resource_id}/actions",
        Operation::CancelAutoRenewal,
        Dialect::Old,
    ),
];

/// What a request with this method and path asks for.
pub fn find(method: &str, path: &str) -> Result<Route, Problem> {
    let mut allowed = Vec::new();
    for &(known, pattern, operation, dialect) in &ROUTES {
        let Some(parameters) = parameters(pattern, path) else { continue };
        if known != method {
            allowed.push(known);
            continue;
        }
        let mut route = Route { operation, dialect, domain: None, resource: None };
        for (name, raw) in parameters {
            let value = decode(raw, false).ok_or_else(Problem::unknown_path)?;
            match name {
                "{domain_id}" => route.domain = Some(value),
                _ => route.resource = Some(value),
            }
        }
        return Ok(route);
    }
    Err(if allowed.is_empty() {
        Problem::unknown_path()
    } else {
        Problem::unknown_method(allowed.join(", "))
    })
}

/// The parameters of a path that fits the pattern, each with its name, as they were sent; `None` if it does not fit.
fn parameters<'a>(pattern: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let mut found = Vec::new();
    let mut pieces = path.split('/');
    for expected in pattern.split('/') {
        let piece = pieces.next()?;
        if expected.starts_with('{') && !piece.is_empty() {
            found.push((expected, piece));
        } else if expected != piece {
            return None;
        }
    }
    pieces.next().is_none().then_some(found)
}
