// NAME, a provider in JavaScript: three days of grace, and a try at 02:00 UTC on each of the five days before the expiry.
//
// `perennial plugin build` makes a component of it, `perennial plugin test` asks what is in cases.toml. `wit/provider.wit`
// says what each function is asked. Instants are BigInt, seconds since 1970; nothing is kept from one call to the next.

const DAY = 86400n;
const GRACE = 3n * DAY;
const TRY_DAYS = [5n, 4n, 3n, 2n, 1n];
const TRY_HOUR = 2n;
const FINAL = ["released", "unsubscribed", "converted"];

const refusal = (message) => ({ code: "Refused", message });
const refused = (message) => ({ tag: "err", val: refusal(message) });

export const types = {};

export const profile = {
  describe() {
    const policy = (message) => ({ refusal: refusal(message), codeSetting: undefined });
    return {
      id: "NAME",
      name: "NAME",
      kinds: [{ name: "server", label: "Server", attachesTo: [], terms: [], package: false }],
      settings: [],
      notices: [],
      reads: [],
      utcOffsetMinutes: 0,
      insufficientBalance: refusal("the balance does not suffice"),
      unknownResource: refusal("there is no such resource"),
      unknownResourceOf: [],
      policyDenied: policy("the command is denied"),
      policyDeferred: policy("the command is denied for now"),
      idempotency: undefined,
    };
  },
  checkSettings: (settings) => settings.map(([name]) => `\`${name}\` is not a setting; there are none`),
};

export const lifecycle = {
  timeline: (accounts, requests) => requests.map(({ after, bundle }) => timeline(after, bundle)),
};

export const commands = {
  makePlans: (accounts, requests) => requests.map(plan),
};

export const usage = {
  allocate: (accounts, consumptions) => consumptions.map(() => []),
};

// Everything that happens to a bundle strictly after `after`, in order, down to the end of each member.
function timeline(after, bundle) {
  const occurrences = [];
  bundle.forEach((resource, member) => {
    const { charging, stage, expiresAt, onExpiry } = resource;
    if (charging !== "prepaid" || expiresAt == null || FINAL.includes(stage)) return;
    const push = (at, action) => occurrences.push({ at, member, action });
    // What is overdue happens as soon as possible: a resource may be imported long after its expiry.
    const overdue = (at, action) => push(at > after ? at : after + 1n, action);
    const enter = (to) => ({ tag: "enter", val: to });
    if (stage === "active" && onExpiry === "renew") {
      const midnight = expiresAt - (((expiresAt % DAY) + DAY) % DAY);
      const tries = TRY_DAYS.map((days) => midnight - days * DAY + TRY_HOUR * 3600n);
      tries.filter((at) => at > after).forEach((at) => push(at, { tag: "try-renewal" }));
    }
    if (stage === "active" && onExpiry === "convert") return overdue(expiresAt, { tag: "convert" });
    if (stage === "active" && onExpiry === "release") return overdue(expiresAt, enter("released"));
    if (stage === "active") overdue(expiresAt, enter("grace"));
    overdue(expiresAt + GRACE, enter("released"));
  });
  return occurrences.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

// What a command does, or why it is refused.
function plan({ at, command, member, bundle }) {
  const resource = bundle[member];
  const { stage, expiresAt, anchorDay, term: boughtFor, renewalTerm, onExpiry } = resource;
  if (expiresAt == null || anchorDay == null || boughtFor == null) return refused("it is pay-per-use");
  if (FINAL.includes(stage)) return refused("it is gone");
  const hasExpired = stage !== "active" || expiresAt <= at;
  const done = (operation) => ({
    tag: "ok",
    val: { steps: [{ member, operation }], skipped: [], retryNow: undefined, payUntil: undefined },
  });
  switch (command.tag) {
    case "renew": {
      const { term: wanted, automatic } = command.val;
      const term = wanted ?? renewalTerm ?? boughtFor;
      const until = plus(expiresAt, anchorDay, term);
      if (until <= at && !automatic) return refused("it would still be expired after this renewal; take a longer term");
      return done({ tag: "extend", val: { expiresAt: until, term, extraDays: 0, anchorDay: undefined } });
    }
    case "set-auto-renew":
      if (hasExpired) return refused("it has expired; renew it by hand first");
      return done({ tag: "set-auto-renew", val: command.val });
    case "cancel-auto-renew":
      if (onExpiry !== "renew") return refused("it is not renewed automatically");
      return done({ tag: "set-on-expiry", val: "lapse" });
    default:
      return refused("there is no such command at this provider");
  }
}

// The instant one term after `at`, counted from the anchor day: a month that is too short ends on its last day.
function plus(at, anchorDay, { count, unit }) {
  if (unit === "day") return at + BigInt(count) * DAY;
  const time = ((at % DAY) + DAY) % DAY;
  const date = new Date(Number(at - time) * 1000);
  const months = date.getUTCMonth() + count * (unit === "year" ? 12 : 1);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const moved = Date.UTC(date.getUTCFullYear(), months, Math.min(anchorDay, lastDay));
  return BigInt(moved / 1000) + time;
}
