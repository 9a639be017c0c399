"""Baidu AI Cloud's official SDK against a running host: every operation, unmodified but for endpoint and keys.

    python3 -m venv venv && venv/bin/pip install -r tests/sdk/requirements.txt
    cargo build --release -p perennial
    venv/bin/python tests/sdk/baidu.py target/release/perennial
"""

import datetime
import sys
import time

from baidubce.auth.bce_credentials import BceCredentials
from baidubce.bce_client_configuration import BceClientConfiguration
from baidubce.exception import BceHttpClientError
from baidubce.retry.retry_policy import BackOffRetryPolicy
from baidubce.retry.retry_policy import NoRetryPolicy
from baidubce.services.bcc import bcc_model
from baidubce.services.bcc.bcc_client import BccClient
from baidubce.services.eip import model as eip_model
from baidubce.services.eip.eip_client import EipClient

from host import Host

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

# How long after a renewal the API shows it, in seconds; renewals are asynchronous.
VISIBLE_AFTER = 2


def instant(days):
    """So many days from now, as the host and the API write it."""
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def resource(name, kind, **fields):
    """A monthly resource that was bought ten days ago and expires in twenty."""
    return {
        "id": name,
        "account": "acme",
        "kind": kind,
        "region": "bj",
        "charging": "prepaid",
        "started_at": instant(-10),
        "expires_at": instant(20),
        "term": {"count": 1, "unit": "month"},
        "price": "100.00",
        "on_expiry": "lapse",
        **fields,
    }


def postpaid(name, kind):
    return {
        "id": name,
        "account": "acme",
        "kind": kind,
        "region": "bj",
        "charging": "postpaid",
        "started_at": instant(-10),
        "on_expiry": "lapse",
    }


INVENTORY = {
    "accounts": [
        {
            "id": "acme",
            "provider": "baidu",
            "mode": "managed",
            "currency": "CNY",
            "balance": "100000.00",
            "settings": {"visible_after_seconds": str(VISIBLE_AFTER)},
        },
        {"id": "lab", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": "1000.00"},
    ],
    "resources": [
        resource(
            "i-web",
            "bcc",
            attributes={"name": "web", "cpuCount": "4", "zoneName": "cn-bj-a", "status": "running"},
            tags={"team": "a"},
        ),
        resource("v-web", "cds", attached_to="i-web", attributes={"diskSizeInGB": "50"}),
        resource("ip-web", "eip", attached_to="i-web", attributes={"eip": "180.76.1.1"}),
        resource("i-db", "bcc"),
        resource("v-db", "cds", attached_to="i-db"),
        resource("v-alone", "cds"),
        resource("ip-alone", "eip", attributes={"eip": "180.76.1.2", "bandwidthInMbps": "5"}),
        resource("i-poor", "bcc", price="90000000.00"),
        resource("i-turn", "bcc", attributes={"monthlyPrice": "120.00"}),
        postpaid("i-hourly", "bcc"),
        postpaid("v-hourly", "cds"),
        resource("i-lab", "bcc", account="lab"),
        {**postpaid("v-lab", "cds"), "account": "lab", "attached_to": "i-lab", "attributes": {"monthlyPrice": "30.00"}},
        {**postpaid("i-later", "bcc"), "account": "lab", "attributes": {"monthlyPrice": "120.00"}},
        resource("i-safe", "bcc", account="lab", attributes={"deletionProtection": "1"}),
        resource("i-first", "bcc", account="lab"),
        resource("i-second", "bcc", account="lab"),
    ],
}


def configuration(host, access_key=None, secret=None, retry_policy=None, account="acme"):
    known = host.key(account)
    credentials = BceCredentials(access_key or known[0], secret or known[1])
    return BceClientConfiguration(credentials, host.endpoint, retry_policy=retry_policy or NoRetryPolicy())


def check(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")
    print(f"ok: {what}")


def done(what, response):
    """An answer without a body, which carries the request's id."""
    check(what, (bool(response.metadata.bce_request_id), response.raw_data), (True, None))


def refused(what, call, status, code):
    """The SDK's own exception, with the provider's own code."""
    try:
        call()
    except BceHttpClientError as error:
        last = error.last_error
        check(what, (last.status_code, last.code, bool(last.request_id)), (status, code, True))
    else:
        raise AssertionError(f"{what}: not refused")


def months_later(text, months):
    """The same day so many months later, or the last day of a month that is too short, in the provider's days."""
    offset = datetime.timedelta(hours=8)
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ") + offset
    anchor = (NOW + datetime.timedelta(days=20) + offset).day
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    for day in range(anchor, 0, -1):
        try:
            moved = at.replace(year=year, month=month + 1, day=day)
            return (moved - offset).strftime("%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            continue


def wait_until_visible():
    time.sleep(VISIBLE_AFTER + 0.5)


def names(items):
    return [item.id for item in items]


def what_there_is(bcc, eip):
    everything = bcc.list_instances()
    check("instances are listed", names(everything.instances), ["i-db", "i-hourly", "i-poor", "i-turn", "i-web"])
    web = bcc.get_instance("i-web").instance
    shown = (web.name, web.status, web.payment_timing, web.expire_time, web.cpu_count, web.auto_renew)
    check("an instance is shown", shown, ("web", "Running", "Prepaid", instant(20), 4, False))
    hourly = bcc.get_instance("i-hourly", contains_failed=True).instance
    check("so is one that is pay-as-you-go", (hourly.payment_timing, hourly.expire_time), ("Postpaid", None))
    first = bcc.list_instances(max_keys=3)
    check("a page is cut", (len(first.instances), first.is_truncated, first.max_keys), (3, True, 3))
    rest = bcc.list_instances(marker=first.next_marker)
    check("the next goes on", (names(rest.instances), rest.is_truncated), (["i-turn", "i-web"], False))
    for what, found in [
        ("ids", bcc.list_instances(instance_ids="i-web,i-none")),
        ("names", bcc.list_instances(instance_names="web")),
        ("part of a name", bcc.list_instances(fuzzy_instance_name="we")),
        ("zone", bcc.list_instances(zone_name="cn-bj-a")),
        ("disks", bcc.list_instances(cds_ids="v-web")),
        ("tags", bcc.list_instances(tags="team:a")),
    ]:
        check(f"instances are found by {what}", names(found.instances), ["i-web"])
    prepaid = bcc.list_instances(payment_timing="Prepaid", auto_renew=False, status="Running", show_rdma_topo=True)
    check("filters are combined", names(prepaid.instances), ["i-db", "i-poor", "i-turn", "i-web"])
    disks = bcc.list_volumes(instance_id="i-web")
    check("disks are found by instance", names(disks.volumes), ["v-web"])
    disk = bcc.get_volume("v-web").volume
    shown = (disk.status, disk.disk_size_in_gb, disk.attachments[0].instance_id)
    check("a disk is shown", shown, ("InUse", 50, "i-web"))
    check("disks are found by id", names(bcc.list_volumes(volume_ids="v-db,v-alone").volumes), ["v-db", "v-alone"])
    addresses = eip.list_eips().eip_list
    check("addresses are listed", [one.eip for one in addresses], ["180.76.1.1", "180.76.1.2"])
    alone = eip.list_eips(eip="180.76.1.2").eip_list[0]
    shown = (alone.status, alone.bandwidth_in_mbps, alone.expire_time)
    check("an address is shown", shown, ("available", 5, instant(20)))
    bound = eip.list_eips(instance_type="BCC", instance_id="i-web", status=eip_model.EipStatus.BINDED)
    check("addresses are found by what they are bound to", [one.eip_id for one in bound.eip_list], ["ip-web"])


def renewals(bcc, eip):
    month = months_later(instant(20), 1)
    done("an instance is renewed", bcc.purchase_reserved_instance("i-web", client_token="renew-1"))
    check("which does not show at once", bcc.get_instance("i-web").instance.expire_time, instant(20))
    wait_until_visible()
    check("but shows after a while", bcc.get_instance("i-web").instance.expire_time, month)
    done("sent again it is answered again", bcc.purchase_reserved_instance("i-web", client_token="renew-1"))
    wait_until_visible()
    check("and happened once", bcc.get_instance("i-web").instance.expire_time, month)
    year = bcc_model.Billing(reservationLength=12)

    def mismatched():
        bcc.purchase_reserved_instance("i-web", year, client_token="renew-1")

    refused("with something else it is refused", mismatched, 403, "IdempotentParameterMismatch")
    done("with what is attached", bcc.purchase_reserved_instance("i-web", related_renew_flag="CDS_EIP_MKT"))
    periods = [bcc_model.CdsCustomPeriod(period=3, volume_id="v-db")]
    one = bcc_model.Billing("Prepaid", 1, "Month")
    done(
        "with a period of its own for a disk",
        bcc.purchase_reserved_instance("i-db", one, related_renew_flag="CDS", cds_custom_period=periods),
    )
    done("a disk is renewed", bcc.purchase_reserved_volume("v-alone"))
    done("an address is renewed", eip.purchase_reserved_eip("180.76.1.2"))
    done(
        "an address is renewed for longer",
        eip.purchase_reserved_eip("180.76.1.2", eip_model.Billing(reservation_length=2)),
    )
    wait_until_visible()
    expiries = {one.id: one.expire_time for one in bcc.list_instances().instances + bcc.list_volumes().volumes}
    expiries.update({one.eip_id: one.expire_time for one in eip.list_eips().eip_list})
    expected = {"i-web": 2, "v-web": 2, "i-db": 1, "v-db": 3, "v-alone": 1, "ip-web": 1, "ip-alone": 3}
    expected = {name: months_later(instant(20), months) for name, months in expected.items()}
    check("all of it shows", {name: expiries[name] for name in expected}, expected)
    refused("there is no such instance", lambda: bcc.purchase_reserved_instance("i-none"), 404, "NoSuchObject")
    refused("a disk is no instance", lambda: bcc.purchase_reserved_instance("v-web"), 404, "NoSuchObject")
    ten = bcc_model.Billing(reservationLength=10)
    refused("ten months are not sold", lambda: bcc.purchase_reserved_instance("i-web", ten), 400, "BadRequest")
    refused("pay-as-you-go is not renewed", lambda: bcc.purchase_reserved_instance("i-hourly"), 409, "OperationDenied")
    refused("nor what is too dear", lambda: bcc.purchase_reserved_instance("i-poor"), 409, "OperationDenied")
    refused("there is no such address", lambda: eip.purchase_reserved_eip("180.76.9.9"), 404, "NoSuchObject")


def rules(bcc, eip):
    def renews():
        return bcc.get_instance("i-web").instance.auto_renew, bcc.get_volume("v-web").volume.enable_auto_renew

    done("a rule is made", bcc.batch_create_auto_renew_rules("i-web", "year", 1, renew_cds=False, renew_eip=True))
    check("for what it is to cover", renews(), (True, False))
    again = lambda: bcc.batch_create_auto_renew_rules("i-web", "month", 2)
    refused("a second one is not", again, 409, "OperationDenied")
    done("the rule is deleted", bcc.batch_delete_auto_renew_rules("i-web", renew_cds=False))
    check("and seen to be", renews(), (False, False))
    done("another covers everything", bcc.batch_create_auto_renew_rules("i-web"))
    check("and shows", renews(), (True, True))
    check("instances are found by it", names(bcc.list_instances(auto_renew=True).instances), ["i-web"])
    done("it is deleted with everything", bcc.batch_delete_auto_renew_rules("i-web"))
    check("which shows", renews(), (False, False))
    done("a disk's rule is made", bcc.auto_renew_cds_volume("v-alone", 1, "year"))
    disk = bcc.get_volume("v-alone").volume
    check("and shows for how long", (disk.enable_auto_renew, disk.auto_renew_time), (True, 12))
    done("and deleted", bcc.cancel_auto_renew_cds_volume("v-alone"))
    check("which shows, too", bcc.get_volume("v-alone").volume.enable_auto_renew, False)
    done("an address's rule is made", eip.start_auto_renew_eip("180.76.1.2"))
    other = lambda: eip.start_auto_renew_eip("180.76.1.2", "year", 1)
    refused("once", other, 409, "OperationDenied")
    done("and deleted, too", eip.stop_auto_renew_eip("180.76.1.2"))
    refused("ten months are no rule", lambda: bcc.batch_create_auto_renew_rules("i-web", "month", 10), 400, "BadRequest")


def charging(bcc):
    def change(*wanted):
        return [bcc_model.PayTimingChangeReqModel(**fields) for fields in wanted]

    changes = change({"instanceId": "i-db", "cdsList": ["all"], "effectiveType": "AfterExpiration"})
    changed = bcc.batch_change_instance_to_postpay(changes)
    check("pay-as-you-go after the expiry is set", changed.order_id, "")
    refused("auto-renew is then", lambda: bcc.batch_create_auto_renew_rules("i-db"), 409, "OperationDenied")
    back = change({"instanceId": "i-hourly", "duration": 1})
    refused("without a price nothing is bought", lambda: bcc.batch_change_instance_to_prepay(back), 409, "OperationDenied")
    alone = lambda: bcc.change_to_prepaid("i-hourly", 1, False, False)
    refused("nor alone", alone, 409, "OperationDenied")
    at_once = change({"instanceId": "i-turn", "effectiveType": "AtOnce"})
    ended = bcc.batch_change_instance_to_postpay(at_once).order_id
    check("at once, the order that ended is named", bool(ended), True)
    check("and it is pay-as-you-go", bcc.get_instance("i-turn").instance.payment_timing, "Postpaid")
    back = change({"instanceId": "i-turn", "duration": 2, "autoRenew": True, "autoRenewPeriod": 1})
    check("and bought back", bool(bcc.batch_change_instance_to_prepay(back).order_id), True)
    turned = bcc.get_instance("i-turn").instance
    check("with a rule", (turned.payment_timing, turned.auto_renew), ("Prepaid", True))
    done("a disk is changed, too", bcc.modify_volume_charge_type("v-alone", effective_type="AfterExpiration"))
    hourly = lambda: bcc.modify_volume_charge_type("v-hourly", effective_type="AfterExpiration")
    refused("one that is that already is not", hourly, 403, "Volume.PaymentTypeNotSupportToPostpay")
    bcc.auto_renew_cds_volume("v-web", 1, "month")
    ruled = lambda: bcc.modify_volume_charge_type("v-web")
    refused("nor one with a rule", ruled, 403, "Volume.AutoRenewNotSupportToPostpay")


def orders_and_releases(host):
    """In an account of their own: a purchase that waits to be paid, a disk that is aligned, and early releases."""
    bcc = BccClient(configuration(host, account="lab"))
    later = [bcc_model.PayTimingChangeReqModel("i-later", duration=1, autoPay=False)]
    order = bcc.batch_change_instance_to_prepay(later, client_token="later-1").order_id
    check("an order that is not paid at once is named", bool(order), True)
    check("and waits", bcc.get_instance("i-later").instance.payment_timing, "Postpaid")
    again = bcc.batch_change_instance_to_prepay(later, client_token="later-1").order_id
    check("sent again it is the same order", again, order)
    check("nor is there another", bcc.batch_change_instance_to_prepay(later).order_id, order)
    paid = host.admin("/v1/resources/i-later:pay-order", {"order": order})
    check("the operator pays it", paid.get("type"), None)
    check("and it is prepaid", bcc.get_instance("i-later").instance.payment_timing, "Prepaid")
    aligned = bcc_model.Billing(reservationLength=0)
    done("a disk without a length is bought", bcc.modify_volume_charge_type("v-lab", aligned))
    check("to the expiry of its instance", bcc.get_volume("v-lab").volume.expire_time, instant(20))
    release = bcc.release_prepaid_instance_with_related_resources
    refused("a protected one is not released", lambda: release("i-safe"), 403, "Instance.DeletionProtection")
    released = release("i-lab", client_token="release-1")
    check("an instance is released with its disk", released.success_resources.volume_ids, ["v-lab"])
    refused("and is gone", lambda: bcc.get_instance("i-lab"), 404, "NoSuchObject")
    check("sent again it is a success", bool(release("i-lab", client_token="release-1").instance_refund_flag), True)
    several = bcc.batch_refund_resources(["i-first", "i-safe", "i-second"])
    check("several at once", several.failed_instance_ids, ["i-safe"])
    check("and gone they are", sorted(names(bcc.list_instances().instances)), ["i-later", "i-safe"])


def identity(host):
    wrong = BccClient(configuration(host, secret="wrong"))
    refused("a wrong secret is refused", wrong.list_instances, 400, "SignatureDoesNotMatch")
    nobody = BccClient(configuration(host, access_key="nobody"))
    refused("an unknown key is refused", nobody.list_instances, 403, "InvalidAccessKeyId")
    patient = BccClient(configuration(host, retry_policy=BackOffRetryPolicy()))
    check("the SDK's own patience is not needed", len(patient.list_instances().instances), 5)
    unknown = BccClient(configuration(host))
    refused("what is not served is refused", lambda: unknown.get_instance_vnc("i-web"), 400, "InvalidURI")
    refused("in the SDK's own words", lambda: unknown.release_instance("i-web"), 405, "MethodNotAllowed")


def main():
    program = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    with Host(program, "baidu", INVENTORY) as host:
        bcc, eip = BccClient(configuration(host)), EipClient(configuration(host))
        what_there_is(bcc, eip)
        renewals(bcc, eip)
        rules(bcc, eip)
        charging(bcc)
        orders_and_releases(host)
        identity(host)
    print("every operation of Baidu AI Cloud's SDK is answered")


if __name__ == "__main__":
    main()
