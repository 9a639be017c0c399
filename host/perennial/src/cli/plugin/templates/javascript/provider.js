// NAME, a provider in JavaScript: three days of grace, and a try at 02:00 UTC on each of the five days before the expiry.
//
// `perennial plugin build` makes a component of it, `perennial plugin test` asks what is in cases.toml, and `npm test` asks
// the same rules natively. `wit/provider.wit` says what each function is asked; `perennial.js` is the kit.

import { Calendar, DAY, Refusal, convertOnExpiry, enter, extend, provider } from "./perennial.js";
import { setAutoRenew, setOnExpiry, tryRenewal } from "./perennial.js";

// The provider's days.
const CALENDAR = new Calendar(0);
// How long a server goes on serving after its expiry.
const GRACE = 3 * DAY;
// The days before the expiry on which a renewal is tried, and the hour.
const TRY_DAYS = [5, 4, 3, 2, 1];
const TRY_HOUR = 2;

const FINAL = ["released", "unsubscribed", "converted"];

const refusal = (message) => ({ code: "Refused", message });
const refuse = (message) => {
  throw new Refusal("Refused", message);
};

const manifest = {
  id: "NAME",
  name: "NAME",
  kinds: [{ name: "server", label: "Server" }],
  insufficientBalance: refusal("the balance does not suffice"),
  unknownResource: refusal("there is no such resource"),
  policyDenied: { refusal: refusal("the command is denied"), codeSetting: null },
  policyDeferred: { refusal: refusal("the command is denied for now"), codeSetting: null },
};

/** Every problem of an account's settings, in words: there are none that could be set. */
export function checkSettings(settings) {
  return Object.keys(settings).map((name) => `\`${name}\` is not a setting; there are none`);
}

/** Everything that happens to a bundle strictly after `after`, in order, down to the end of each member. */
export function timeline({ after, bundle }) {
  const occurrences = [];
  // What is overdue happens as soon as possible: a resource may be imported long after its expiry.
  const soon = (at) => Math.max(at, after + 1);
  bundle.forEach(({ charging, stage, onExpiry, expiresAt }, member) => {
    if (charging !== "prepaid" || expiresAt === null || FINAL.includes(stage)) return;
    const push = (at, action) => occurrences.push({ at, member, action });
    const isActive = stage === "active";
    if (isActive && onExpiry === "renew") {
      const tries = TRY_DAYS.map((days) => CALENDAR.atHour(expiresAt, days, TRY_HOUR));
      for (const at of tries.filter((at) => at > after)) push(at, tryRenewal);
    }
    if (isActive && onExpiry === "convert") return push(soon(expiresAt), convertOnExpiry);
    if (isActive && onExpiry === "release") return push(soon(expiresAt), enter("released"));
    if (isActive) push(soon(expiresAt), enter("grace"));
    push(soon(expiresAt + GRACE), enter("released"));
  });
  return occurrences.sort((one, other) => one.at - other.at);
}

/** What a command does; throws a `Refusal` where it does nothing. */
export function plan({ at, bundle, member, command }) {
  const { stage, onExpiry, expiresAt, anchorDay, term, renewalTerm } = bundle[member];
  if (expiresAt === null) refuse("it is pay-per-use");
  if (FINAL.includes(stage)) refuse("it is gone");
  const hasExpired = stage !== "active" || expiresAt <= at;
  const steps = (operation) => ({ steps: [{ member, operation }] });
  switch (command.name) {
    case "renew": {
      const chosen = command.term ?? renewalTerm ?? term;
      const until = CALENDAR.plus(expiresAt, anchorDay, chosen);
      if (until <= at && !command.automatic) refuse("it would still be expired after this renewal; take a longer term");
      return steps(extend(until, chosen));
    }
    case "set-auto-renew":
      if (hasExpired) refuse("it has expired; renew it by hand first");
      return steps(setAutoRenew(command));
    case "cancel-auto-renew":
      if (onExpiry !== "renew") refuse("it is not renewed automatically");
      return steps(setOnExpiry("lapse"));
    default:
      return refuse("there is no such command at this provider");
  }
}

export const { types, profile, lifecycle, commands, usage } = provider({ manifest, checkSettings, timeline, plan });
