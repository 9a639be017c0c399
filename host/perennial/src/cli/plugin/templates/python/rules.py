"""NAME, a provider in Python: three days of grace, and a try at 02:00 UTC on each of the five days before the expiry.

`perennial plugin build` makes a component of it, and `perennial plugin test` asks what is in cases.toml. `wit/provider.wit`
says what each function is asked; `perennial.py` is the kit, and `bindings` has the types.
"""

import perennial
from perennial import CONVERT, DAY, FINAL, TRY_RENEWAL
from perennial import Calendar, Charging, OnExpiry, Plan, Refusal, Refused, Stage
from perennial import enter, extend, set_auto_renew, set_on_expiry
from wit_world.exports import commands, profile

# The provider's days.
CALENDAR = Calendar(0)
# How long a server goes on serving after its expiry.
GRACE = 3 * DAY
# The days before the expiry on which a renewal is tried, and the hour.
TRY_DAYS = (5, 4, 3, 2, 1)
TRY_HOUR = 2


def refused(message):
    return Refused("Refused", message)


def policy(message):
    return profile.PolicyRefusal(Refusal("Refused", message), None)


MANIFEST = profile.Manifest(
    id="NAME",
    name="NAME",
    kinds=[profile.Kind("server", "Server", attaches_to=[], terms=[], package=False)],
    settings=[],
    notices=[],
    reads=[],
    utc_offset_minutes=0,
    insufficient_balance=Refusal("Refused", "the balance does not suffice"),
    unknown_resource=Refusal("Refused", "there is no such resource"),
    unknown_resource_of=[],
    policy_denied=policy("the command is denied"),
    policy_deferred=policy("the command is denied for now"),
    idempotency=None,
)


class Rules(perennial.Provider):
    def manifest(self):
        return MANIFEST

    def check_settings(self, settings):
        return [f"`{name}` is not a setting; there are none" for name in settings]

    def timeline(self, after, settings, bundle):
        """Everything that happens to a bundle strictly after `after`, in order, down to the end of each member."""
        occurrences = []

        def soon(at):
            """What is overdue happens as soon as possible: a resource may be imported long after its expiry."""
            return max(at, after + 1)

        for member, resource in enumerate(bundle):
            expires_at, stage = resource.expires_at, resource.stage
            if resource.charging != Charging.PREPAID or expires_at is None or stage in FINAL:
                continue
            is_active = stage == Stage.ACTIVE
            if is_active and resource.on_expiry == OnExpiry.RENEW:
                tries = [CALENDAR.at_hour(expires_at, days, TRY_HOUR) for days in TRY_DAYS]
                occurrences.extend((at, member, TRY_RENEWAL) for at in tries if at > after)
            if is_active and resource.on_expiry == OnExpiry.CONVERT:
                occurrences.append((soon(expires_at), member, CONVERT))
            elif is_active and resource.on_expiry == OnExpiry.RELEASE:
                occurrences.append((soon(expires_at), member, enter(Stage.RELEASED)))
            else:
                if is_active:
                    occurrences.append((soon(expires_at), member, enter(Stage.GRACE)))
                occurrences.append((soon(expires_at + GRACE), member, enter(Stage.RELEASED)))
        return sorted(occurrences, key=lambda occurrence: occurrence[0])

    def plan(self, request):
        """What a command does; raises `Refused` where it does nothing."""
        resource = request.bundle[request.member]
        expires_at = resource.expires_at
        if expires_at is None:
            raise refused("it is pay-per-use")
        if resource.stage in FINAL:
            raise refused("it is gone")
        has_expired = resource.stage != Stage.ACTIVE or expires_at <= request.at
        match request.command:
            case commands.Command_Renew(renewal):
                term = renewal.term or resource.renewal_term or resource.term
                until = CALENDAR.plus(expires_at, resource.anchor_day, term)
                if until <= request.at and not renewal.automatic:
                    raise refused("it would still be expired after this renewal; take a longer term")
                operation = extend(until, term)
            case commands.Command_SetAutoRenew(wanted):
                if has_expired:
                    raise refused("it has expired; renew it by hand first")
                operation = set_auto_renew(wanted)
            case commands.Command_CancelAutoRenew():
                if resource.on_expiry != OnExpiry.RENEW:
                    raise refused("it is not renewed automatically")
                operation = set_on_expiry(OnExpiry.LAPSE)
            case _:
                raise refused("there is no such command at this provider")
        return Plan([(request.member, operation)])
