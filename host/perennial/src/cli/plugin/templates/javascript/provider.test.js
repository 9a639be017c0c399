// The rules of NAME, asked natively: `npm test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Calendar, DAY } from "./perennial.js";
import { timeline } from "./provider.js";

test("a server without auto-renew has three days", () => {
  const server = { charging: "prepaid", stage: "active", onExpiry: "lapse", expiresAt: 30 * DAY };
  const instants = timeline({ after: 0, bundle: [server] }).map(({ at }) => at / DAY);
  assert.deepEqual(instants, [30, 33]);
});

test("a short month keeps the anchor", () => {
  const [monthly, day] = [{ count: 1, unit: "month" }, (text) => Date.parse(text) / 1000];
  const february = new Calendar(0).plus(day("2026-01-31T12:00:00Z"), 31, monthly);
  assert.equal(february, day("2026-02-28T12:00:00Z"));
  assert.equal(new Calendar(0).plus(february, 31, monthly), day("2026-03-31T12:00:00Z"));
});
