#!/usr/bin/env bash
# Cohere's Python client turns a line of a stream that is not JSON into a made-up `message-start` event.
#
# Guessed: a data line that cannot be read raises, or is skipped.
# Seen 2026-11-28, cohere 7.3.1 from PyPI, stream of content-delta, a data line cut short, message-end:
#   the program sees content-delta, message-start, message-end, and a warning in the log
#   an event of an unknown type is skipped, with another warning; counts of tokens are floats (5.0)
# Means for us: "message-start" in the middle of an output does not mean a second message, and a time to first token
# must come from content, never from the start event.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check cohere==7.3.1
"$dir/v/bin/python" - 2>"$dir/log" <<'PY' || { cat "$dir/log"; exit 1; }
import http.server
import threading
import cohere
delta = 'event: content-delta\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}\n\n'
end = 'event: message-end\ndata: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":5}}}}\n\n'
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write((delta + 'data: {"type":"conte\n\n' + 'event: later\ndata: {"type":"later"}\n\n' + end).encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = cohere.ClientV2(api_key="x", base_url=f"http://127.0.0.1:{server.server_port}")
got = list(client.chat_stream(model="m", messages=[{"role": "user", "content": "x"}]))
print([e.type for e in got], got[-1].delta.usage.tokens.input_tokens)
assert [e.type for e in got] == ["content-delta", "message-start", "message-end"]
assert repr(got[-1].delta.usage.tokens.input_tokens) == "5.0"
PY
grep -q "Failed to parse SSE data field" "$dir/log"
