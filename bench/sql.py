# Writes the views of a warehouse as Parquet, and asks questions of these files.
import json
import os
import sys
import time

import duckdb

job = json.load(sys.stdin)
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")  # it would be in the output
c.execute("ATTACH '%s' AS w (READ_ONLY)" % job["warehouse"].replace("'", "''"))
files = {}
for name, text in job["views"].items():
    files[name] = os.path.join(job["dir"], name + ".parquet")
    c.execute("COPY (%s) TO '%s' (FORMAT parquet, COMPRESSION zstd)" % (text, files[name]))
c.close()


def ask(threads):
    c = duckdb.connect()
    c.execute("SET enable_progress_bar = false")
    if threads:
        c.execute("SET threads = %d" % threads)
    for name, file in files.items():
        c.execute("CREATE VIEW %s AS SELECT * FROM '%s'" % (name, file))
    c.execute("CREATE VIEW sessions AS " + job["sessions"])
    times = [[] for _ in job["questions"]]
    for _ in range(job["runs"]):
        for i, q in enumerate(job["questions"]):
            begin = time.perf_counter()
            c.execute(q).fetchmany(10000)
            times[i].append((time.perf_counter() - begin) * 1000)
    return times


print(json.dumps({"version": duckdb.__version__, "one": ask(1), "all": ask(0)}))
