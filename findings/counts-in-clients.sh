#!/usr/bin/env bash
# The same odd usage block, five Python clients, five readings: kept as text, made a number, made 0, or the whole answer refused.
#
# Guessed: a client passes on what the provider said, and a missing count is None.
# Seen 2026-11-28 (PyPI): openai 3.57.0, anthropic 2.14.0, google-genai 3.6.1, mistralai 3.7.0, cohere 7.3.1
#   no counts in usage      openai, google None · mistralai 0 for all three (an explicit null stays None)
#   count as text "12"      google and mistralai 12 · cohere 12.0 · anthropic the string '12' · openai 12 if the rest of the block
#                           is whole, the string '12' if any other count is missing
#   count 10.5              openai, anthropic and cohere keep it · google and mistralai refuse the whole answer with a validation error
# Means for us: counts arrive as strings and as floats and are read from both; a row of zeros from Mistral's client is
# "not said", and a call that failed in the program may have been answered and paid.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check openai==3.57.0 anthropic==2.14.0 google-genai==3.6.1 mistralai==3.7.0 cohere==7.3.1
"$dir/v/bin/python" -W ignore - <<'PY'
import http.server
import threading
import anthropic
import cohere
import openai
from google import genai
from mistralai.client import Mistral
answer = ""
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
said = [{"role": "user", "content": "x"}]
chat = '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{%s}}'
clients = {
    "openai": (chat, '"prompt_tokens":%s', lambda c=openai.OpenAI(api_key="x", base_url=url + "/v1"):
        c.chat.completions.create(model="m", messages=said).usage.prompt_tokens),
    "anthropic": ('{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"end_turn","stop_sequence":null,"usage":{%s}}',
        '"input_tokens":%s', lambda c=anthropic.Anthropic(api_key="x", base_url=url):
        c.messages.create(model="m", max_tokens=5, messages=said).usage.input_tokens),
    "google": ('{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{%s}}',
        '"promptTokenCount":%s', lambda c=genai.Client(api_key="x", http_options={"base_url": url}):
        c.models.generate_content(model="m", contents="x").usage_metadata.prompt_token_count),
    "mistralai": (chat, '"prompt_tokens":%s', lambda c=Mistral(api_key="x", server_url=url):
        c.chat.complete(model="m", messages=said).usage.prompt_tokens),
    "cohere": ('{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[]},"usage":{"tokens":{%s}}}',
        '"input_tokens":%s', lambda c=cohere.ClientV2(api_key="x", base_url=url):
        c.chat(model="m", messages=said).usage.tokens.input_tokens),
}
def read(name, count):
    global answer
    body, field, call = clients[name]
    answer = body % (field % count if count else "")
    try:
        return repr(call())
    except Exception as e:
        return type(e).__name__
got = {name: [read(name, c) for c in ("", "null", '"12"', "10.5")] for name in clients}
for name, row in got.items():
    print(f"{name:10} none {row[0]:6} null {row[1]:6} text {row[2]:6} 10.5 {row[3]}")
assert got == {
    "openai": ["None", "None", "'12'", "10.5"],
    "anthropic": ["None", "None", "'12'", "10.5"],
    "google": ["None", "None", "12", "ValidationError"],
    "mistralai": ["0", "None", "12", "ResponseValidationError"],
    "cohere": ["None", "None", "12.0", "10.5"],
}, got
clients["openai"] = (chat, '"completion_tokens":1,"total_tokens":13,"prompt_tokens":%s', clients["openai"][2])
clients["anthropic"] = (clients["anthropic"][0], '"output_tokens":1,"input_tokens":%s', clients["anthropic"][2])
whole = [read(name, '"12"') for name in ("openai", "anthropic")]
print("text in a whole block: openai, anthropic", whole)
assert whole == ["12", "'12'"], whole
PY
