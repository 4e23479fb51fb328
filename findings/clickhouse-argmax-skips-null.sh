#!/usr/bin/env bash
# ClickHouse's argMax passes over rows whose value is NULL: the newest value of a column that was cleared is the one before.
#
# Guessed: argMax(value, time) gives the value of the row with the greatest time, NULL if that row says NULL.
# Seen 2026-11-28, chdb-core 26.9.0 (ClickHouse 26.9) and duckdb 2.0.1 from PyPI, rows ('a', 1), (NULL, 2):
#   ClickHouse argMax(x, y) -> a · DuckDB arg_max(x, y) -> a, arg_max_null(x, y) -> NULL · argMax(tuple(x), y).1 -> NULL
# Means for us: a field that an update clears stays set if the fold is argMax over a Nullable column. Clearing needs a
# value of its own (a tuple, or a list of cleared fields), which the fold in Go has.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1
"$dir/v/bin/python" - "$dir/db" <<'PY'
import sys
import duckdb
from chdb import session
db = session.Session(sys.argv[1])
got = str(db.query("""select argMax(x, y), argMax(tuple(x), y).1
  from values('x Nullable(String), y Int32', ('a', 1), (NULL, 2))""", "TSV")).split()
print("ClickHouse", got)
assert got == ["a", "\\N"], got
mine = duckdb.execute("select arg_max(x, y), arg_max_null(x, y) from (values ('a', 1), (NULL, 2)) t(x, y)").fetchone()
print("DuckDB", mine)
assert mine == ("a", None), mine
PY
