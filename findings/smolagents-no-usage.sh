#!/usr/bin/env bash
# smolagents fails on an answer without usage, and counts a stream's running totals three times.
#
# Guessed: usage null or {} gives no token counts and the answer; the last usage of a stream is the usage of the call.
# Seen 2026-11-28, smolagents 1.26.0 with openai 2.54.0 from PyPI, against a stand-in:
#   "usage": null   AttributeError in generate() · "usage": {}   TypeError; the answer is lost both times
#   stream whose three chunks say 10/1, 10/2, 10/3   agglomerate_stream_deltas gives 30 in, 6 out
# Means for us: a failed agent step may hold a paid answer that only the span of the HTTP client below saw; token counts of
# an agent's step are believed less than those of the call inside it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check 'smolagents[openai]==1.26.0' openai==2.54.0
"$dir/v/bin/python" -W ignore - <<'PY'
import http.server
import json
import threading
from smolagents import OpenAIServerModel
from smolagents.models import agglomerate_stream_deltas
usage = None
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        if asked.get("stream"):
            self.send_header("Content-Type", "text/event-stream")
            body = "".join("data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
                "usage": {"prompt_tokens": 10, "completion_tokens": n, "total_tokens": 10 + n}}) + "\n\n" for n in (1, 2, 3)) + "data: [DONE]\n\n"
        else:
            self.send_header("Content-Type", "application/json")
            body = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]})
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
model = OpenAIServerModel(model_id="m", api_base=f"http://127.0.0.1:{server.server_port}/v1", api_key="x")
said = [{"role": "user", "content": [{"type": "text", "text": "x"}]}]
for usage, want in ((None, AttributeError), ({}, TypeError)):
    try:
        model.generate(said)
    except want as e:
        print("usage", usage, "->", type(e).__name__, e)
    else:
        raise SystemExit(f"usage {usage} is accepted")
usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
assert model.generate(said).token_usage.input_tokens == 10
got = agglomerate_stream_deltas(list(model.generate_stream(said))).token_usage
print("running totals", got)
assert (got.input_tokens, got.output_tokens) == (30, 6), got
PY
