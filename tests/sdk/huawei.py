"""Huawei Cloud's official SDK against a running host: every operation, unmodified but for endpoint and keys.

    python3 -m venv venv && venv/bin/pip install -r tests/sdk/requirements.txt
    cargo build --release -p perennial
    venv/bin/python tests/sdk/huawei.py target/release/perennial

The old API and tokens have no methods in the SDK: those are sent by `requests`, signed by the SDK's own signer.
"""

import datetime
import decimal
import sys
import time

import requests
from huaweicloudsdkbss import v2 as bss
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from host import Host

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def instant(days):
    """So many days from now, as the host and the API write it."""
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def resource(name, kind, price, **fields):
    """A monthly resource that was bought ten days ago and expires in twenty."""
    return {
        "id": name,
        "account": "acme",
        "kind": kind,
        "region": "cn-north-4",
        "charging": "prepaid",
        "started_at": instant(-10),
        "expires_at": instant(20),
        "term": {"count": 1, "unit": "month"},
        "price": price,
        "on_expiry": "lapse",
        **fields,
    }


INVENTORY = {
    "accounts": [
        {
            "id": "acme",
            "provider": "huawei",
            "mode": "managed",
            "currency": "CNY",
            "balance": "10000.00",
        }
    ],
    "resources": [
        resource("ecs-1", "ecs", "99.00", attributes={"name": "web", "spec": "s6.large.2.linux"}),
        resource("evs-1", "evs", "12.50", attached_to="ecs-1"),
        resource("rds-1", "rds", "200.00"),
        resource("dcs-1", "dcs", "50.00"),
        resource("nat-1", "nat", "60.00"),
        {
            "id": "elb-1",
            "account": "acme",
            "kind": "elb",
            "region": "cn-north-4",
            "charging": "postpaid",
            "started_at": instant(-10),
        },
    ],
}


def client(host, credentials):
    return (
        bss.BssClient.new_builder()
        .with_http_config(HttpConfig.get_default_config())
        .with_credentials(credentials)
        .with_endpoint(host.endpoint)
        .build()
    )


def check(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")
    print(f"ok: {what}")


def refused(what, call, status, code):
    """The SDK's own exception, with the provider's own code."""
    try:
        call()
    except ClientRequestException as error:
        check(what, (error.status_code, error.error_code, bool(error.request_id)), (status, code, True))
    else:
        raise AssertionError(f"{what}: not refused")


def next_second():
    """The SDK's dates have whole seconds: the same change in the same second is the same signature, and is not obeyed
    twice."""
    time.sleep(1.1)


def query(sdk, **fields):
    request = bss.ListPayPerUseCustomerResourcesRequest(body=bss.QueryResourcesReq(**fields))
    return sdk.list_pay_per_use_customer_resources(request)


def expiry(sdk, name):
    return query(sdk, resource_ids=[name], only_main_resource=1).data[0].expire_time


def policy(sdk, name):
    return query(sdk, resource_ids=[name], only_main_resource=1).data[0].expire_policy


def renew(sdk, names, **fields):
    fields = {"period_type": 2, "period_num": 1, "is_auto_pay": 1, **fields}
    body = bss.RenewalResourcesReq(resource_ids=names, **fields)
    return sdk.renewal_resources(bss.RenewalResourcesRequest(body=body))


def amount(sdk):
    balances = sdk.show_customer_account_balances(bss.ShowCustomerAccountBalancesRequest())
    cash = balances.account_balances[0]
    check("the balance is of one cash account", (cash.account_type, cash.currency, balances.currency), (1, "CNY", "CNY"))
    return cash.amount


def what_there_is(sdk):
    everything = query(sdk)
    found = {one.resource_id: (one.is_main_resource, one.parent_resource_id) for one in everything.data}
    expected = {name: (1, None) for name in ["ecs-1", "rds-1", "dcs-1", "nat-1"]} | {"evs-1": (0, "ecs-1")}
    check("resources are listed", (found, everything.total_count), (expected, 5))
    [web] = [one for one in everything.data if one.resource_id == "ecs-1"]
    shown = (web.resource_name, web.resource_spec_code, web.service_type_code, web.status, web.expire_time)
    expected = ("web", "s6.large.2.linux", "hws.service.type.ec2", 2, instant(20))
    check("a resource is shown", shown, expected)
    pages = [query(sdk, offset=offset, limit=1, status_list=[2]) for offset in range(5)]
    paged = [one.resource_id for page in pages for one in page.data]
    check("resources come page by page", paged, [one.resource_id for one in everything.data])
    late = query(sdk, expire_time_begin=instant(21))
    check("resources are found by expiry", (late.data, late.total_count), ([], 0))
    services = sdk.list_service_types(bss.ListServiceTypesRequest(limit=100))
    check("cloud services are listed", len(services.service_types), services.total_count)
    types = sdk.list_resource_types(bss.ListResourceTypesRequest(offset=0, limit=100))
    check("types of resources are listed", len(types.resource_types), types.total_count)


def renewals(sdk):
    body = bss.ListRenewRateOnPeriodReq(resource_ids=["ecs-1"], period_type=2, period_num=1)
    price = sdk.list_renew_rate_on_period(bss.ListRenewRateOnPeriodRequest(body=body))
    found = (price.currency, [(one.resource_id, one.amount) for one in price.renew_inquiry_results])
    check("a renewal has a price", found, ("CNY", [("ecs-1", "111.5")]))
    before = amount(sdk)
    done = renew(sdk, ["ecs-1"])
    check("a renewal is ordered", (len(done.order_ids), done.fail_resource_infos), (1, []))
    check("a renewal costs its price", before - amount(sdk), decimal.Decimal("111.5"))
    check("a renewal moves the expiry", expiry(sdk, "ecs-1") > instant(20), True)
    check("and that of what is attached", expiry(sdk, "evs-1"), expiry(sdk, "ecs-1"))
    ordered = query(sdk, order_id=done.order_ids[0])
    check("resources are found by order", {one.resource_id for one in ordered.data}, {"ecs-1", "evs-1"})
    refused("an attached one is not renewed", lambda: renew(sdk, ["evs-1"]), 400, "CBC.30010036")
    refused("an unknown one is not renewed", lambda: renew(sdk, ["nobody"]), 400, "CBC.99003016")
    refused("thirteen months are not sold", lambda: renew(sdk, ["ecs-1"], period_num=13), 400, "CBC.0100")


def unpaid_orders(sdk):
    """The API's own default: an order that waits until somebody pays it."""
    order = renew(sdk, ["dcs-1"], is_auto_pay=0).order_ids[0]
    before = expiry(sdk, "dcs-1")
    refused("an order stands in the way", lambda: renew(sdk, ["dcs-1"]), 400, "CBC.99003100")
    waiting = sdk.list_customer_orders(bss.ListCustomerOrdersRequest(status=6))
    check("it is listed", [one.order_id for one in waiting.order_infos], [order])
    cancelled = bss.CancelCustomerOrderRequest(body=bss.CancelCustomerOrderReq(order_id=order))
    check("it is cancelled", sdk.cancel_customer_order(cancelled).status_code, 204)
    next_second()
    refused("once", lambda: sdk.cancel_customer_order(cancelled), 400, "CBC.99005010")
    order = renew(sdk, ["dcs-1"], is_auto_pay=0).order_ids[0]
    paid = bss.PayOrdersRequest(
        body=bss.PayCustomerOrderV3Req(order_id=order, use_coupon="NO", use_discount="NO")
    )
    check("it is paid", sdk.pay_orders(paid).status_code, 204)
    check("and carried out", expiry(sdk, "dcs-1") > before, True)
    shown = sdk.show_customer_order_details(bss.ShowCustomerOrderDetailsRequest(order_id=order))
    check("it is completed", shown.order_info.status, 5)
    check("until then", shown.order_line_items[0].expire_time, expiry(sdk, "dcs-1"))
    next_second()
    refused("it is paid once", lambda: sdk.pay_orders(paid), 400, "CBC.99003106")


def orders(sdk, **fields):
    listed = sdk.list_customer_orders(bss.ListCustomerOrdersRequest(limit=100, **fields))
    check("as many orders are counted as are listed", listed.total_count, len(listed.order_infos))
    return listed.order_infos


def specification_changes(host, sdk):
    """An operator changes a specification; its orders are found, and the refund of a downgrade is traced."""

    def change(price):
        return host.admin("/v1/resources/nat-1:change", {"attributes": {"spec": price}, "price": price})

    before = amount(sdk)
    check("a dearer specification is ordered", change("90.00").get("type"), None)
    paid = before - amount(sdk)
    check("for the days left", 0 < paid < 30, True)
    [upgrade] = orders(sdk, order_type="3")
    found = (upgrade.status, decimal.Decimal(str(upgrade.amount_after_discount)))
    check("its order is one of a change", found, (5, paid))
    check("and it is seen", query(sdk, resource_ids=["nat-1"]).data[0].resource_spec_code, "90.00")
    refused(
        "an upgrade gave nothing back",
        lambda: sdk.show_refund_order_details(bss.ShowRefundOrderDetailsRequest(order_id=upgrade.order_id)),
        400,
        "CBC.99005026",
    )
    before = amount(sdk)
    check("a cheaper one, too", change("30.00").get("type"), None)
    back = amount(sdk) - before
    [downgrade] = [one for one in orders(sdk, order_type="3") if one.order_id != upgrade.order_id]
    traced = sdk.show_refund_order_details(bss.ShowRefundOrderDetailsRequest(order_id=downgrade.order_id))
    check("its refund is traced", sum(-info.amount for info in traced.refund_infos), back)
    bases = {info.base_order_id for info in traced.refund_infos}
    check("to the orders that paid for the time", bases <= {"purchase/nat-1", upgrade.order_id} and bool(bases), True)
    order = renew(sdk, ["nat-1"], is_auto_pay=0).order_ids[0]
    check("an unpaid order stands in its way", change("60.00")["detail"].split(":")[0], "CBC.99003100")
    cancelled = bss.CancelCustomerOrderRequest(body=bss.CancelCustomerOrderReq(order_id=order))
    check("until it is cancelled", sdk.cancel_customer_order(cancelled).status_code, 204)
    check("and then it does not", change("60.00").get("type"), None)


def charge_type(host, sdk):
    """Pay-per-use that is paid ahead is yearly/monthly from then on, to the end of its last day."""
    check("pay-per-use is not listed", query(sdk, resource_ids=["elb-1"]).data, [])
    order = {"term": {"count": 1, "unit": "month"}, "price": "40.00"}
    before = amount(sdk)
    check("it is paid ahead", host.admin("/v1/resources/elb-1:subscribe", order).get("type"), None)
    check("for its price", before - amount(sdk), decimal.Decimal("40"))
    [listed] = query(sdk, resource_ids=["elb-1"]).data
    check("and is yearly/monthly", (listed.status, listed.expire_time[10:]), (2, "T15:59:59Z"))
    [bought] = [one for one in orders(sdk, order_type="1") if one.amount_after_discount == 40]
    check("as a purchase", (bought.status, bought.source_type), (5, 1))
    renewed = renew(sdk, ["elb-1"])
    check("that can be renewed", len(renewed.order_ids), 1)


def auto_renewal(sdk):
    body = bss.AutoRenewalResourcesReq(auto_renew_times=3, period_type="MONTH")
    set_up = bss.AutoRenewalResourcesRequest(resource_id="ecs-1", body=body)
    check("auto-renew is switched on", sdk.auto_renewal_resources(set_up).status_code, 200)
    check("for what is attached, too", (policy(sdk, "ecs-1"), policy(sdk, "evs-1")), (3, 3))
    cancel = bss.CancelAutoRenewalResourcesRequest(resource_id="ecs-1")
    check("auto-renew is switched off", sdk.cancel_auto_renewal_resources(cancel).status_code, 200)
    check("what happens on expiry is seen", policy(sdk, "ecs-1"), 0)
    again = bss.CancelAutoRenewalResourcesRequest(resource_id="evs-1")
    refused("off is off", lambda: sdk.cancel_auto_renewal_resources(again), 400, "CBC.99003605")


def conversion(sdk):
    def convert(operation, names):
        body = bss.PeriodToOnDemandReq(operation=operation, resource_ids=names)
        return sdk.update_period_to_on_demand(bss.UpdatePeriodToOnDemandRequest(body=body)).error_details

    check("pay-per-use on expiry is set", convert("SET_UP", ["rds-1"]), [])
    check("and seen", policy(sdk, "rds-1"), 1)
    failed = [(one.id, one.error_code) for one in convert("CANCEL", ["rds-1", "evs-1"])]
    check("and cancelled, each for itself", failed, [("evs-1", "CBC.0100")])
    refused("what is attached follows", lambda: convert("SET_UP", ["evs-1"]), 400, "CBC.30010036")


def configuration(sdk):
    def configure(name, value):
        body = bss.RenewResourceConfigReq(config_name=name, config_value=value)
        return sdk.set_resources_renew_config(bss.SetResourcesRenewConfigRequest(body=body)).error_code

    check("the day of deduction is set", configure("DEDUCTION_DATE", "3"), "CBC.0000")
    check("the day of expiry is set", configure("EXPIRE_DATE", "28"), "CBC.0000")
    refused("there is no eighth day", lambda: configure("DEDUCTION_DATE", "8"), 400, "CBC.0100")


def unsubscription(sdk):
    body = bss.UnsubscribeResourcesReq(resource_ids=["ecs-1"], unsubscribe_type=2, unsubscribe_reason_type=5)
    ended = sdk.cancel_resources_subscription(bss.CancelResourcesSubscriptionRequest(body=body))
    check("a renewed period is given back", (len(ended.order_ids), expiry(sdk, "ecs-1")), (1, instant(20)))
    request = bss.ShowRefundOrderDetailsRequest(order_id=ended.order_ids[0])
    refund = sdk.show_refund_order_details(request)
    found = sorted(info.amount for info in refund.refund_infos)
    expected = [decimal.Decimal("-99"), decimal.Decimal("-12.5")]
    check("the refund says what it is made of", (refund.total_count, found), (2, expected))
    body = bss.UnsubscribeResourcesReq(resource_ids=["ecs-1"], unsubscribe_type=1)
    gone = bss.CancelResourcesSubscriptionRequest(body=body)
    check("a resource is ended", len(sdk.cancel_resources_subscription(gone).order_ids), 1)
    check("and is not listed any more", {one.resource_id for one in query(sdk).data}, {"rds-1", "dcs-1", "nat-1", "elb-1"})
    next_second()
    refused("twice is once", lambda: sdk.cancel_resources_subscription(gone), 400, "CBC.30000067")
    other = bss.ShowRefundOrderDetailsRequest(order_id="CS1904190917GIBHC")
    refused("another order is no refund", lambda: sdk.show_refund_order_details(other), 400, "CBC.99005026")


def identity(host, sdk):
    access_key, secret = host.key("acme")
    found_out = GlobalCredentials(access_key, secret).with_iam_endpoint(host.endpoint)
    builder = bss.BssClient.new_builder().with_credentials(found_out)
    by_region = builder.with_region(Region("cn-north-1", host.endpoint)).build()
    check("the SDK finds out the account", found_out.domain_id, "acme")
    check("and uses it", query(by_region).total_count, query(sdk).total_count)
    wrong = client(host, GlobalCredentials(access_key, "wrong", "acme"))
    refused("a wrong secret is refused", lambda: query(wrong), 401, "APIGW.0301")
    nobody = client(host, GlobalCredentials("nobody", secret, "acme"))
    refused("an unknown key is refused", lambda: query(nobody), 401, "APIGW.0301")
    other = client(host, GlobalCredentials(access_key, secret, "other"))
    refused("another account is refused", lambda: query(other), 403, "CBC.0151")


def old_api(host):
    """The paths that the SDK has no methods for, signed by its signer."""
    credentials = GlobalCredentials(*host.key("acme"), "acme")
    prefix = "/v1.0/acme/common/order-mgr/resources"

    def ask(method, path, parameters=(), body=None):
        headers = {"Content-Type": "application/json"}
        request = SdkRequest(
            method=method,
            schema="http",
            host=host.address,
            resource_path=prefix + path,
            query_params=list(parameters),
            header_params=headers,
            body=body,
        )
        signed = Signer(credentials).sign(request)
        answer = requests.request(method, host.endpoint + signed.uri, headers=signed.header_params, data=body)
        return answer.json()["error_code"], answer.json()

    autorenew = [("action_id", "autorenew")]
    check("old: auto-renew is switched on", ask("POST", "/dcs-1/actions", autorenew)[0], "CBC.0000")
    code, found = ask("GET", "/detail", [("resource_ids", "dcs-1"), ("page_no", 1), ("page_size", 10)])
    check("old: and seen", (code, found["data"][0]["next_operation_policy"]), ("CBC.0000", 3))
    check("old: auto-renew is switched off", ask("DELETE", "/dcs-1/actions", autorenew)[0], "CBC.0000")
    body = '{"resource_ids":["dcs-1"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}'
    code, done = ask("POST", "/renew", body=body)
    check("old: a renewal is ordered", (code, len(done["order_ids"])), ("CBC.0000", 1))
    code, done = ask("POST", "/delete", body='{"resourceIds":["dcs-1"],"unSubType":1}')
    check("old: a resource is ended", (code, len(done["order_ids"])), ("CBC.0000", 1))


def tokens(host):
    access_key, secret = host.key("acme")
    user = {"name": access_key, "password": secret, "domain": {"name": "acme"}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
    issued = requests.post(host.endpoint + "/v3/auth/tokens", json={"auth": auth})
    check("a token is issued", (issued.status_code, "expires_at" in issued.json()["token"]), (201, True))
    headers = {"X-Auth-Token": issued.headers["X-Subject-Token"], "Content-Type": "application/json"}
    balance = requests.get(host.endpoint + "/v2/accounts/customer-accounts/balances", headers=headers)
    check("and honoured", (balance.status_code, balance.json()["currency"]), (200, "CNY"))


def main():
    program = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    with Host(program, "huawei", INVENTORY) as host:
        sdk = client(host, GlobalCredentials(*host.key("acme"), "acme"))
        what_there_is(sdk)
        renewals(sdk)
        auto_renewal(sdk)
        conversion(sdk)
        unpaid_orders(sdk)
        specification_changes(host, sdk)
        charge_type(host, sdk)
        unsubscription(sdk)
        configuration(sdk)
        identity(host, sdk)
        old_api(host)
        tokens(host)
    print("every operation of Huawei Cloud's SDK is answered")


if __name__ == "__main__":
    main()
