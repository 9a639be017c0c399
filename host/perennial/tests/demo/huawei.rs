//! Huawei's rules in the demo: each in words, and the events that show it.

use serde_json::json;

use crate::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        (
            "Huawei tries at 03:00 in UTC+8, seven days before the day of expiry where so set",
            vec![
                json!({"at": "2026-01-23T19:00:00Z", "resource": "lark-web", "type": "renewal_settled", "expires_before": "2026-01-31T15:59:59Z", "cause": "auto"}),
            ],
        ),
        (
            "Huawei tries five days before expiry where so set",
            vec![
                json!({"at": "2026-01-16T19:00:00Z", "resource": "tide-lobby", "type": "renewal_settled", "expires_before": "2026-01-22T15:59:59Z"}),
            ],
        ),
        (
            "Huawei tries three days before expiry where so set",
            vec![
                json!({"at": "2026-01-10T19:00:00Z", "resource": "meri-logs", "type": "renewal_settled", "expires_before": "2026-01-14T15:59:59Z"}),
            ],
        ),
        (
            "a month's end is kept through shorter months",
            vec![
                json!({"at": "2026-01", "resource": "lark-web", "type": "renewal_settled", "expires_at": "2026-02-28T15:59:59Z"}),
                json!({"at": "2026-02", "resource": "lark-web", "type": "renewal_settled", "expires_at": "2026-03-31T15:59:59Z"}),
                json!({"at": "2026-03", "resource": "lark-web", "type": "renewal_settled", "expires_at": "2026-04-30T15:59:59Z"}),
            ],
        ),
        (
            "a server takes its disk, network, address and bandwidth along",
            vec![
                json!({"at": "2026-01", "resource": "lark-web", "type": "renewal_settled", "primary": null}),
                json!({"at": "2026-01", "resource": "lark-web-bandwidth", "type": "renewal_settled", "primary": "lark-web"}),
                json!({"at": "2026-01", "resource": "lark-web-disk", "type": "renewal_settled", "primary": "lark-web"}),
                json!({"at": "2026-01", "resource": "lark-web-ip", "type": "renewal_settled", "primary": "lark-web"}),
                json!({"at": "2026-01", "resource": "lark-web-network", "type": "renewal_settled", "primary": "lark-web"}),
            ],
        ),
        (
            "a shared bandwidth takes its addresses along",
            vec![
                json!({"at": "2026-02", "resource": "lark-cdn", "type": "renewal_settled", "primary": null}),
                json!({"at": "2026-02", "resource": "lark-cdn-ip-1", "type": "renewal_settled", "primary": "lark-cdn"}),
                json!({"at": "2026-02", "resource": "lark-cdn-ip-2", "type": "renewal_settled", "primary": "lark-cdn"}),
            ],
        ),
        (
            "an address takes its exclusive bandwidth along",
            vec![
                json!({"at": "2026-03", "resource": "lark-mail-bandwidth", "type": "renewal_settled", "primary": "lark-mail-ip"}),
                json!({"at": "2026-03", "resource": "lark-mail-ip", "type": "renewal_settled", "primary": null}),
            ],
        ),
        (
            "a try that finds too little money is made again daily",
            vec![
                json!({"at": "2026-04-09T19:00:00Z", "resource": "tide-lobby", "type": "renewal_declined", "class": "money", "code": "CBC.30050006", "next_try_at": "2026-04-10T19:00:00Z"}),
                json!({"at": "2026-04-10T19:00:00Z", "resource": "tide-lobby", "type": "renewal_declined", "class": "money", "code": "CBC.30050006", "next_try_at": "2026-04-11T19:00:00Z"}),
                json!({"at": "2026-04-11T19:00:00Z", "resource": "tide-lobby", "type": "renewal_declined", "class": "money", "code": "CBC.30050006", "next_try_at": "2026-04-12T19:00:00Z"}),
                json!({"at": "2026-04-12T06", "type": "balance_changed", "reason": "top_up", "account": "tidepool-games"}),
                json!({"at": "2026-04-12T19:00:00Z", "resource": "tide-lobby", "type": "renewal_settled", "cause": "auto"}),
            ],
        ),
        (
            "without money there is grace, retention and release",
            vec![
                json!({"at": "2026-08-09", "resource": "tide-match", "type": "renewal_declined"}),
                json!({"at": "2026-08-14", "resource": "tide-match", "type": "renewal_declined", "next_try_at": null}),
                json!({"at": "2026-08-15T15:59:59Z", "resource": "tide-match", "type": "stage_changed", "from": "active", "to": "grace"}),
                json!({"at": "2026-08-16T15:59:59Z", "resource": "tide-match", "type": "stage_changed", "from": "grace", "to": "retention"}),
                json!({"at": "2026-08-20", "type": "balance_changed", "reason": "top_up", "account": "tidepool-games"}),
                json!({"at": "2026-08-23T15:59:59Z", "resource": "tide-match", "type": "stage_changed", "from": "retention", "to": "released"}),
                json!({"at": "2026-08-26", "resource": "tide-match", "type": "command_refused", "code": "CBC.99003016"}),
            ],
        ),
        (
            "on the international site grace and retention last fifteen days each",
            vec![
                json!({"at": "2026-06-25T15:59:59Z", "resource": "meri-vpn", "type": "stage_changed", "from": "active", "to": "grace"}),
                json!({"at": "2026-07-10T15:59:59Z", "resource": "meri-vpn", "type": "stage_changed", "from": "grace", "to": "retention"}),
            ],
        ),
        (
            "a renewal by hand without money is refused",
            vec![
                json!({"at": "2026-08-20T03", "resource": "tide-arena", "type": "command_refused", "command": "renew", "code": "CBC.30050006"}),
            ],
        ),
        (
            "a renewal in grace counts from the original expiry",
            vec![
                json!({"at": "2026-06-18", "resource": "lark-cdn", "type": "stage_changed", "from": "active", "to": "grace"}),
                json!({"at": "2026-06-22", "resource": "lark-cdn", "type": "renewal_settled", "cause": "command", "expires_before": "2026-06-18T15:59:59Z", "expires_at": "2026-07-18T15:59:59Z"}),
                json!({"at": "2026-06-22", "resource": "lark-cdn", "type": "stage_changed", "from": "grace", "to": "active"}),
            ],
        ),
        (
            "a renewal in retention counts from the original expiry",
            vec![
                json!({"at": "2026-07-10", "resource": "meri-vpn", "type": "stage_changed", "from": "grace", "to": "retention"}),
                json!({"at": "2026-07-20", "resource": "meri-vpn", "type": "renewal_settled", "cause": "command", "expires_before": "2026-06-25T15:59:59Z", "expires_at": "2026-12-25T15:59:59Z"}),
                json!({"at": "2026-07-20", "resource": "meri-vpn", "type": "stage_changed", "from": "retention", "to": "active"}),
            ],
        ),
        (
            "a renewal for another term costs by its months",
            vec![
                json!({"at": "2026-08-20T06", "resource": "tide-arena", "type": "renewal_settled", "cost": "1950.00", "term": {"count": 6, "unit": "month"}}),
            ],
        ),
        (
            "a renewal by hand leaves automatic renewal alone and moves its tries",
            vec![
                json!({"at": "2026-11-18", "resource": "tide-lobby", "type": "renewal_settled", "cause": "command", "expires_at": "2027-01-15T15:59:59Z"}),
            ],
        ),
        (
            "a renewal by hand moves a yearly expiry",
            vec![
                json!({"at": "2026-04-02", "resource": "lark-database", "type": "renewal_settled", "cause": "command", "expires_before": "2026-05-20T15:59:59Z", "expires_at": "2027-05-20T15:59:59Z"}),
            ],
        ),
        (
            "switching automatic renewal on after the last 03:00 tries at once",
            vec![
                json!({"at": "2026-04-10T05:00:00Z", "resource": "meri-gpu", "type": "setting_changed", "setting": "on_expiry", "value": "renew"}),
                json!({"at": "2026-04-10T05:00:00Z", "resource": "meri-gpu", "type": "renewal_settled", "cause": "auto", "expires_before": "2026-04-10T15:59:59Z"}),
            ],
        ),
        (
            "renewals_left runs out and automatic renewal is off",
            vec![
                json!({"at": "2026-02-10", "resource": "lark-cdn", "type": "setting_changed", "setting": "renewals_left", "value": "3"}),
                json!({"at": "2026-05-10", "resource": "lark-cdn", "type": "setting_changed", "setting": "renewals_left", "value": "0"}),
                json!({"at": "2026-05-10", "resource": "lark-cdn", "type": "setting_changed", "setting": "on_expiry", "value": "lapse"}),
                json!({"at": "2026-06-18", "resource": "lark-cdn", "type": "stage_changed", "from": "active", "to": "grace"}),
            ],
        ),
        (
            "a unified expiry day is reached with extra days, paid by the day",
            vec![
                json!({"at": "2026-01-16", "resource": "tide-lobby", "type": "renewal_settled", "expires_at": "2026-03-15T15:59:59Z", "extra_days": 21, "cost": "646.00"}),
                json!({"at": "2026-03-09", "resource": "tide-lobby", "type": "renewal_settled", "expires_at": "2026-04-15T15:59:59Z", "extra_days": 0, "cost": "380.00"}),
            ],
        ),
        (
            "automatic renewal is for the original term",
            vec![
                json!({"at": "2026-06-16", "resource": "tide-scores", "type": "renewal_settled", "term": {"count": 3, "unit": "month"}, "cause": "auto"}),
            ],
        ),
        (
            "automatic renewal is for another term where one is set",
            vec![
                json!({"at": "2026-07-13", "resource": "lark-search", "type": "setting_changed", "setting": "renewal_term", "value": "6 months"}),
                json!({"at": "2026-07-17", "resource": "lark-search", "type": "renewal_settled", "term": {"count": 6, "unit": "month"}, "cause": "auto", "cost": "1860.00"}),
            ],
        ),
        (
            "a renewal named on an attached resource is refused",
            vec![
                json!({"at": "2026-02-10", "resource": "lark-web-disk", "type": "command_refused", "command": "renew", "code": "CBC.30010036"}),
            ],
        ),
        (
            "automatic renewal set on an attached resource is set on its primary too",
            vec![
                json!({"at": "2026-03-10", "resource": "lark-mail-bandwidth", "type": "setting_changed", "setting": "on_expiry", "value": "renew"}),
                json!({"at": "2026-03-10", "resource": "lark-mail-ip", "type": "setting_changed", "setting": "on_expiry", "value": "renew"}),
            ],
        ),
        (
            "automatic renewal cannot be set on what has expired",
            vec![
                json!({"at": "2026-06-20", "resource": "lark-cdn", "type": "command_refused", "command": "set_auto_renew", "code": "CBC.99003602"}),
            ],
        ),
        (
            "automatic renewal that is off cannot be cancelled",
            vec![
                json!({"at": "2026-11-02", "resource": "lark-cdn", "type": "setting_changed", "setting": "on_expiry", "value": "lapse"}),
                json!({"at": "2026-11-03", "resource": "lark-cdn", "type": "command_refused", "command": "cancel_auto_renew", "code": "CBC.99003605"}),
            ],
        ),
        (
            "conversion to pay-per-use is set and carried out on expiry",
            vec![
                json!({"at": "2026-03-02", "resource": "lark-staging", "type": "setting_changed", "setting": "on_expiry", "value": "convert"}),
                json!({"at": "2026-03-12T15:59:59Z", "resource": "lark-staging", "type": "converted"}),
                json!({"at": "2026-04-14", "resource": "lark-staging", "type": "command_refused", "code": "CBC.30050013"}),
            ],
        ),
        (
            "conversion follows the primary",
            vec![
                json!({"at": "2026-10-10", "resource": "meri-gpu", "type": "converted"}),
                json!({"at": "2026-10-10", "resource": "meri-gpu-disk", "type": "converted"}),
            ],
        ),
        (
            "conversion is set and cancelled",
            vec![
                json!({"at": "2026-07-05", "resource": "lark-search", "type": "setting_changed", "setting": "on_expiry", "value": "convert"}),
                json!({"at": "2026-07-12", "resource": "lark-search", "type": "setting_changed", "setting": "on_expiry", "value": "lapse"}),
            ],
        ),
        (
            "conversion is refused in grace",
            vec![
                json!({"at": "2026-06-18", "resource": "lark-cdn", "type": "stage_changed", "from": "active", "to": "grace"}),
                json!({"at": "2026-06-20", "resource": "lark-cdn", "type": "command_refused", "command": "convert_on_expiry", "code": "CBC.99003610"}),
            ],
        ),
        (
            "conversion is refused in retention",
            vec![
                json!({"at": "2026-07-10", "resource": "meri-vpn", "type": "stage_changed", "from": "grace", "to": "retention"}),
                json!({"at": "2026-07-13", "resource": "meri-vpn", "type": "command_refused", "command": "convert_on_expiry", "code": "CBC.99003610"}),
            ],
        ),
        (
            "conversion is refused for packages",
            vec![
                json!({"at": "2026-02-27", "resource": "meri-cci.2", "type": "command_refused", "command": "convert_on_expiry", "code": "CBC.99003611"}),
            ],
        ),
        (
            "conversion is refused for CodeArts",
            vec![
                json!({"at": "2026-03-16", "resource": "meri-repo", "type": "command_refused", "command": "convert_on_expiry", "code": "CBC.99003609"}),
            ],
        ),
        (
            "an unsubscription pays back what is unused, of the original order",
            vec![
                json!({"at": "2026-05-06", "resource": "tide-cache", "type": "unsubscribed", "scope": "all", "refund": "595.08", "original_order": "purchase/tide-cache"}),
                json!({"at": "2026-05-06", "resource": "tide-cache", "type": "stage_changed", "from": "active", "to": "unsubscribed"}),
            ],
        ),
        (
            "an unsubscription ends what is attached too, each refund traced to the order that paid for the days",
            vec![
                json!({"at": "2026-11-04", "resource": "lark-cdn", "type": "unsubscribed", "refund": "117.41", "original_order": "lark-cdn/2026-10-18T15:59:59Z/1month"}),
                json!({"at": "2026-11-04", "resource": "lark-cdn-ip-1", "type": "unsubscribed", "refund": "6.77"}),
                json!({"at": "2026-11-04", "resource": "lark-cdn-ip-2", "type": "unsubscribed", "refund": "6.77"}),
            ],
        ),
        (
            "periods that have not begun are given back whole, once",
            vec![
                json!({"at": "2026-06-23", "resource": "tide-balancer", "type": "renewal_settled", "cost": "900.00"}),
                json!({"at": "2026-06-25", "resource": "tide-balancer", "type": "unsubscribed", "scope": "future", "refund": "900.00"}),
                json!({"at": "2026-06-25", "resource": "tide-balancer", "type": "command_refused", "code": "CBC.99003128"}),
            ],
        ),
        (
            "what was unsubscribed from is not renewed",
            vec![
                json!({"at": "2026-11-26", "resource": "tide-legacy", "type": "command_refused", "code": "CBC.99003016"}),
            ],
        ),
        (
            "a package in force is not given back",
            vec![
                json!({"at": "2026-02-27", "resource": "meri-cci.2", "type": "command_refused", "command": "unsubscribe", "code": "CBC.99003647"}),
            ],
        ),
        (
            "a CodeArts package is not given back",
            vec![
                json!({"at": "2026-03-16", "resource": "meri-repo", "type": "command_refused", "command": "unsubscribe", "code": "CBC.99003652"}),
            ],
        ),
        (
            "what is to be released on expiry is released then",
            vec![
                json!({"at": "2026-04-15T15:59:59Z", "resource": "tide-tournament", "type": "stage_changed", "from": "active", "to": "released"}),
            ],
        ),
        (
            "pay-per-use resources are not renewed",
            vec![
                json!({"at": "2026-10-20", "resource": "meri-burst", "type": "command_refused", "code": "CBC.30050013"}),
            ],
        ),
        (
            "a CodeArts package goes through all of its stages",
            vec![
                json!({"at": "2026-03-16", "resource": "meri-repo", "type": "notice", "notice": "codearts-expires-soon"}),
                json!({"at": "2026-03-31T15:59:59Z", "resource": "meri-repo", "type": "stage_changed", "from": "active", "to": "grace"}),
                json!({"at": "2026-04-15", "resource": "meri-repo", "type": "notice", "notice": "codearts-frozen"}),
                json!({"at": "2026-04-15T15:59:59Z", "resource": "meri-repo", "type": "stage_changed", "from": "grace", "to": "retention"}),
                json!({"at": "2026-04-30", "resource": "meri-repo", "type": "notice", "notice": "codearts-data-lost"}),
                json!({"at": "2026-04-30T15:59:59Z", "resource": "meri-repo", "type": "stage_changed", "from": "retention", "to": "released"}),
            ],
        ),
        (
            "a CodeArts feature stops at its expiry and comes back by renewal",
            vec![
                json!({"at": "2026-05-10", "resource": "meri-scan", "type": "notice", "notice": "codearts-features-stopped"}),
                json!({"at": "2026-05-10", "resource": "meri-scan", "type": "stage_changed", "from": "active", "to": "retention"}),
                json!({"at": "2026-05-24", "resource": "meri-scan", "type": "renewal_settled", "cause": "command", "expires_before": "2026-05-10T15:59:59Z"}),
                json!({"at": "2026-05-24", "resource": "meri-scan", "type": "stage_changed", "from": "retention", "to": "active"}),
            ],
        ),
        (
            "the existing package is used first, what it lacks comes from the next",
            vec![
                json!({"at": "2026-03-03", "resource": "meri-cci", "type": "package_used", "amount": "340.00", "left": "0.00"}),
                json!({"at": "2026-03-03", "resource": "meri-cci", "type": "package_depleted"}),
                json!({"at": "2026-03-03", "resource": "meri-cci.2", "type": "package_used", "amount": "300.00"}),
            ],
        ),
        (
            "a package runs low, once, and is depleted",
            vec![
                json!({"at": "2026-04-14", "resource": "meri-cci.2", "type": "package_low", "left": "460.00"}),
                json!({"at": "2026-04-28", "resource": "meri-cci.2", "type": "package_depleted", "left": "0.00"}),
            ],
        ),
        (
            "a package bought again is in force on payment, with the same quota",
            vec![
                json!({"at": "2026-02-26", "resource": "meri-cci.2", "type": "package_bought", "effective_at": "2026-02-26T08:00:00Z", "quota": "3000.00", "like": "meri-cci"}),
            ],
        ),
        (
            "a package bought again is in force at a chosen time and covers nothing before",
            vec![
                json!({"at": "2026-05-04", "resource": "meri-cci.3", "type": "package_bought", "effective_at": "2026-05-26T16:00:00Z"}),
                json!({"at": "2026-05-26T12", "type": "usage_uncovered", "amount": "480.00", "resource_type": "cci"}),
                json!({"at": "2026-06-05", "resource": "meri-cci.3", "type": "package_used", "amount": "700.00"}),
            ],
        ),
        (
            "a package paid later than its chosen time is in force on payment, also when the one before has ended",
            vec![
                json!({"at": "2026-08-19", "resource": "meri-cci.3", "type": "package_ordered", "pay_at": "2026-09-03T08:00:00Z", "effective_at": "2026-09-03T08:00:00Z"}),
                json!({"at": "2026-08-27T15:59:59Z", "resource": "meri-cci.3", "type": "stage_changed", "to": "released"}),
                json!({"at": "2026-09-02", "type": "usage_uncovered", "amount": "260.00"}),
                json!({"at": "2026-09-03", "resource": "meri-cci.4", "type": "package_bought", "effective_at": "2026-09-03T08:00:00Z"}),
                json!({"at": "2026-09-15", "resource": "meri-cci.4", "type": "package_used", "amount": "700.00"}),
            ],
        ),
        (
            "a renewed package's quota starts anew",
            vec![
                json!({"at": "2026-01-14T15:59:59Z", "resource": "meri-logs", "type": "package_refilled", "left": "500.00"}),
                json!({"at": "2026-02-10", "resource": "meri-logs", "type": "renewal_settled", "cause": "auto"}),
            ],
        ),
        (
            "a package renewed after the host was down past its end starts anew at once",
            vec![
                json!({"at": "2026-06-16T10", "resource": "meri-logs", "type": "renewal_settled", "expires_before": "2026-06-14T15:59:59Z"}),
                json!({"at": "2026-06-16T10", "resource": "meri-logs", "type": "package_refilled", "left": "500.00"}),
            ],
        ),
        (
            "a package has no grace and no retention",
            vec![
                json!({"at": "2026-03-20T15:59:59Z", "resource": "meri-cci", "type": "stage_changed", "from": "active", "to": "released"}),
            ],
        ),
        (
            "owners are told 7, 3 and 1 days before an expiry that nobody renews",
            vec![
                json!({"at": "2026-08-08", "resource": "tide-arena", "type": "notice", "notice": "expires-soon"}),
                json!({"at": "2026-08-12", "resource": "tide-arena", "type": "notice", "notice": "expires-soon"}),
                json!({"at": "2026-08-14", "resource": "tide-arena", "type": "notice", "notice": "expires-soon"}),
            ],
        ),
        (
            "owners are told that automatic renewal fails, and of the release",
            vec![
                json!({"at": "2026-08-10", "resource": "tide-match", "type": "notice", "notice": "auto-renewal-failed"}),
                json!({"at": "2026-08-13", "resource": "tide-match", "type": "notice", "notice": "auto-renewal-failed"}),
                json!({"at": "2026-08-15", "resource": "tide-match", "type": "notice", "notice": "auto-renewal-failed"}),
                json!({"at": "2026-08-17", "resource": "tide-match", "type": "notice", "notice": "released-soon"}),
                json!({"at": "2026-08-21", "resource": "tide-match", "type": "notice", "notice": "released-soon"}),
                json!({"at": "2026-08-23", "resource": "tide-match", "type": "notice", "notice": "released-soon"}),
            ],
        ),
    ]
}
