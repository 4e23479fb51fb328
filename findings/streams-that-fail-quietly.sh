#!/usr/bin/env bash
# Four ways for a provider's stream to fail that OpenAI's clients show as a stream that went well.
#
# Guessed: an `event: error`, a plain JSON answer to a streamed request, an empty body, and a last event cut short all raise,
# and two clients that read the same bytes see the same chunks.
# Seen 2026-11-28, openai 3.57.0 (PyPI), openai 6.49.0 (npm), mistralai 3.7.0 (PyPI):
#   event: error with {"message": …}   openai, both languages: one more chunk with every field empty, no exception
#   JSON answer to stream=True         openai, both: an empty stream · mistralai: SDKError
#   empty body                         openai, both: an empty stream
#   last event without its blank line  openai, both: lost · mistralai: delivered
# Means for us: "no exception" is not "ok". A streamed generation without output, end reason and counts is shown as such.
set -euo pipefail
dir=$(mktemp -d); server=; trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check openai==3.57.0 mistralai==3.7.0
(cd "$dir" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit openai@6.49.0)
cat >"$dir/server.py" <<'PY'
import http.server
import json
import sys
chunk = "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]}) + "\n\n"
bodies = {
    "error": ("text/event-stream", chunk + 'event: error\ndata: {"message":"boom"}\n\n'),
    "json": ("application/json", '{"id":"c","choices":[]}'),
    "empty": ("text/event-stream", ""),
    "tail": ("text/event-stream", chunk + chunk.rstrip()),
}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        kind, body = bodies[json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_port))
import os
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PY
python3 "$dir/server.py" "$dir/port" & server=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.1; done
export BASE="http://127.0.0.1:$(cat "$dir/port")"
"$dir/v/bin/python" -W ignore - <<'PY'
import os
import openai
from mistralai.client import Mistral
base = os.environ["BASE"]
said = [{"role": "user", "content": "x"}]
def of_openai(kind):
    return [c.id for c in openai.OpenAI(api_key="x", base_url=base + "/v1").chat.completions.create(model=kind, messages=said, stream=True)]
def of_mistral(kind):
    return [c.data.id for c in Mistral(api_key="x", server_url=base).chat.stream(model=kind, messages=said)]
def run(f, kind):
    try:
        return f(kind)
    except Exception as e:
        return type(e).__name__
got = {k: run(of_openai, k) for k in ("error", "json", "empty", "tail")}
print("openai, Python", got)
assert got == {"error": ["c", None], "json": [], "empty": [], "tail": ["c"]}, got
got = {k: run(of_mistral, k) for k in ("json", "tail")}
print("mistralai     ", got)
assert got == {"json": "SDKError", "tail": ["c", "c"]}, got
PY
cat >"$dir/ask.mjs" <<'JS'
import assert from 'node:assert/strict'
import OpenAI from 'openai'
const client = new OpenAI({ apiKey: 'x', baseURL: process.env.BASE + '/v1' })
const got = {}
for (const model of ['error', 'json', 'empty', 'tail']) {
  got[model] = []
  const stream = await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'x' }], stream: true })
  for await (const c of stream) got[model].push(c.id ?? null)
}
console.log('openai, Node  ', got)
assert.deepEqual(got, { error: ['c', null], json: [], empty: [], tail: ['c'] })
JS
node "$dir/ask.mjs"
