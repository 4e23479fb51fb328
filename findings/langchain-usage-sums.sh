#!/usr/bin/env bash
# LangChain adds up the usage of all chunks of a stream: a provider that sends a running total is counted several times.
#
# Guessed: the last usage of a stream is the usage of the call; a stream asks for usage wherever it goes; what Anthropic says
# at the start of a stream (the input) is kept.
# Seen 2026-11-28, langchain-core 1.8.3, langchain-openai 1.7.4, langchain-anthropic 1.7.10 from PyPI, against a stand-in:
#   three chunks with usage 10/1, 10/2, 10/3          usage_metadata 30 in, 6 out (10 and 3 are right)
#   the same total in the last chunk and after it     20 in, 6 out
#   base_url of one's own                             no stream_options in the request: the provider is not asked for usage
#   Anthropic stream whose message_delta has output only: input 0, although message_start said 10 and 80 from the cache
#   not streamed, prompt_tokens null                  0
# Means for us: counts of streamed calls from LangChain may be multiples or zeros where the instrumentation below it has the
# right ones; when two spans describe one call, the provider-level one's counts are to be believed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check langchain-core==1.8.3 langchain-openai==1.7.4 langchain-anthropic==1.7.10 openai==2.54.0 anthropic==2.14.0
"$dir/v/bin/python" -W ignore - <<'PY'
import http.server
import json
import threading
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
body, kind, asked = "", "", {}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.clear()
        asked.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
gpt = ChatOpenAI(model="gpt-4o", base_url=url + "/v1", api_key="x", max_retries=0)
claude = ChatAnthropic(model="claude-sonnet-4-5", base_url=url, api_key="x", max_retries=0)
def chunk(text, prompt=None, completion=None):
    usage = {} if prompt is None else {"usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}}
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices} | usage) + "\n\n"
def streamed(model):
    whole = None
    for piece in model.stream("x"):
        whole = piece if whole is None else whole + piece
    return whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]
kind = "text/event-stream"
body = chunk("a", 10, 1) + chunk("b", 10, 2) + chunk("c", 10, 3) + "data: [DONE]\n\n"
got = streamed(gpt)
print("running totals", got)
assert got == (30, 6), got
assert asked["stream"] is True and "stream_options" not in asked, asked
body = chunk("a") + chunk("b", 10, 3) + chunk(None, 10, 3) + "data: [DONE]\n\n"
got = streamed(gpt)
print("said twice", got)
assert got == (20, 6), got
events = [
    {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
     "stop_sequence": None, "usage": {"input_tokens": 10, "cache_read_input_tokens": 80, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hey"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]
body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
got = streamed(claude)
print("Anthropic, output only at the end", got)
assert got == (0, 5), got
kind = "application/json"
body = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": {"prompt_tokens": None, "completion_tokens": 1, "total_tokens": 13},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]})
got = gpt.invoke("x").usage_metadata["input_tokens"]
assert got == 0, got
PY
