#!/usr/bin/env bash
# DuckDB 1.5 never gives back the memory of a TEMP table that is filled and emptied by TRUNCATE again and again; 2.0 does, as both do of ordinary tables. Within one
# transaction neither gives any back before its end: not for TRUNCATE, not for CREATE OR REPLACE, not for DROP.
#
# Guessed: a temporary table is the cheap one of the two, and what was dropped or replaced is free for what the same transaction does next.
# Seen 2026-11-30, duckdb 1.5.6 and 2.0.1 from PyPI, IN_MEMORY_TABLE of duckdb_memory() in MiB, tables of 110 000 numbers:
#   filled and truncated, after 8 and 40 times:  TEMP in 1.5.6: 9.3 45.0 (and 45.0 after CHECKPOINT), in 2.0.1: 7.8 0.0; not TEMP: 9.3 0.0 and 7.8 0.0
#   six times in one transaction, two columns:   DROP 15.2, CREATE OR REPLACE 15.2, TRUNCATE 14.0 in 1.5.6; 13.5, 13.5, 12.0 in 2.0.1; after COMMIT 0.0, 2.5 (2.3), 0.0
# Means for us: the temporary rows of a repriced day are there until its transaction ends, so they have the columns that change and no others; removals
# go by 50 000 events a transaction, and replace their tables in each.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - <<'PY'
import duckdb

def held(db):
    return db.execute("SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'").fetchone()[0] / 2**20

def emptied(kind):
    db, after = duckdb.connect(), []
    db.execute(f"CREATE {kind} TABLE t (i BIGINT)")
    for time in range(1, 41):
        db.execute("INSERT INTO t SELECT range FROM range(110000)")
        db.execute("TRUNCATE t")
        if time in (8, 40):
            after.append(held(db))
    db.execute("CHECKPOINT")
    return after + [held(db)]

def in_one(make, empty):
    db = duckdb.connect()
    db.execute("CREATE TEMP TABLE t (i BIGINT, j BIGINT)")
    db.execute("BEGIN")
    for _ in range(6):
        for statement in (make, empty):
            if statement:
                db.execute(statement)
    inside = held(db)
    db.execute("COMMIT")
    return [inside, held(db)]

rows = "SELECT range AS i, CAST(hash(range) % 1000000 AS BIGINT) AS j FROM range(110000)"
seen = {
    "temp": emptied("TEMP"), "ordinary": emptied(""),
    "truncate": in_one(f"INSERT INTO t {rows}", "TRUNCATE t"), "replace": in_one(f"CREATE OR REPLACE TEMP TABLE t AS {rows}", ""),
    "drop": in_one(f"CREATE TEMP TABLE u AS {rows}", "DROP TABLE u"),
}
print(duckdb.__version__, {k: [round(x, 1) for x in v] for k, v in seen.items()})
first, last, checked = seen["temp"]
if duckdb.__version__.startswith("1."):
    assert last > 4 * first and checked > 4 * first, seen
else:
    assert last < first and checked < first, seen
assert seen["ordinary"][1] < seen["ordinary"][0], seen
for how in ("truncate", "replace", "drop"):
    inside, after = seen[how]
    assert inside > 10 and after < 3, (how, seen)
PY
done
