#!/usr/bin/env bash
# ClickHouse's JSONExtractRaw puts quotes around an integer of more than 64 bits, and its JSON functions take the first of two equal keys.
#
# Guessed: "raw" is the piece of the document as it stands, and of two equal keys the last counts.
# Seen 2026-11-28, chdb-core 26.9.0 (ClickHouse 26.9) from PyPI:
#   JSONExtractRaw of 12345678901234567890123 -> "12345678901234567890123" (a string now) · 1.10 -> 1.1 · 1E2 -> 100 · -0 -> 0
#   JSONExtractInt of {"a":1,"a":2} -> 1 · JSONExtract of 12345678901234567890.123456 as Decimal128(12) -> 12345678901234567000
#   JSONExtractInt of "12" -> 12 and of 1.5 -> 1; isValidJSON of a number 1e400 -> 0
# Means for us: the raw text of a value is cut out in Go, never with these functions.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0
"$dir/v/bin/python" - "$dir/db" <<'PY'
import sys
from chdb import session
db = session.Session(sys.argv[1])
def one(expr):
    return str(db.query("select " + expr, "TSVRaw")).strip()
want = {
    """JSONExtractRaw('{"a":12345678901234567890123}', 'a')""": '"12345678901234567890123"',
    """JSONExtractRaw('{"a":1.10}', 'a')""": "1.1",
    """JSONExtractRaw('{"a":1E2}', 'a')""": "100",
    """JSONExtractInt('{"a":1,"a":2}', 'a')""": "1",
    """JSONExtractInt('{"a":"12"}', 'a')""": "12",
    """JSONExtractInt('{"a":1.5}', 'a')""": "1",
    """JSONExtract('{"a":12345678901234567890.123456}', 'a', 'Decimal128(12)')""": "12345678901234567000",
    """isValidJSON('{"a":1e400}')""": "0",
}
for expr, value in want.items():
    got = one(expr)
    print(expr, "->", got)
    assert got == value, (expr, got)
PY
