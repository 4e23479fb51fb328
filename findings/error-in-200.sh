#!/usr/bin/env bash
# An {"error": …} body with status 200 becomes an empty answer in the clients of OpenAI, Anthropic and Google.
#
# Guessed: a body that holds only an error is an exception, whatever the status (gateways and proxies send it so).
# Seen 2026-11-28 (PyPI): openai 3.57.0, anthropic 2.14.0, google-genai 3.6.1, mistralai 3.7.0
#   openai    an object whose id, choices and usage are None, with an extra attribute `error`
#   anthropic the same, type "error", content None
#   google    a response with no candidates and no usage; the error is gone. The same body to a streamed call raises ServerError,
#             but only if "error" is the first key
#   mistralai ResponseValidationError
# Means for us: an instrumentation marks such a span OK. A generation whose answer has neither choices nor counts is not
# counted as a good call only because its status says so.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check openai==3.57.0 anthropic==2.14.0 google-genai==3.6.1 mistralai==3.7.0
"$dir/v/bin/python" -W ignore - <<'PY'
import http.server
import threading
import anthropic
import openai
from google import genai
from mistralai.client import Mistral
body = b'{"error":{"type":"overloaded_error","code":503,"message":"boom","status":"UNAVAILABLE"},"type":"error"}'
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
said = [{"role": "user", "content": "x"}]
a = openai.OpenAI(api_key="x", base_url=url + "/v1").chat.completions.create(model="m", messages=said)
print("openai", a.id, a.choices, a.usage, a.error["message"])
assert (a.id, a.choices, a.usage, a.error["message"]) == (None, None, None, "boom")
a = anthropic.Anthropic(api_key="x", base_url=url).messages.create(model="m", max_tokens=5, messages=said)
print("anthropic", a.type, a.content, a.usage)
assert (a.type, a.content, a.usage) == ("error", None, None)
google = genai.Client(api_key="x", http_options={"base_url": url})
a = google.models.generate_content(model="m", contents="x")
print("google", a.candidates, a.usage_metadata, a.text)
assert (a.candidates, a.usage_metadata, a.text) == (None, None, None) and "boom" not in repr(a)
def raised(call):
    try:
        call()
    except Exception as e:
        return type(e).__name__
    return None
got = raised(lambda: list(google.models.generate_content_stream(model="m", contents="x")))
print("google, streamed", got)
assert got == "ServerError", got
body = b'{"type":"error","error":{"code":503,"message":"boom","status":"UNAVAILABLE"}}'
got = raised(lambda: list(google.models.generate_content_stream(model="m", contents="x")))
print("google, streamed, another key first", got)
assert got is None, got
got = raised(lambda: Mistral(api_key="x", server_url=url).chat.complete(model="m", messages=said))
print("mistralai", got)
assert got == "ResponseValidationError", got
PY
