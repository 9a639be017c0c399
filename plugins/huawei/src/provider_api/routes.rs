//! The operation of each method and path, as one table.
//!
//! Paths are compared segment by segment as they were sent; only the parameters are decoded.

use plugin_sdk::provider_api::request::decode;

use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;

/// The operation of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Issue a token of IAM.
    Token,
    /// Show the caller's account.
    Domains,
    /// List the cloud services.
    ServiceTypes,
    /// List the types of resources.
    ResourceTypes,
    /// List yearly/monthly resources.
    Query,
    /// Renews yearly/monthly resources.
    Renew,
    /// Unsubscribe from resources.
    Unsubscribe,
    /// Switch automatic renewal on.
    SetAutoRenewal,
    /// Switch automatic renewal off.
    CancelAutoRenewal,
    /// Set or cancel the change to pay-per-use on expiry.
    Convert,
    /// Set the day of deduction, or of expiry.
    Configure,
    /// Show the price of a renewal.
    Price,
    /// Show the records of a refund.
    Refund,
    /// List the orders of the account.
    Orders,
    /// Show one order with its lines.
    OrderDetails,
    /// Pay an order that waits to be paid.
    PayOrder,
    /// Cancel an order that waits to be paid.
    CancelOrder,
    /// Show the balance of the account.
    Balance,
}

/// The operation of a request, and the parameters in its path.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The operation of the path.
    pub operation: Operation,
    /// The generation of the API.
    pub dialect: Dialect,
    /// The account in the path, on the old API.
    pub domain: Option<String>,
    /// The resource in the path.
    pub resource: Option<String>,
    /// The order in the path.
    pub order: Option<String>,
}

/// A method and a path with their operation. `{domain_id}`, `{resource_id}` and `{order_id}` are parameters.
pub type Row = (&'static str, &'static str, Operation, Dialect);

/// Every path. The misspelt `suscriptions` is the provider's.
pub const ROUTES: [Row; 23] = [
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
    ("GET", "/v2/orders/customer-orders", Operation::Orders, Dialect::Present),
    ("GET", "/v2/orders/customer-orders/details/{order_id}", Operation::OrderDetails, Dialect::Present),
    ("PUT", "/v2/orders/customer-orders/cancel", Operation::CancelOrder, Dialect::Present),
    ("POST", "/v3/orders/customer-orders/pay", Operation::PayOrder, Dialect::Present),
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

/// The route of a request with this method and path.
pub fn find(method: &str, path: &str) -> Result<Route, Problem> {
    let mut allowed = Vec::new();
    for &(known, pattern, operation, dialect) in &ROUTES {
        let Some(parameters) = parameters(pattern, path) else { continue };
        if known != method {
            allowed.push(known);
            continue;
        }
        let mut route = Route { operation, dialect, domain: None, resource: None, order: None };
        for (name, raw) in parameters {
            let value = decode(raw, false).ok_or_else(Problem::unknown_path)?;
            match name {
                "{domain_id}" => route.domain = Some(value),
                "{order_id}" => route.order = Some(value),
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

/// The parameters of a path that matches the pattern, each with its name, as they were sent; `None` if it does not
/// match.
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
