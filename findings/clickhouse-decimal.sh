#!/usr/bin/env bash
# ClickHouse cuts decimals off where DuckDB rounds, and a Decimal(38) product that is too big comes out negative.
#
# Guessed: a conversion to fewer digits rounds, and an overflow of a decimal is an error (sums of integers are known to wrap).
# Seen 2026-11-28, chdb-core 26.9.0 (ClickHouse 26.9) and duckdb 2.0.1 from PyPI:
#   0.999 with scale 2: ClickHouse 0.99, DuckDB 1.00 · 9e-13 with scale 12: ClickHouse 0, DuckDB 0.000000000001
#   toDecimal128(0.29, 2) is 0.28, since the nearest double lies below 0.29; from the text '0.29' it is 0.29
#   toDecimal128('99999999999999999999999999', 12) * 10 is -20847100762815390390123832.295304634368; DuckDB raises an error
# Means for us: one cent may vanish in each row that goes into ClickHouse as a float; amounts are sent as text or as scaled
# integers, rounded once in Go, and sums are bounded before they are multiplied.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1
"$dir/v/bin/python" - "$dir/db" <<'PY'
import sys
import duckdb
from chdb import session
db = session.Session(sys.argv[1])
got = str(db.query("""select toDecimal128('0.999', 2), toDecimal128('0.0000000000009', 12), toDecimal128(0.29, 2),
  toDecimal128('0.29', 2), toDecimal128('99999999999999999999999999', 12) * 10""", "TSV")).split()
print("ClickHouse", got)
assert got == ["0.99", "0", "0.28", "0.29", "-20847100762815390390123832.295304634368"], got
mine = duckdb.execute("select '0.999'::DECIMAL(38,2)::VARCHAR, '0.0000000000009'::DECIMAL(38,12)::VARCHAR, 0.29::DOUBLE::DECIMAL(38,2)::VARCHAR").fetchone()
print("DuckDB", mine)
assert mine == ("1.00", "0.000000000001", "0.29"), mine
try:
    duckdb.execute("select '99999999999999999999999999'::DECIMAL(38,12) * 10").fetchone()
except duckdb.Error as e:
    print("DuckDB", str(e).splitlines()[0][:80])
else:
    sys.exit("DuckDB no longer refuses the product")
PY
