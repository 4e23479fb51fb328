// Buckets by the clock of a zone, as the server makes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { bucketStart, nextBucket } = await source("zone.ts");
const { axisOf } = await source("stats.ts");
const HOUR = 3_600_000;
const day = 24 * HOUR;

function inZone(name, f) {
  const before = process.env.TZ;
  process.env.TZ = name;
  try {
    f();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

test("days begin at midnight of the zone, hours at its full hours", () => {
  for (const [zone, width, at, want] of [
    ["Asia/Tokyo", day, "2026-11-28T03:00:00+09:00", "2026-11-28T00:00:00+09:00"],
    ["Asia/Kathmandu", HOUR, "2026-11-28T03:50:00+05:45", "2026-11-28T03:00:00+05:45"],
    ["Europe/Berlin", day, "2026-10-25T23:59:59+01:00", "2026-10-25T00:00:00+02:00"],
    ["Europe/Berlin", day, "2026-10-26T00:00:00+01:00", "2026-10-26T00:00:00+01:00"],
    ["Europe/Berlin", HOUR, "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+02:00"],
    ["Europe/Berlin", HOUR, "2026-10-25T02:30:00+01:00", "2026-10-25T02:00:00+01:00"],
    ["Europe/Berlin", 6 * HOUR, "2026-10-25T05:00:00+01:00", "2026-10-25T00:00:00+02:00"],
    ["Europe/Berlin", day, "2026-03-29T23:00:00+02:00", "2026-03-29T00:00:00+01:00"],
    ["Europe/Berlin", 2 * HOUR, "2026-03-29T03:30:00+02:00", "2026-03-29T03:00:00+02:00"],
    ["Australia/Lord_Howe", day, "2026-04-05T23:00:00+10:30", "2026-04-05T00:00:00+11:00"],
  ])
    inZone(zone, () =>
      assert.equal(new Date(bucketStart(Date.parse(at), width)).toISOString(), new Date(want).toISOString(), at),
    );
});

test("buckets follow one another without a gap where the clock is changed", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
    inZone(zone, () => {
      for (const width of [HOUR / 12, HOUR / 2, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, day])
        for (const around of ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"]) {
          const end = Date.parse(around) + 2 * day;
          for (let t = bucketStart(end - 3 * day, width); t < end; ) {
            const next = nextBucket(t, width);
            assert.ok(next > t && next - t <= width + 2 * HOUR, `${zone} ${width} ${new Date(t).toISOString()}`);
            assert.equal(bucketStart(next - 1, width), t, `${zone} ${width} ${new Date(next).toISOString()}`);
            assert.equal(bucketStart(next, width), next);
            t = next;
          }
        }
    });
});

test("the last 24 hours are 24 hours, whatever clocks of clients say", () => {
  inZone("UTC", () => {
    const now = Date.now();
    const range = { preset: "24h", from: new Date(now - day) };
    const rows = [now - 2 * HOUR, now + 35 * day].map(t => ({ time: new Date(bucketStart(t, HOUR)).toISOString() }));
    const x = axisOf(range, { name: "1h", ms: HOUR }, rows);
    assert.ok(x.length <= 26, `${x.length} hours`);
    const days = [now, now + 35 * day].map(t => ({ time: new Date(bucketStart(t, day)).toISOString() }));
    const all = axisOf({ preset: "all" }, { name: "1d", ms: day }, days);
    assert.equal(all.length, 36, "all time has them all");
  });
});
