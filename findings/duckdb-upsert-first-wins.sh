#!/usr/bin/env bash
# Two rows with one key in one DuckDB statement: ON CONFLICT DO UPDATE and INSERT OR REPLACE keep the first, MERGE the last.
#
# Guessed: an error, as PostgreSQL gives ("cannot affect row a second time"), or else the last row wins.
# Seen 2026-11-28, duckdb 1.5.6 and 2.0.1 from PyPI, empty table t(k primary key, v):
#   INSERT ... (1,1),(1,2) ON CONFLICT DO UPDATE SET v = excluded.v   v = 1, one row reported, no error
#   INSERT OR REPLACE ... (3,1),(3,2)                                 v = 1
#   UPDATE ... FROM and MERGE with two matches                        the last one stays, two rows reported for one row
# Means for us: "replace" in one batch is not "replace" in two. Rows are made distinct per key before they are written.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - <<'PY'
import duckdb
db = duckdb.connect()
db.execute("create table t(k int primary key, v int)")
def step(sql, key):
    count = db.execute(sql).fetchall()[0][0]
    return count, db.execute("select v from t where k = ?", [key]).fetchall()
got = [
    step("insert into t values (1,1),(1,2) on conflict do update set v = excluded.v", 1),
    step("insert or replace into t values (3,1),(3,2)", 3),
    step("update t set v = s.v from (values (1,10),(1,20)) s(k,v) where t.k = s.k", 1),
    step("merge into t using (values (1,100),(1,200)) s(k,v) on t.k = s.k when matched then update set v = s.v", 1),
]
print(duckdb.__version__, got)
assert got == [(1, [(1,)]), (1, [(1,)]), (2, [(20,)]), (2, [(200,)])], got
PY
done
