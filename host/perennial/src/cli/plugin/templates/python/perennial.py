"""The kit of Perennial for plugins in Python.

It shows the flat lists of the contract (wit/provider.wit) as bundles with members, and attributes and settings as
dictionaries, and makes flat lists of what the rules answer.

Rules are pure: no clock that moves, no randomness, no file and no network, and nothing is kept from one call to the next.
Times are seconds since 1970-01-01T00:00:00Z. Money is in millionths: 12_500_000 is 12.50.
"""

from dataclasses import dataclass, field

from componentize_py_types import Err, Ok
from wit_world.exports import commands, lifecycle, profile, types, usage
from wit_world.exports.types import Charging, OnExpiry, Refusal, Stage, Term, TermUnit

DAY = 86_400
FINAL = (Stage.RELEASED, Stage.UNSUBSCRIBED, Stage.CONVERTED)


class Refused(Exception):
    """What the provider says instead of a plan: raise it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Resource:
    """A member of a bundle. `attached_to` is the index of another one, and None for the primary."""

    kind: str
    expires_at: int | None
    id: str = ""
    attached_to: int | None = None
    charging: Charging = Charging.PREPAID
    stage: Stage = Stage.ACTIVE
    started_at: int = 0
    anchor_day: int | None = None
    term: Term | None = None
    on_expiry: OnExpiry = OnExpiry.LAPSE
    renewals_left: int | None = None
    renewal_term: Term | None = None
    has_unpaid_order: bool = False
    attributes: dict = field(default_factory=dict)


@dataclass
class PlanRequest:
    """What a plan is asked for: `command` is one of `commands.Command_*`, on the member with the index `member`."""

    at: int
    settings: dict
    bundle: list
    member: int
    command: object
    orders: list


@dataclass
class Plan:
    """What a command does: `steps` has pairs of a member's index and an operation, `skipped` of an index and a `Refused`."""

    steps: list
    skipped: list = field(default_factory=list)
    retry_now: int | None = None
    pay_until: int | None = None


# What a timeline can do to a member: triples of an instant, a member's index and one of these.

TRY_RENEWAL = lifecycle.Action_TryRenewal()
CONVERT = lifecycle.Action_Convert()
REFILL = lifecycle.Action_Refill()


def enter(stage):
    """The member enters a stage."""
    return lifecycle.Action_Enter(stage)


def notice(index):
    """The owner gets the announcement with this index in the manifest's `notices`."""
    return lifecycle.Action_Notice(index)


@dataclass
class SetAttribute:
    """The attribute gets another value; both in timelines and in plans."""

    name: str
    value: str


# What a plan can do to a member.


def extend(expires_at, term, extra_days=0, anchor_day=None):
    """It is paid for until `expires_at`, for the price of `term` and of `extra_days`."""
    return commands.Operation_Extend(commands.Extension(expires_at, term, extra_days, anchor_day))


def set_on_expiry(on_expiry):
    """What happens on its expiry."""
    return commands.Operation_SetOnExpiry(on_expiry)


def set_auto_renew(wanted):
    """Auto-renew is on, as a `commands.AutoRenewal` says."""
    return commands.Operation_SetAutoRenew(wanted)


def buy(details):
    """A new package like this one, as `commands.PurchaseDetails` say."""
    return commands.Operation_Buy(details)


def subscribe(subscription):
    """It becomes prepaid, as a `commands.Subscription` says."""
    return commands.Operation_Subscribe(subscription)


@dataclass
class EndSubscription:
    """Its subscription ends; `refunds` has a `commands.Refund` for every order that this cancels."""

    scope: commands.Scope
    refunds: list
    expires_at: int | None = None


@dataclass
class Convert:
    """It becomes pay-per-use at once; `refunds` as in `EndSubscription`."""

    refunds: list


@dataclass
class ChangeSpecification:
    """Other attributes, the price of a term from now on, and a `commands.Adjustment` for each period that was paid for."""

    attributes: dict
    price: int
    adjustments: list


@dataclass(frozen=True)
class Calendar:
    """The days of a provider that is so many minutes ahead of UTC: 480 for UTC+8."""

    offset_minutes: int

    def midnight(self, at):
        """The first second of the day of `at`."""
        return at - (at + self.offset_minutes * 60) % DAY

    def at_hour(self, at, days_before, hour):
        """The instant at `hour` o'clock on the day that is `days_before` days before the day of `at`."""
        return self.midnight(at) - days_before * DAY + hour * 3600

    def day_of_month(self, at):
        """The day of the month of `at`, 1 to 31."""
        return _civil((at + self.offset_minutes * 60) // DAY)[2]

    def plus(self, at, anchor_day, term):
        """The instant one term after `at`, counted from the anchor day.

        The time of the day stays, and a month that is too short ends the period on its last day.
        """
        if term.unit == TermUnit.DAY:
            return at + term.count * DAY
        days = (at + self.offset_minutes * 60) // DAY
        year, month, _ = _civil(days)
        months = month - 1 + term.count * (12 if term.unit == TermUnit.YEAR else 1)
        year, month = year + months // 12, months % 12 + 1
        last = _days(year + month // 12, month % 12 + 1, 1) - _days(year, month, 1)
        return at + (_days(year, month, min(anchor_day, last)) - days) * DAY

    def days_between(self, start, end):
        """How many days the day of `end` is after that of `start`."""
        return (self.midnight(end) - self.midnight(start)) // DAY


def _days(year, month, day):
    """The days from 1970-01-01 to a date of the Gregorian calendar."""
    years = year - 1 if month <= 2 else year
    era = years // 400
    of_era = years - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days):
    """The year, the month and the day so many days after 1970-01-01."""
    shifted = days + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    years = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * years + years // 4 - years // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    return years + era * 400 + (month >= 10), month + 3 if month < 10 else month - 9, day


class Provider:
    """The rules of a provider. Subclass it, and name the subclass `Rules` in `rules.py`."""

    def manifest(self):
        """The `profile.Manifest`."""
        raise NotImplementedError

    def check_settings(self, settings):
        """Every problem of an account's settings, in words."""
        raise NotImplementedError

    def timeline(self, after, settings, bundle):
        """Triples of an instant, a member's index and an action, in order of time."""
        raise NotImplementedError

    def plan(self, request):
        """The `Plan` of a command; raises `Refused` where it does nothing."""
        raise NotImplementedError

    def allocate(self, at, settings, resource_type, amount, packages):
        """A `usage.Allocation` for each package that pays for a part of the use."""
        return []


class _Words:
    """Texts that an answer uses, each once."""

    def __init__(self):
        self.list, self.numbers = [], {}

    def number(self, text):
        number = self.numbers.get(text)
        if number is None:
            number = self.numbers[text] = len(self.list)
            self.list.append(text)
        return number

    def pair(self, name, value):
        return types.Pair(self.number(name), self.number(value))

    def refusal(self, refused):
        return commands.Refusal(self.number(refused.code), self.number(refused.message))


def _settings(words, accounts):
    settings, place = [], 0
    for count in accounts.counts:
        own = accounts.settings[place : place + count]
        place += count
        settings.append({words[pair.name]: words[pair.value] for pair in own})
    return settings


def _bundles(words, bundles):
    ids, members, found = bundles.ids.encode(), iter(bundles.members), []
    id_at = attribute_at = 0
    for count in bundles.counts:
        bundle = []
        for _ in range(count):
            member = next(members)
            own = bundles.attributes[attribute_at : attribute_at + member.attributes]
            attribute_at += member.attributes
            name = ids[id_at : id_at + member.id_bytes].decode()
            id_at += member.id_bytes
            bundle.append(
                Resource(
                    words[member.kind],
                    member.expires_at,
                    name,
                    member.attached_to,
                    member.charging,
                    member.stage,
                    member.started_at,
                    member.anchor_day,
                    member.term,
                    member.on_expiry,
                    member.renewals_left,
                    member.renewal_term,
                    member.has_unpaid_order,
                    {words[pair.name]: words[pair.value] for pair in own},
                )
            )
        found.append(bundle)
    return found


def exports(rules):
    """The classes that `componentize-py` looks for, by their names: `globals().update(exports(Rules()))`."""

    class Profile:
        def describe(self):
            return rules.manifest()

        def check_settings(self, settings):
            return rules.check_settings(dict(settings))

    class Lifecycle:
        def timeline(self, words, accounts, bundles, requests):
            return _timelines(rules, words, accounts, bundles, requests)

    class Commands:
        def make_plans(self, words, accounts, bundles, requests, orders):
            return _plans(rules, words, accounts, bundles, requests, orders)

    class Usage:
        def allocate(self, words, accounts, consumptions, packages):
            return _allocations(rules, words, accounts, consumptions, packages)

    return {"Types": object, "Profile": Profile, "Lifecycle": Lifecycle, "Commands": Commands, "Usage": Usage}


def _timelines(rules, words, accounts, bundles, requests):
    settings, used, counts, occurrences = _settings(words, accounts), _Words(), [], []
    for request, bundle in zip(requests, _bundles(words, bundles)):
        found = rules.timeline(request.after, settings[request.account], bundle)
        counts.append(len(found))
        for at, member, action in found:
            if isinstance(action, SetAttribute):
                action = lifecycle.Action_SetAttribute(used.pair(action.name, action.value))
            occurrences.append(lifecycle.Occurrence(at, member, action))
    return lifecycle.Timelines(used.list, counts, occurrences)


def _plans(rules, words, accounts, bundles, requests, orders):
    settings, used, order = _settings(words, accounts), _Words(), 0
    plans = commands.Plans(used.list, [], [], [], [], [], [])
    for request, bundle in zip(requests, _bundles(words, bundles)):
        own = orders[order : order + request.orders]
        order += request.orders
        command = request.command
        details = getattr(command, "value", None)
        for name in ("options", "attributes"):
            if hasattr(details, name):
                setattr(details, name, dict(getattr(details, name)))
        asked = PlanRequest(request.at, settings[request.account], bundle, request.member, command, own)
        try:
            plan = rules.plan(asked)
        except Refused as refused:
            plans.answers.append(Err(used.refusal(refused)))
            continue
        for member, operation in plan.steps:
            plans.steps.append(commands.Step(member, _operation(plans, used, operation)))
        for member, refused in plan.skipped:
            plans.skipped.append(commands.SkippedMember(member, used.refusal(refused)))
        answer = commands.Plan(len(plan.steps), len(plan.skipped), plan.retry_now, plan.pay_until)
        plans.answers.append(Ok(answer))
    return plans


def _operation(plans, words, operation):
    match operation:
        case EndSubscription(scope, refunds, expires_at):
            plans.refunds.extend(refunds)
            ended = commands.Cancellation(scope, expires_at, len(refunds))
            return commands.Operation_EndSubscription(ended)
        case Convert(refunds):
            plans.refunds.extend(refunds)
            return commands.Operation_Convert(len(refunds))
        case ChangeSpecification(attributes, price, adjustments):
            plans.attributes.extend(words.pair(name, value) for name, value in attributes.items())
            plans.adjustments.extend(adjustments)
            changed = commands.Specification(len(attributes), price, len(adjustments))
            return commands.Operation_ChangeSpecification(changed)
        case SetAttribute(name, value):
            return commands.Operation_SetAttribute(words.pair(name, value))
        case _:
            return operation


def _allocations(rules, words, accounts, consumptions, packages):
    settings, place, counts, allocations = _settings(words, accounts), 0, [], []
    for use in consumptions:
        own = packages[place : place + use.packages]
        place += use.packages
        found = rules.allocate(use.at, settings[use.account], words[use.resource_type], use.amount, own)
        counts.append(len(found))
        allocations.extend(found)
    return usage.Allocations(counts, allocations)
