#!/usr/bin/env bash
# In ClickHouse the name of a result hides the column of that name in WHERE, GROUP BY, windows and beside it; DuckDB takes the column. Same text, other rows, no error.
#
# Guessed: WHERE and GROUP BY know columns alone, ORDER BY results first, as in the SQL standard; and prefer_column_name_to_alias makes ClickHouse do the same.
# Seen 2026-12-01, chdb-core 26.9.0 (ClickHouse 26.9) and duckdb 2.0.1 from PyPI, t(id, ms, s) = (1, 500, a), (2, 1500, b), (3, 2500, A):
#   SELECT ms/1000 AS ms … WHERE ms > 2                DuckDB three rows         ClickHouse 2.5
#   SELECT upper(s) AS s, count() … GROUP BY s         DuckDB A 1, A 1, B 1      ClickHouse A 2, B 1
#   SELECT -ms AS ms, row_number() OVER (ORDER BY ms)  DuckDB -500 is 1          ClickHouse -500 is 3
#   SELECT -ms AS ms … ORDER BY ms + 0                 DuckDB -500 first         ClickHouse -2500 first
#   WITH w AS (SELECT 3 AS id) SELECT id AS w … WHERE id IN w: ClickHouse takes w for the result, and every row is in it
#   prefer_column_name_to_alias = 1: WHERE, GROUP BY and windows are DuckDB's; but ORDER BY ms takes the column, too (-500 first, in
#     DuckDB -2500), and HAVING ms > 2 of sum(ms) AS ms fails (code 215), which DuckDB answers
# Means for us: a name of both kinds is refused with words in questions over ClickHouse, unless both engines mean the same (internal/store/clickhouse/sqlalike.go).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1
"$dir/v/bin/python" - "$dir/db" <<'PY'
import sys
import duckdb
from chdb import session
server, mine = session.Session(sys.argv[1]), duckdb.connect()
server.query("create table t (id Int64, ms Float64, s String) engine = MergeTree order by id")
mine.execute("create table t (id bigint, ms double, s varchar)")
for db in (server.query, mine.execute):
    db("insert into t values (1, 500, 'a'), (2, 1500, 'b'), (3, 2500, 'A')")
def there(text, prefer=0):
    try:
        return [tuple(line.split("\t")) for line in str(server.query(f"{text} settings prefer_column_name_to_alias = {prefer}", "TSV")).splitlines()]
    except Exception as error:
        return [w for w in str(error).replace(".", " ").split() if w.isdigit()][0]
here = lambda text: [tuple(f"{v:g}" if isinstance(v, float) else str(v) for v in row) for row in mine.execute(text).fetchall()]
where = "select ms / 1000 as ms from t where ms > 2 order by id"
group = "select upper(s) as s, count(*) from t group by s order by 1, 2"
window = "select -ms as ms, row_number() over (order by ms) from t order by id limit 1"
order = "select -ms as ms from t order by ms limit 1"
computed = "select -ms as ms from t order by ms + 0 limit 1"
having = "select sum(ms) as ms from t having ms > 2"
got = {text: (here(text), there(text), there(text, 1)) for text in (where, group, window, order, computed, having)}
in_cte = there("with w as (select 3 as id) select id as w from t where id in w order by id")
for text, answers in got.items():
    print(text, *answers, sep="\n  ")
print("every row is in its own result:", in_cte)
three, ab, aab = [("0.5",), ("1.5",), ("2.5",)], [("A", "2"), ("B", "1")], [("A", "1"), ("A", "1"), ("B", "1")]
assert got[where] == (three, [("2.5",)], three), got[where]
assert got[group] == (aab, ab, aab), got[group]
assert got[window] == ([("-500", "1")], [("-500", "3")], [("-500", "1")]), got[window]
assert got[order] == ([("-2500",)], [("-2500",)], [("-500",)]), got[order]
assert got[computed] == ([("-500",)], [("-2500",)], [("-500",)]), got[computed]
assert got[having] == ([("4500",)], [("4500",)], "215"), got[having]
assert in_cte == [("1",), ("2",), ("3",)], in_cte
PY
