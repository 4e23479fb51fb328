#!/usr/bin/env bash
# DuckDB 1.5: a COMMIT that fails for want of memory is undone for whoever reads, but no CHECKPOINT goes after it: that ends in a FATAL error, and the database does
# nothing more until it is opened again; then all that was committed is there. 2.0 makes its checkpoint.
#
# Guessed: a transaction that failed is as if it had never been, also for a checkpoint; with less to write, the next one goes on.
# Seen 2026-11-30, duckdb 1.5.6 and 2.0.1 from PyPI, a file, memory_limit 40 MB, one thread, rows of 20 texts, transactions of 3000 rows and more:
#   1.5.6: rows are right after the failed COMMIT, three INSERTs go; CHECKPOINT: FATAL Error: Failed to create checkpoint because of error: Corrupted in-memory
#          column - column with index 0 has misaligned count; opened again: all rows
#   2.0.1: the same up to CHECKPOINT, which goes
# Means for us: a writer that found no memory makes a checkpoint before it tries again, so half an hour of 20 000 events/s met this once. The node opened its file
# again by itself, but a pass of retention failed and was logged. alone in internal/store/duckstore/asking.go opens it again now (TestCommitWithoutMemory).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - "$dir/$version.duckdb" <<'PY'
import sys
import duckdb

COLUMNS = range(1, 21)
texts = ", ".join(f"md5(CAST(i * {c} AS VARCHAR)) AS c{c}" for c in COLUMNS)
wrong = " OR ".join(f"c{c} IS DISTINCT FROM md5(CAST(i * {c} AS VARCHAR))" for c in COLUMNS)

def opened():
    db = duckdb.connect(sys.argv[1])
    for setting in ("memory_limit = '40MB'", "threads = 1", "temp_directory = ''", "checkpoint_threshold = '1GiB'"):
        db.execute("SET " + setting)
    return db

def insert(db, first, n):
    db.execute(f"INSERT INTO t SELECT i, {texts} FROM range({first}, {first + n}) AS r(i)")

def rows(db):
    return db.execute(f"SELECT count(*), count(*) FILTER ({wrong}) FROM t").fetchone()

def fill(db, size):
    db.execute(f"CREATE OR REPLACE TABLE t AS SELECT i, {texts} FROM range(0) AS r(i)")
    db.execute("CHECKPOINT")
    n = 0
    while True:
        try:
            db.execute("BEGIN")
            insert(db, n, size)
            db.execute("COMMIT")
            n += size
        except duckdb.Error as e:
            return n, str(e)

for size in (3000, 5000, 7000, 9000, 11000, 13000, 15000):  # with one of them the rows fit, and what COMMIT needs besides does not
    db = opened()
    n, failed = fill(db, size)
    if "Failed to commit" in failed:
        break
    db.close()
assert "Failed to commit: could not allocate block" in failed, failed
assert rows(db) == (n, 0), (rows(db), n)
for _ in range(3):
    insert(db, n, 100)
    n += 100
assert rows(db) == (n, 0), (rows(db), n)
try:
    db.execute("CHECKPOINT")
    checkpoint = "goes"
except duckdb.Error as e:
    checkpoint = str(e)
print(duckdb.__version__, n, "rows; CHECKPOINT:", checkpoint[:140])
if duckdb.__version__.startswith("1."):
    assert "FATAL Error" in checkpoint and "misaligned count" in checkpoint, checkpoint
else:
    assert checkpoint == "goes", checkpoint
db.close()
db = opened()
assert rows(db) == (n, 0), (rows(db), n)
PY
done
