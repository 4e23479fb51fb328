#!/usr/bin/env bash
# DuckDB's checkpoint does nothing, and joins no row groups of which much was deleted, until some table has changed since the last one; an UPDATE
# that sets what is there is no change.
#
# Guessed: with max_vacuum_tasks back at its default the next CHECKPOINT joins what earlier ones left apart; else any UPDATE sees to that.
# Seen 2026-11-30, duckdb 1.5.6 and 2.0.1 from PyPI, five row groups with half of their rows deleted and checkpointed with max_vacuum_tasks = 0:
#   CHECKPOINT alone -> 5 · after UPDATE other SET x = x -> 5 · after UPDATE other SET x = 1, which it is -> 5 · after UPDATE other SET x = 2 -> 3
# Means for us: before a checkpoint that is to give back the room of deleted rows, the warehouse writes its cursor to another value and back.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - "$dir/$version" <<'PY'
import os, sys
import duckdb

def groups(change):
    db = duckdb.connect(os.path.join(sys.argv[1], f"{len(change)}.db"))
    for statement in ("SET max_vacuum_tasks = 0", "SET checkpoint_threshold = '1GiB'", "CREATE TABLE other AS SELECT 1 AS x",
                      "CREATE TABLE many AS SELECT range AS i FROM range(614400)", "CHECKPOINT",
                      "DELETE FROM many WHERE i % 2 = 0", "CHECKPOINT", "RESET max_vacuum_tasks", change, "CHECKPOINT"):
        if statement:
            db.execute(statement)
    return db.execute("SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('many')").fetchone()[0]

got = [groups(change) for change in ("", "UPDATE other SET x = x", "UPDATE other SET x =  1", "UPDATE other SET x =   2")]
print(duckdb.__version__, got)
assert got == [5, 5, 5, 3], got
PY
done
