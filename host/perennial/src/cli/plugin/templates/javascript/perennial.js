// The kit of Perennial for plugins in JavaScript. It shows the flat lists of the contract (wit/provider.wit) as bundles with
// members, and attributes and settings as objects, and makes flat lists of what the rules answer.
//
// Rules are pure: there is no clock, no randomness, no file and no network, and nothing is kept from one call to the next.
// Times are seconds since 1970-01-01T00:00:00Z. Money is in millionths: 12_500_000 is 12.50. A number above 2^53 loses its
// last digits, which is more than nine thousand million of any currency.

export const DAY = 86_400;

/** What the provider says instead of a plan: throw it. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const modulo = (number, by) => ((number % by) + by) % by;

/** The days of a provider that is so many minutes ahead of UTC: 480 for UTC+8. */
export class Calendar {
  constructor(offsetMinutes) {
    this.offset = offsetMinutes * 60;
  }

  /** The first second of the day of `at`. */
  midnight(at) {
    return at - modulo(at + this.offset, DAY);
  }

  /** The instant at `hour` o'clock on the day that is `daysBefore` days before the day of `at`. */
  atHour(at, daysBefore, hour) {
    return this.midnight(at) - daysBefore * DAY + hour * 3600;
  }

  /** The day of the month of `at`, 1 to 31. */
  dayOfMonth(at) {
    return civil(Math.floor((at + this.offset) / DAY))[2];
  }

  /**
   * The instant one term after `at`, counted from the anchor day: the time of the day stays, and a month that is too short
   * ends the period on its last day.
   */
  plus(at, anchorDay, term) {
    if (term.unit === "day") return at + term.count * DAY;
    const days = Math.floor((at + this.offset) / DAY);
    const [year, month] = civil(days);
    const months = month - 1 + term.count * (term.unit === "year" ? 12 : 1);
    const [toYear, toMonth] = [year + Math.floor(months / 12), modulo(months, 12) + 1];
    const last = daysOf(toYear + Math.floor(toMonth / 12), (toMonth % 12) + 1, 1) - daysOf(toYear, toMonth, 1);
    return at + (daysOf(toYear, toMonth, Math.min(anchorDay, last)) - days) * DAY;
  }

  /** How many days the day of `to` is after that of `from`. */
  daysBetween(from, to) {
    return (this.midnight(to) - this.midnight(from)) / DAY;
  }
}

/** The days from 1970-01-01 to a date of the Gregorian calendar. */
function daysOf(year, month, day) {
  const years = month <= 2 ? year - 1 : year;
  const era = Math.floor(years / 400);
  const ofEra = years - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

/** The year, the month and the day so many days after 1970-01-01. */
function civil(days) {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const years = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * years + Math.floor(years / 4) - Math.floor(years / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  return [years + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, day];
}

// What a plan can do to a member; each is an `operation` of a step.

/** It is paid for until `expiresAt`, for the price of `term` and of `extraDays`. */
export const extend = (expiresAt, term, { extraDays = 0, anchorDay = null } = {}) => ({
  tag: "extend",
  val: { expiresAt, term, extraDays, anchorDay },
});
/** What happens on its expiry: `lapse`, `renew`, `convert` or `release`. */
export const setOnExpiry = (onExpiry) => ({ tag: "set-on-expiry", val: onExpiry });
/** Auto-renew is on, by `term` (null: the term that it was bought for), so many times (null: without limit). */
export const setAutoRenew = ({ term = null, renewals = null } = {}) => ({ tag: "set-auto-renew", val: { term, renewals } });
/** Its subscription ends; `refunds` has `{ order, amount, fee }` for every order that this cancels. */
export const endSubscription = (scope, refunds, expiresAt = null) => ({
  tag: "end-subscription",
  val: { scope, expiresAt },
  refunds,
});
/** It becomes pay-per-use at once; `refunds` as for `endSubscription`. */
export const convert = (refunds) => ({ tag: "convert", refunds });
/** A new package like this one: `{ payAt, effectiveAt, expiresAt, anchorDay }`. */
export const buy = (details) => ({ tag: "buy", val: details });
/** Other `attributes` (an object), the `price` from now on, and `adjustments` of the periods that were paid for. */
export const changeSpecification = (attributes, price, adjustments) => ({
  tag: "change-specification",
  val: { price },
  attributes,
  adjustments,
});
/** It becomes prepaid: `{ expiresAt, term, extraDays, anchorDay, price }`. */
export const subscribe = (subscription) => ({ tag: "subscribe", val: { extraDays: 0, ...subscription } });
/** An attribute gets another value. */
export const setAttribute = (name, value) => ({ tag: "set-attribute", name, value });

// What a timeline can do to a member; each is an `action` of an occurrence.

export const tryRenewal = { tag: "try-renewal" };
export const enter = (stage) => ({ tag: "enter", val: stage });
export const convertOnExpiry = { tag: "convert" };
export const refill = { tag: "refill" };
/** The announcement with this index in the manifest's `notices`. */
export const notice = (index) => ({ tag: "notice", val: index });

/** Texts that an answer uses, each once. */
class Words {
  list = [];
  numbers = new Map();

  number(text) {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.list.length;
      this.list.push(text);
      this.numbers.set(text, number);
    }
    return number;
  }
}

const pairs = (words, list, from, count) => {
  const object = {};
  for (let place = from; place < from + count; place++) object[words[list[place].name]] = words[list[place].value];
  return object;
};

const object = (attributes) => Object.fromEntries(attributes);

/** Each account's settings, as an object. */
function settingsOf(words, accounts) {
  let from = 0;
  return accounts.counts.map((count) => {
    const settings = pairs(words, accounts.settings, from, count);
    from += count;
    return settings;
  });
}

/** The first `bytes` bytes of a text in UTF-8, and where the rest begins. */
function cut(text, from, bytes) {
  let to = from;
  for (let left = bytes; left > 0; ) {
    const point = text.codePointAt(to);
    left -= point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    to += point < 0x10000 ? 1 : 2;
  }
  return [text.slice(from, to), to];
}

/** Each bundle's members, with their names as texts and their attributes as objects. */
function bundlesOf(words, bundles) {
  let [place, attribute, id] = [0, 0, 0];
  return bundles.counts.map((count) => {
    const members = [];
    for (const end = place + count; place < end; place++) {
      const member = bundles.members[place];
      const attributes = pairs(words, bundles.attributes, attribute, member.attributes);
      attribute += member.attributes;
      let name = "";
      [name, id] = cut(bundles.ids, id, member.idBytes);
      members.push({ ...member, id: name, kind: words[member.kind], attributes });
    }
    return members;
  });
}

function timelines(rules, words, accounts, bundles, requests) {
  const settings = settingsOf(words, accounts);
  const members = bundlesOf(words, bundles);
  const used = new Words();
  const [counts, occurrences] = [[], []];
  requests.forEach((request, place) => {
    const found = rules.timeline({ after: request.after, settings: settings[request.account], bundle: members[place] });
    counts.push(found.length);
    for (const { at, member, action } of found) {
      if (action.tag === "set-attribute") {
        const val = { name: used.number(action.name), value: used.number(action.value) };
        occurrences.push({ at, member, action: { tag: action.tag, val } });
      } else occurrences.push({ at, member, action });
    }
  });
  return { words: used.list, counts, occurrences };
}

/** A command with its options as objects. */
function commandOf({ tag, val }) {
  const details = val !== null && typeof val === "object" ? { ...val } : { value: val };
  for (const list of ["options", "attributes"]) if (Array.isArray(details[list])) details[list] = object(details[list]);
  return { name: tag, ...details };
}

function makePlans(rules, words, accounts, bundles, requests, orders) {
  const settings = settingsOf(words, accounts);
  const members = bundlesOf(words, bundles);
  const used = new Words();
  const plans = { words: used.list, answers: [], steps: [], skipped: [], refunds: [], adjustments: [], attributes: [] };
  const refusal = ({ code, message }) => ({ code: used.number(code), message: used.number(message) });
  let order = 0;
  requests.forEach((request, place) => {
    const own = orders.slice(order, order + request.orders);
    order += request.orders;
    const { at, account, member } = request;
    const command = commandOf(request.command);
    try {
      const plan = rules.plan({ at, settings: settings[account], bundle: members[place], member, command, orders: own });
      const { steps, skipped = [], retryNow = null, payUntil = null } = plan;
      for (const step of steps) plans.steps.push({ member: step.member, operation: operationOf(plans, used, step.operation) });
      for (const { member, reason } of skipped) plans.skipped.push({ member, reason: refusal(reason) });
      plans.answers.push({ tag: "ok", val: { steps: steps.length, skipped: skipped.length, retryNow, payUntil } });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      plans.answers.push({ tag: "err", val: refusal(error) });
    }
  });
  return plans;
}

function operationOf(plans, words, { tag, val, refunds, attributes, adjustments, name, value }) {
  if (refunds) plans.refunds.push(...refunds);
  const pair = ([name, value]) => ({ name: words.number(name), value: words.number(value) });
  switch (tag) {
    case "end-subscription":
      return { tag, val: { ...val, refunds: refunds.length } };
    case "convert":
      return { tag, val: refunds.length };
    case "change-specification": {
      const changed = Object.entries(attributes).map(pair);
      plans.attributes.push(...changed);
      plans.adjustments.push(...adjustments);
      return { tag, val: { ...val, attributes: changed.length, adjustments: adjustments.length } };
    }
    case "set-attribute":
      return { tag, val: pair([name, value]) };
    default:
      return { tag, val };
  }
}

function allocate(rules, words, accounts, consumptions, packages) {
  const settings = settingsOf(words, accounts);
  const [counts, allocations] = [[], []];
  let from = 0;
  for (const { at, account, resourceType, amount, packages: count } of consumptions) {
    const own = packages.slice(from, from + count);
    from += count;
    const request = { at, settings: settings[account], resourceType: words[resourceType], amount, packages: own };
    const found = rules.allocate ? rules.allocate(request) : [];
    counts.push(found.length);
    for (const one of found) allocations.push({ alert: "none", ...one });
  }
  return { counts, allocations };
}

/** What a manifest says unless the rules say otherwise. */
const MANIFEST = {
  kinds: [],
  settings: [],
  notices: [],
  reads: [],
  utcOffsetMinutes: 0,
  unknownResourceOf: [],
  idempotency: null,
};
const KIND = { attachesTo: [], terms: [], package: false };

/**
 * The exports of a plugin: `export const { types, profile, lifecycle, commands, usage } = provider({ .. })`. The rules have
 * `manifest`, `checkSettings(settings)`, `timeline({ after, settings, bundle })`, `plan({ at, settings, bundle, member,
 * command, orders })` and, for packages, `allocate({ at, settings, resourceType, amount, packages })`.
 */
export function provider(rules) {
  const manifest = { ...MANIFEST, ...rules.manifest };
  manifest.kinds = manifest.kinds.map((kind) => ({ ...KIND, ...kind }));
  return {
    types: {},
    profile: { describe: () => manifest, checkSettings: (settings) => rules.checkSettings(object(settings)) },
    lifecycle: { timeline: (...call) => timelines(rules, ...call) },
    commands: { makePlans: (...call) => makePlans(rules, ...call) },
    usage: { allocate: (...call) => allocate(rules, ...call) },
  };
}
