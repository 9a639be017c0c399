//! Baidu's rules in the demo: each in words, and the events that show it.

use serde_json::json;

use crate::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        (
            "Baidu tries 7, 3, 1 and 0 days before the expiry, and never after",
            vec![
                json!({"at": "2026-10-04T01:00:00Z", "resource": "osier-imaging", "type": "renewal_declined", "class": "money", "code": "OperationDenied", "next_try_at": "2026-10-08T01:00:00Z"}),
                json!({"at": "2026-10-08T01:00:00Z", "resource": "osier-imaging", "type": "renewal_declined", "class": "money", "code": "OperationDenied", "next_try_at": "2026-10-10T01:00:00Z"}),
                json!({"at": "2026-10-10T01:00:00Z", "resource": "osier-imaging", "type": "renewal_declined", "class": "money", "code": "OperationDenied", "next_try_at": "2026-10-11T01:00:00Z"}),
                json!({"at": "2026-10-11T01:00:00Z", "resource": "osier-imaging", "type": "renewal_declined", "class": "money", "code": "OperationDenied", "next_try_at": null}),
            ],
        ),
        (
            "a top-up between Baidu's tries saves the resource",
            vec![
                json!({"at": "2026-05-08", "resource": "osier-imaging", "type": "renewal_declined"}),
                json!({"at": "2026-05-09", "type": "balance_changed", "reason": "top_up", "account": "osier-clinic"}),
                json!({"at": "2026-05-10T01:00:00Z", "resource": "osier-imaging", "type": "renewal_settled", "cause": "auto"}),
            ],
        ),
        (
            "an auto-renew rule covers disks and addresses",
            vec![
                json!({"at": "2026-02-04", "resource": "osier-imaging", "type": "renewal_settled", "primary": null}),
                json!({"at": "2026-02-04", "resource": "osier-imaging-ip", "type": "renewal_settled", "primary": "osier-imaging"}),
                json!({"at": "2026-02-04", "resource": "osier-imaging-scans", "type": "renewal_settled", "primary": "osier-imaging"}),
            ],
        ),
        (
            "the hour of Baidu's tries is a setting",
            vec![
                json!({"at": "2026-01-13T00:00:00Z", "resource": "kest-track", "type": "renewal_settled", "expires_before": "2026-01-20T15:59:59Z"}),
            ],
        ),
        (
            "a Baidu server stops at its expiry and starts again by a renewal",
            vec![
                json!({"at": "2026-10-11T15:59:59Z", "resource": "osier-imaging", "type": "stage_changed", "from": "active", "to": "retention"}),
                json!({"at": "2026-10-11", "resource": "osier-imaging", "type": "setting_changed", "setting": "status", "value": "stopped"}),
                json!({"at": "2026-10-14", "resource": "osier-imaging", "type": "renewal_settled", "cause": "command"}),
                json!({"at": "2026-10-14", "resource": "osier-imaging", "type": "stage_changed", "from": "retention", "to": "active"}),
                json!({"at": "2026-10-14", "resource": "osier-imaging", "type": "setting_changed", "setting": "status", "value": "running"}),
            ],
        ),
        (
            "data is kept seven days and then deleted",
            vec![
                json!({"at": "2026-05-04T15:59:59Z", "resource": "osier-kiosk", "type": "stage_changed", "from": "active", "to": "retention"}),
                json!({"at": "2026-05-10T15:59:59Z", "resource": "osier-kiosk", "type": "notice", "notice": "released-soon"}),
                json!({"at": "2026-05-11T15:59:59Z", "resource": "osier-kiosk", "type": "notice", "notice": "released"}),
                json!({"at": "2026-05-11T15:59:59Z", "resource": "osier-kiosk", "type": "stage_changed", "from": "retention", "to": "released"}),
                json!({"at": "2026-05-12", "resource": "osier-kiosk", "type": "command_refused", "code": "NoSuchObject"}),
            ],
        ),
        (
            "a direct connect port runs on before it stops",
            vec![
                json!({"at": "2026-04-20T15:59:59Z", "resource": "kest-port", "type": "stage_changed", "from": "active", "to": "grace"}),
                json!({"at": "2026-04-27T15:59:59Z", "resource": "kest-port", "type": "stage_changed", "from": "grace", "to": "retention"}),
                json!({"at": "2026-04-27", "resource": "kest-port", "type": "setting_changed", "setting": "status", "value": "stopped"}),
                json!({"at": "2026-05-06", "resource": "kest-port", "type": "renewal_settled", "expires_at": "2027-04-20T15:59:59Z"}),
                json!({"at": "2026-05-06", "resource": "kest-port", "type": "setting_changed", "setting": "status", "value": "running"}),
            ],
        ),
        (
            "relatedRenewFlag empty",
            vec![
                json!({"at": "2026-01-24T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
            ],
        ),
        (
            "relatedRenewFlag CDS",
            vec![
                json!({"at": "2026-02-20T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-02-20T01", "resource": "osier-app-data", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag EIP",
            vec![
                json!({"at": "2026-03-24T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-03-24T01", "resource": "osier-app-ip", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag CDS_EIP",
            vec![
                json!({"at": "2026-04-03T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-04-03T01", "resource": "osier-app-data", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
                json!({"at": "2026-04-03T01", "resource": "osier-app-ip", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag CDS_MKT",
            vec![
                json!({"at": "2026-05-22T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-05-22T01", "resource": "osier-app-data", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
                json!({"at": "2026-05-22T01", "resource": "osier-app-firewall", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag MKT",
            vec![
                json!({"at": "2026-06-23T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-06-23T01", "resource": "osier-app-firewall", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag EIP_MKT",
            vec![
                json!({"at": "2026-07-24T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-07-24T01", "resource": "osier-app-firewall", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
                json!({"at": "2026-07-24T01", "resource": "osier-app-ip", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag CDS_EIP_MKT",
            vec![
                json!({"at": "2026-07-28T01", "resource": "osier-app", "type": "renewal_settled", "cause": "command", "primary": null}),
                json!({"at": "2026-07-28T01", "resource": "osier-app-data", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
                json!({"at": "2026-07-28T01", "resource": "osier-app-firewall", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
                json!({"at": "2026-07-28T01", "resource": "osier-app-ip", "type": "renewal_settled", "cause": "command", "primary": "osier-app"}),
            ],
        ),
        (
            "relatedRenewFlag in another order of words is refused",
            vec![
                json!({"at": "2026-07-28", "resource": "osier-app", "type": "command_refused", "code": "BadRequest", "message": "EIP_CDS"}),
            ],
        ),
        (
            "a disk left out expires by itself, and one that joins is aligned with the instance's new expiry",
            vec![
                json!({"at": "2026-03-31", "resource": "osier-app-data", "type": "stage_changed", "from": "active", "to": "retention"}),
                json!({"at": "2026-04-03", "resource": "osier-app", "type": "renewal_settled", "expires_at": "2026-05-31T15:59:59Z"}),
                json!({"at": "2026-04-03", "resource": "osier-app-data", "type": "renewal_settled", "expires_before": "2026-03-31T15:59:59Z", "expires_at": "2026-05-31T15:59:59Z", "term": {"count": 2, "unit": "month"}}),
                json!({"at": "2026-04-03", "resource": "osier-app-data", "type": "stage_changed", "from": "retention", "to": "active"}),
            ],
        ),
        (
            "a disk renewed by its own name without a term is aligned with its instance",
            vec![
                json!({"at": "2026-01-26", "resource": "osier-app-data", "type": "renewal_settled", "primary": null, "expires_at": "2026-02-28T15:59:59Z"}),
            ],
        ),
        (
            "a server that is being scaled is renewed neither automatically nor by hand, until it is done",
            vec![
                json!({"at": "2026-02-12", "resource": "kest-track", "type": "setting_changed", "setting": "status", "value": "scaling"}),
                json!({"at": "2026-02-13", "resource": "kest-track", "type": "renewal_declined", "class": "rule", "code": "OperationDenied"}),
                json!({"at": "2026-02-14", "resource": "kest-track", "type": "command_refused", "code": "OperationDenied", "message": "scaled"}),
                json!({"at": "2026-02-15", "resource": "kest-track", "type": "setting_changed", "setting": "status", "value": "running"}),
                json!({"at": "2026-02-17", "resource": "kest-track", "type": "renewal_settled", "cause": "auto"}),
            ],
        ),
        (
            "a dedicated instance is not renewed",
            vec![
                json!({"at": "2026-03-24", "resource": "kest-hub", "type": "command_refused", "code": "OperationDenied", "message": "dedicated"}),
            ],
        ),
        (
            "a pay-as-you-go instance is not renewed",
            vec![
                json!({"at": "2026-09-16", "resource": "kest-batch", "type": "command_refused", "code": "OperationDenied", "message": "pay-as-you-go"}),
            ],
        ),
        (
            "a length that is not sold is refused",
            vec![
                json!({"at": "2026-08-19", "resource": "kest-dispatch", "type": "command_refused", "code": "BadRequest", "message": "10 month"}),
            ],
        ),
        (
            "a unit that is not sold is refused",
            vec![
                json!({"at": "2026-08-19", "resource": "kest-dispatch", "type": "command_refused", "code": "BadRequest", "message": "90 day"}),
            ],
        ),
        (
            "an unknown id is refused",
            vec![
                json!({"at": "2026-08-19", "resource": "kest-dispach", "type": "command_refused", "code": "NoSuchObject", "account": "kestrel-freight"}),
            ],
        ),
        (
            "a clientToken that is not ASCII is refused",
            vec![
                json!({"at": "2026-08-19", "resource": "kest-dispatch", "type": "command_refused", "code": "BadRequest", "message": "ASCII"}),
            ],
        ),
        (
            "a clientToken with other parameters is refused",
            vec![
                json!({"at": "2026-08-20T02:00", "resource": "kest-dispatch", "type": "renewal_settled", "term": {"count": 3, "unit": "month"}}),
                json!({"at": "2026-08-20T02:20", "resource": "kest-dispatch", "type": "command_refused", "code": "IdempotentParameterMismatch"}),
            ],
        ),
        (
            "what renews itself does not become pay-as-you-go before its rule is deleted",
            vec![
                json!({"at": "2026-07-02", "resource": "kest-cache", "type": "command_refused", "command": "convert_on_expiry", "code": "OperationDenied"}),
                json!({"at": "2026-07-03", "resource": "kest-cache", "type": "setting_changed", "setting": "on_expiry", "value": "lapse"}),
                json!({"at": "2026-07-03", "resource": "kest-cache", "type": "setting_changed", "setting": "on_expiry", "value": "convert"}),
                json!({"at": "2026-07-18T15:59:59Z", "resource": "kest-cache", "type": "converted"}),
            ],
        ),
        (
            "a disk says so with a code of its own",
            vec![
                json!({"at": "2026-08-03", "resource": "kest-archive", "type": "command_refused", "code": "Volume.AutoRenewNotSupportToPostpay"}),
            ],
        ),
        (
            "an auto-renew rule is made, covers what is attached, and is not changed",
            vec![
                json!({"at": "2026-12-16", "resource": "osier-app", "type": "setting_changed", "setting": "on_expiry", "value": "renew"}),
                json!({"at": "2026-12-16", "resource": "osier-app-data", "type": "setting_changed", "setting": "on_expiry", "value": "renew"}),
                json!({"at": "2026-12-16", "resource": "osier-app", "type": "command_refused", "command": "set_auto_renew", "code": "OperationDenied"}),
                json!({"at": "2026-12-24", "resource": "osier-app", "type": "renewal_settled", "cause": "auto"}),
            ],
        ),
        (
            "an address is given back for its unused days",
            vec![
                json!({"at": "2026-09-14", "resource": "kest-gps", "type": "unsubscribed", "scope": "all", "refund": "84.59", "original_order": "purchase/kest-gps"}),
            ],
        ),
        (
            "Baidu gives back a period that has not begun",
            vec![
                json!({"at": "2026-11-17", "resource": "kest-dispatch", "type": "renewal_settled", "cost": "2400.00"}),
                json!({"at": "2026-11-20", "resource": "kest-dispatch", "type": "unsubscribed", "scope": "future", "refund": "2400.00", "original_order": "kest-dispatch/2026-11-27T15:59:59Z/1year"}),
            ],
        ),
        (
            "owners are told 7, 3 and 1 days before a Baidu expiry",
            vec![
                json!({"at": "2026-04-27", "resource": "osier-kiosk", "type": "notice", "notice": "expires-soon"}),
                json!({"at": "2026-05-01", "resource": "osier-kiosk", "type": "notice", "notice": "expires-soon"}),
                json!({"at": "2026-05-03", "resource": "osier-kiosk", "type": "notice", "notice": "expires-soon"}),
            ],
        ),
    ]
}
