#!/usr/bin/env bash
# Anthropic's Python client takes a stream that ends in the middle for a finished message.
#
# Guessed: without `message_stop` the helper raises, as it does for an `error` event.
# Seen 2026-11-28, anthropic 2.14.0 from PyPI, against a stand-in that closes after the first text delta:
#   get_final_message() returns: text "hey", stop_reason None, usage input 10, cache read 80, output 1 (the count of message_start)
#   a stream without `event:` lines (the type stands in each data too) yields nothing at all, without an error
# Means for us: output tokens of such a call are a lower bound that looks like a count. A generation with neither an end
# reason nor an error is not a whole one; the tokens of its output are not to be trusted.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check anthropic==2.14.0
"$dir/v/bin/python" - <<'PY'
import http.server
import json
import threading
import anthropic
events = [
    {"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [],
     "stop_reason": None, "stop_sequence": None,
     "usage": {"input_tokens": 10, "cache_read_input_tokens": 80, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hey"}},
]
named = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
bare = "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode()
body = named
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = anthropic.Anthropic(api_key="x", base_url=f"http://127.0.0.1:{server.server_port}")
ask = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
with client.messages.stream(**ask) as stream:
    message = stream.get_final_message()
print(message.content[0].text, message.stop_reason, message.usage.output_tokens)
assert (message.content[0].text, message.stop_reason) == ("hey", None)
assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (10, 80, 1)
body = bare
got = list(client.messages.create(stream=True, **ask))
print("without event lines:", got)
assert got == []
PY
