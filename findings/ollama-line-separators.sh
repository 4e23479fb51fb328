#!/usr/bin/env bash
# Ollama's Python client cannot read a streamed answer whose text holds U+2028 or U+0085: it cuts the JSON line there.
#
# Guessed: newline-delimited JSON is cut at newlines only; U+2028 may stand unescaped in a JSON string (RFC 8259).
# Seen 2026-11-28, ollama 0.6.3 with httpx 0.28.1 from PyPI: JSONDecodeError "Unterminated string" on that line;
#   the same text through OpenAI's client and its event stream arrives whole
#   an {"error": …} line is a ResponseError with status code -1; an empty line between two others is an error too
# Means for us: our own readers of lines must cut at LF alone, and the program sees a failed call that was answered.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check ollama==0.6.3 openai==3.57.0 httpx==0.28.1
"$dir/v/bin/python" - <<'PY'
import http.server
import json
import threading
import ollama
import openai
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"][0]["content"]
        if self.path == "/api/chat":
            kind = "application/x-ndjson"
            body = json.dumps({"model": "m", "message": {"role": "assistant", "content": text}, "done": False}, ensure_ascii=False) + "\n"
        else:
            kind = "text/event-stream"
            body = "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}, ensure_ascii=False) + "\n\n"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
def of_ollama(text):
    return "".join(c.message.content for c in ollama.Client(host=url).chat(model="m", stream=True, messages=[{"role": "user", "content": text}]))
def of_openai(text):
    stream = openai.OpenAI(api_key="x", base_url=url).chat.completions.create(model="m", stream=True, messages=[{"role": "user", "content": text}])
    return "".join(c.choices[0].delta.content for c in stream)
assert of_ollama("plain text") == "plain text"
for text in ("one\u2028two", "one\u0085two"):
    assert of_openai(text) == text
    try:
        print(ascii(of_ollama(text)))
    except json.JSONDecodeError as e:
        print(ascii(text), "->", e)
    else:
        raise SystemExit("read whole now")
PY
