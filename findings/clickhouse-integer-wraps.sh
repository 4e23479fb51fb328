#!/usr/bin/env bash
# ClickHouse stores an integer that does not fit its column modulo 2^N, without an error, when it reads JSON lines.
#
# Guessed: an insert of 300 into UInt8, or of 2^63 into Int64, is refused, as -1 into UInt8 is.
# Seen 2026-11-28, chdb-core 26.9.0 (ClickHouse 26.9) from PyPI, FORMAT JSONEachRow:
#   UInt8 300 -> 44 · Int64 9223372036854775808 -> -9223372036854775808 · Int64 18446744073709551617 -> 1, quoted or not
#   -1 into UInt8, 1.0 into UInt8 and 1.5 into Int64 are errors; CAST(300 AS UInt8) is 44; accurateCastOrNull gives NULL
#   a DateTime64(6) that gets milliseconds as a number becomes 9999-12-31 23:59:59, also without an error
# Means for us: every range is checked before the insert; a count that is too big would come back negative or tiny.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0
"$dir/v/bin/python" - "$dir/db" <<'PY'
import json
import sys
from chdb import session
db = session.Session(sys.argv[1])
db.query("create table t (u UInt8, n Int64, at DateTime64(6, 'UTC')) engine = Memory")
def stored(row, field):
    db.query("truncate table t")
    db.query("insert into t format JSONEachRow " + row)
    return str(json.loads(str(db.query("select * from t", "JSONEachRow")))[field])
want = [
    ('{"u":300}', "u", "44"),
    ('{"n":9223372036854775808}', "n", "-9223372036854775808"),
    ('{"n":"9223372036854775808"}', "n", "-9223372036854775808"),
    ('{"n":18446744073709551617}', "n", "1"),
    ('{"at":1795860000123}', "at", "9999-12-31 23:59:59.000000"),
]
for row, field, value in want:
    got = stored(row, field)
    print(row, "->", got)
    assert got == value, (row, got)
for row in ('{"u":-1}', '{"u":1.0}', '{"n":1.5}'):
    try:
        stored(row, "u")
    except Exception as e:
        print(row, "->", str(e).splitlines()[0][:90])
        continue
    sys.exit(f"accepted {row}")
got = str(db.query("select CAST(300 AS UInt8), accurateCastOrNull(300, 'UInt8')", "TSV")).strip()
assert got == "44\t\\N", got
PY
