#!/usr/bin/env bash
# OpenAI's clients in Python and Node retry by different rules, and a wait of 90 seconds is obeyed.
#
# Guessed: one maker, one rule: a Retry-After of 0 or one that cannot be read means the usual backoff, and a wait of more than a minute is not obeyed.
# Seen 2026-11-28, openai 3.57.0 (PyPI) and openai 6.49.0 (npm), against a stand-in:
#   429, Retry-After: 0       Python waits 0.4 – 0.6 s · Node sends again within 100 ms
#   429, Retry-After: soon    Node sends again within 100 ms
#   429, Retry-After: 90      Python sleeps 90 s (seen by watching its sleep)
# Means for us: the latency of a generation may hold minutes of waiting; retries inside one span are no extra calls; and a
# server that means "wait" must never send 0 or words.
set -euo pipefail
dir=$(mktemp -d); server=; trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check openai==3.57.0
(cd "$dir" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit openai@6.49.0)
cat >"$dir/server.py" <<'PY'
import http.server
import json
import os
import sys
import time
log = []
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def serve(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind, _, path = self.path.lstrip("/").partition("/")
        if path == "log":
            body = json.dumps(log).encode()
            log.clear()
            return self.answer(200, {}, body)
        log.append(time.monotonic())
        if len(log) > 1:
            return self.answer(200, {}, b'{"id":"c","choices":[]}')
        self.answer(429, {"Retry-After": kind}, b"{}")
    do_GET = do_POST = serve
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PY
python3 "$dir/server.py" "$dir/port" & server=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.1; done
export BASE="http://127.0.0.1:$(cat "$dir/port")"
"$dir/v/bin/python" - <<'PY'
import json
import os
import time
import urllib.request
import openai
base = os.environ["BASE"]
slept = []
really = time.sleep
time.sleep = lambda s: (slept.append(s), really(min(s, 1)))
def ask(kind):
    slept.clear()
    openai.OpenAI(api_key="x", base_url=f"{base}/{kind}").chat.completions.create(model="m", messages=[])
    log = json.load(urllib.request.urlopen(f"{base}/{kind}/log"))
    return len(log), [round(s, 1) for s in slept]
got = ask("0")
print("Python Retry-After 0", got)
assert 0.3 <= got[1][0] <= 0.7, got
got = ask("90")
print("Python Retry-After 90", got)
assert got[1] == [90.0], got
PY
cat >"$dir/ask.mjs" <<'JS'
import assert from 'node:assert/strict'
import OpenAI from 'openai'
const base = process.env.BASE
async function ask(kind) {
  await new OpenAI({ apiKey: 'x', baseURL: `${base}/${kind}` }).chat.completions.create({ model: 'm', messages: [] })
  return await (await fetch(`${base}/${kind}/log`)).json()
}
for (const kind of ['0', 'soon']) {
  const log = await ask(kind)
  const gap = log[1] - log[0]
  console.log('Node Retry-After', kind, log.length, 'requests')
  assert.ok(gap < 0.3, `waited ${gap} s`)
}
JS
node "$dir/ask.mjs"
