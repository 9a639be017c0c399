"""Baidu AI Cloud's newer official SDKs against a running host: what they ask beyond the older one.

    python3 -m venv venv && venv/bin/pip install -r tests/sdk/requirements.txt
    cargo build --release -p perennial
    venv/bin/python tests/sdk/baidu_newer.py target/release/perennial

Unmodified but for endpoint and keys, with one module put in its place: `baiducloud-python-sdk-bcc` 0.0.9 and
`-finance` 0.0.1 import `util.request_body_utils`, which the newest `-core` (0.0.6) does not have. Only a request whose
body is a file would call it, and none here is. (`-bcc` 0.0.8 does without it; `-finance` has one version only.)
"""

import io
import sys
import time
import types


def provide_missing_module():
    """The length of a body that is a file, from where it is read to its end."""

    def length(body):
        at = body.tell()
        end = body.seek(0, io.SEEK_END)
        body.seek(at)
        return end - at

    package = types.ModuleType("baiducloud_python_sdk_core.util")
    module = types.ModuleType("baiducloud_python_sdk_core.util.request_body_utils")
    module._calculate_content_length = length
    package.request_body_utils = module
    sys.modules.setdefault(package.__name__, package)
    sys.modules.setdefault(module.__name__, module)


provide_missing_module()

from baiducloud_python_sdk_bcc import models as bcc_models
from baiducloud_python_sdk_bcc.api.bcc_client import BccClient
from baiducloud_python_sdk_core.auth.bce_credentials import BceCredentials
from baiducloud_python_sdk_core.bce_client_configuration import BceClientConfiguration
from baiducloud_python_sdk_core.exception import BceHttpClientError
from baiducloud_python_sdk_core.retry.retry_policy import NoRetryPolicy
from baiducloud_python_sdk_eip import models as eip_models
from baiducloud_python_sdk_eip.api.eip_client import EipClient
from baiducloud_python_sdk_finance import models as finance_models
from baiducloud_python_sdk_finance.api.finance_client import FinanceClient

from baidu import check
from baidu import instant
from baidu import months_later
from baidu import postpaid
from baidu import resource
from baidu import wait_until_visible
from baidu import VISIBLE_AFTER
from host import Host


def account(name, **settings):
    settings = {"visible_after_seconds": str(VISIBLE_AFTER), **settings}
    return {
        "id": name,
        "provider": "baidu",
        "mode": "managed",
        "currency": "CNY",
        "balance": "10000.00",
        "settings": settings,
    }


def expired(name):
    """Expired two days ago, and kept."""
    return resource(name, "bcc", started_at=instant(-32), expires_at=instant(-2), stage="retention")


INVENTORY = {
    # The newer SDK sends no client token with the renewals of instances and disks.
    "accounts": [account("acme"), account("lenient", client_token="optional", renewal_reply="order")],
    "resources": [
        resource("i-web", "bcc", attributes={"name": "web", "cpuCount": "4"}),
        resource("v-web", "cds", attached_to="i-web"),
        resource("ip-web", "eip", attached_to="i-web", attributes={"eip": "180.76.1.1"}),
        resource("i-all", "bcc"),
        resource("v-all", "cds", attached_to="i-all"),
        {**postpaid("v-all-hourly", "cds"), "attached_to": "i-all", "attributes": {"monthlyPrice": "30.00"}},
        resource("ip-all", "eip", attached_to="i-all", attributes={"eip": "180.76.1.3"}),
        resource("i-safe", "bcc", attributes={"deletionProtection": "1"}),
        resource("i-one", "bcc"),
        resource("i-two", "bcc"),
        expired("i-old"),
        resource("ip-alone", "eip", attributes={"eip": "180.76.1.2"}),
        resource("v-turn", "cds"),
        resource("cache-1", "scs"),
        resource("cache-2", "scs", region="su"),
        resource("i-theirs", "bcc", account="lenient"),
        resource("v-theirs", "cds", account="lenient", attached_to="i-theirs"),
    ],
}


def client(kind, host, name="acme"):
    credentials = BceCredentials(*host.key(name))
    return kind(BceClientConfiguration(credentials, host.endpoint, retry_policy=NoRetryPolicy()))


def refused(what, call, status, code):
    """The SDK's own exception, with the provider's own code."""
    try:
        call()
    except BceHttpClientError as error:
        check(what, (error.status_code, error.code, bool(error.request_id)), (status, code, True))
    else:
        raise AssertionError(f"{what}: not refused")


def next_second():
    """The SDK's dates have whole seconds: the same change in the same second is the same request, and is done once."""
    time.sleep(1.1)


def names(items):
    return sorted(item.id for item in items)


def month(models):
    return models.Billing(reservation=models.Reservation(1, "Month"))


def what_there_is(bcc):
    listed = bcc.list_instances(bcc_models.ListInstancesRequest())
    expected = ["i-all", "i-old", "i-one", "i-safe", "i-two", "i-web"]
    check("instances are listed", names(listed.instances), expected)
    web = bcc.get_instance(bcc_models.GetInstanceRequest("i-web")).instance
    check("an instance is shown", (web.name, web.status, web.expire_time, web.cpu_count), ("web", "Running", instant(20), 4))
    by_ids = bcc.list_instance_by_ids(bcc_models.ListInstanceByIdsRequest(instance_ids=["i-two", "i-none", "i-one"]))
    check("instances are listed by ids", (names(by_ids.instances), by_ids.is_truncated), (["i-one", "i-two"], False))
    page = bcc.list_instance_by_ids(bcc_models.ListInstanceByIdsRequest(max_keys=1, instance_ids=["i-two", "i-one"]))
    rest = bcc_models.ListInstanceByIdsRequest(marker=page.next_marker, instance_ids=["i-two", "i-one"])
    both = page.instances + bcc.list_instance_by_ids(rest).instances
    check("page by page", names(both), ["i-one", "i-two"])
    disks = bcc.list_volumes(bcc_models.ListVolumesRequest(instance_id="i-web"))
    check("disks are listed by instance", names(disks.volumes), ["v-web"])


def recycle_bin(bcc):
    def recycled(**fields):
        return bcc.list_recycle_instance(bcc_models.ListRecycleInstanceRequest(**fields)).instances

    [old] = recycled()
    shown = (old.id, old.recycle_time, old.delete_time, old.payment_timing, old.service_type)
    check("the recycle bin has what expired", shown, ("i-old", instant(-2), instant(5), "prepay", "BCC"))
    check("since when is searched for", names(recycled(recycle_begin=instant(-3), recycle_end=instant(-1))), ["i-old"])
    check("and not found", recycled(recycle_begin=instant(-1), payment_timing="Prepaid"), [])


def renewals(host, bcc, eip):
    without_token = bcc_models.PurchaseReservedInstanceRequest("i-web", billing=month(bcc_models))
    refused("without a token nothing is renewed", lambda: bcc.purchase_reserved_instance(without_token), 400, "BadRequest")
    with_token = eip_models.EipRenewalRequest(eip="180.76.1.2", client_token="t-1", billing=month(eip_models))
    for what in ["an address is renewed", "and sent again it is answered again"]:
        check(what, bool(eip.eip_renewal(with_token).metadata["x-bce-request-id"]), True)
    wait_until_visible()
    [found] = eip.query_eip_list(eip_models.QueryEipListRequest(eip="180.76.1.2")).eip_list
    check("and happened once", found.expire_time, months_later(instant(20), 1))
    theirs = client(BccClient, host, "lenient")
    request = bcc_models.PurchaseReservedInstanceRequest("i-theirs", related_renew_flag="CDS", billing=month(bcc_models))
    check("where tokens are optional it is", bool(theirs.purchase_reserved_instance(request).order_id), True)
    wait_until_visible()
    disk = theirs.get_volume(bcc_models.GetVolumeRequest("v-theirs")).volume
    check("with its disk", disk.expire_time, months_later(instant(20), 1))
    disk = bcc_models.PurchaseReservedVolumeRequest("v-theirs", billing=month(bcc_models))
    check("a disk by itself", bool(theirs.purchase_reserved_volume(disk).order_id), True)


def finance(host, bcc):
    renewals = client(FinanceClient, host)

    def listed(service_type, **fields):
        request = finance_models.GetRenewResourceListRequest(service_type=service_type, **fields)
        return renewals.get_renew_resource_list(request)

    page = listed("SCS", page_no=1, page_size=1)
    check("renewals are listed", (page.account_id, page.total_count, page.page_size), ("acme", 2, 1))
    [first] = page.resources
    shown = (first.service_type, first.region, first.short_id, first.expire_time, first.already_renew_set)
    check("a renewal is shown", shown, ("SCS", "bj", "cache-1", instant(20), False))
    check("by region", [one.short_id for one in listed("SCS", region="su").resources], ["cache-2"])
    check("by days ahead", (listed("SCS", expired_days=19).total_count, listed("SCS", expired_days=21).total_count), (0, 2))
    rule = finance_models.CreateRenewResourceRuleRequest("SCS", "bj", "cache-1", "year", "1")
    check("a rule is made", bool(renewals.create_renew_resource_rule(rule).metadata["x-bce-request-id"]), True)
    [first] = listed("SCS", short_or_instance_ids=["cache-1"]).resources
    check("and shows", (first.already_renew_set, first.renew_time_unit, first.renew_time), (True, "year", "1"))
    next_second()
    other = finance_models.CreateRenewResourceRuleRequest("SCS", "bj", "cache-1", "month", "1")
    refused("once", lambda: renewals.create_renew_resource_rule(other), 409, "OperationDenied")
    next_second()
    instance = finance_models.CreateRenewResourceRuleRequest("BCC", "bj", "i-one", "month", "2")
    renewals.create_renew_resource_rule(instance)
    check("for an instance, too", bcc.get_instance(bcc_models.GetInstanceRequest("i-one")).instance.auto_renew, True)
    refused("of another account nothing", lambda: listed("SCS", query_account_id="lenient"), 403, "AccessDenied")
    refused("of no other service", lambda: listed("BOS"), 400, "BadRequest")


def charge_type(bcc):
    """A request without an effective type goes to the mode that the disk does not have."""
    turn = bcc_models.ModifyVolumeChargeTypeRequest("v-turn", effective_type="AtOnce")
    bcc.modify_volume_charge_type(turn)
    disk = bcc.get_volume(bcc_models.GetVolumeRequest("v-turn")).volume
    check("a disk becomes pay-as-you-go", disk.payment_timing, "Postpaid")
    next_second()
    again = lambda: bcc.modify_volume_charge_type(turn)
    refused("once", again, 403, "Volume.PaymentTypeNotSupportToPostpay")
    next_second()
    back = bcc_models.ModifyVolumeChargeTypeRequest("v-all-hourly", billing=month(bcc_models))
    bcc.modify_volume_charge_type(back)
    disk = bcc.get_volume(bcc_models.GetVolumeRequest("v-all-hourly")).volume
    check("and another prepaid", disk.payment_timing, "Prepaid")
    next_second()
    rule = bcc_models.CreateAutoRenewRuleRequest(instance_id="i-two", renew_time_unit="month", renew_time=1)
    bcc.create_auto_renew_rule(rule)
    check("a rule is made", bcc.get_instance(bcc_models.GetInstanceRequest("i-two")).instance.auto_renew, True)
    bcc.delete_auto_renew_rule(bcc_models.DeleteAutoRenewRuleRequest(instance_id="i-two"))
    check("and deleted", bcc.get_instance(bcc_models.GetInstanceRequest("i-two")).instance.auto_renew, False)


def releases(bcc, eip):
    def release(name, **fields):
        next_second()
        return bcc.delete_prepay_instance(bcc_models.DeletePrepayInstanceRequest(name, **fields))

    refused("a protected instance is not released", lambda: release("i-safe"), 403, "Instance.DeletionProtection")
    refused("nor one that expired", lambda: release("i-old"), 409, "OperationDenied")
    refused("nor one that there is not", lambda: release("i-none"), 404, "NoSuchObject")
    done = release("i-web")
    found = (done.instance_refund_flag, done.success_resources.instance_id, done.success_resources.volume_ids)
    check("an instance is released with its disk", found, (True, "i-web", ["v-web"]))
    refused("both are gone", lambda: bcc.get_volume(bcc_models.GetVolumeRequest("v-web")), 404, "NoSuchObject")
    addresses = eip.query_eip_list(eip_models.QueryEipListRequest(eip="180.76.1.1")).eip_list
    check("its address stays", [one.eip_id for one in addresses], ["ip-web"])
    done = release("i-all", related_release_flag=True)
    found = (done.success_resources.volume_ids, done.success_resources.eip, done.fail_resources.volume_ids)
    check("with what is related, all of it", found, (["v-all", "v-all-hourly"], "180.76.1.3", []))
    several = bcc_models.BatchRefundResourceRequest(["i-one", "i-safe", "i-two"])
    check("several at once", bcc.batch_refund_resource(several).failed_instance_ids, ["i-safe"])
    left = names(bcc.list_instances(bcc_models.ListInstancesRequest()).instances)
    check("and gone they are", left, ["i-old", "i-safe"])
    eip.refund_eip(eip_models.RefundEipRequest("180.76.1.2", client_token="t-2"))
    left = [one.eip_id for one in eip.query_eip_list(eip_models.QueryEipListRequest()).eip_list]
    check("an address is released", left, ["ip-web"])


def main():
    program = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    with Host(program, "baidu", INVENTORY) as host:
        bcc, eip = client(BccClient, host), client(EipClient, host)
        what_there_is(bcc)
        recycle_bin(bcc)
        renewals(host, bcc, eip)
        finance(host, bcc)
        charge_type(bcc)
        releases(bcc, eip)
    print("what Baidu AI Cloud's newer SDKs ask is answered")


if __name__ == "__main__":
    main()
