#!/usr/bin/env bash
# Some ways to make a call leave no span, or a span without counts, and which ones depends on the instrumentation.
#
# Guessed: an instrumentation of a client sees whatever the client sends, or at least all that its README shows.
# Seen 2026-11-29 with openai 3.57.0 and anthropic 2.14.0 against a stand-in; n/c is spans and whether the input tokens are there:
#                                       traceloop 0.62.4   openinference (0.1.66, 3.1.0)   genai-openai 1.3b0   anthropic itself
#   openai chat, raw response, stream   1/no               1/yes                           1/yes
#   openai completions (legacy)         1/yes              1/yes                           none
#   openai client.post(path)            none               1/no                            none
#   anthropic messages.parse            none               1/yes                                                1/yes
#   anthropic, stream in a with block   none               1/yes                                                1/yes
#   anthropic beta.messages.stream      1/zero             1/yes                                                1/yes
#   anthropic, raw response, stream     1/zero             1/no                                                 1/yes
#   anthropic, with_streaming_response  1/yes              1/no                                                 1/no
#   anthropic count_tokens              none               1 of kind LLM                                        1, no operation
# Means for us: counts that are all 0 are not known; count_tokens is no call; docs/opentelemetry.md has the table.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 openai==3.57.0 anthropic==2.14.0 httpx==0.28.1 \
  opentelemetry-instrumentation-openai==0.62.4 opentelemetry-instrumentation-anthropic==0.62.4 \
  openinference-instrumentation-openai==0.1.66 openinference-instrumentation-anthropic==3.1.0 opentelemetry-instrumentation-genai-openai==1.3b0
cat >provider.py <<'P'
import http.server, itertools, json, threading
numbers = itertools.count(1) # no two answers have one id
usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
text = '{"a":1}'
chat = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m-1", "usage": usage, "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]}
plain = {"id": "t1", "object": "text_completion", "created": 1, "model": "m-1", "usage": usage, "choices": [{"index": 0, "text": "x", "finish_reason": "stop", "logprobs": None}]}
message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 5}}
chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
streams = {
    "chat": [{**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]}, {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {**chunk, "choices": [], "usage": usage}],
    "messages": [{"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": {"input_tokens": 100, "output_tokens": 1}}}, {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}, {"type": "content_block_stop", "index": 0}, {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 5}}, {"type": "message_stop"}],
}
class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        kind = "messages" if "messages" in self.path else "chat"
        if "count_tokens" in self.path: answer = json.dumps({"input_tokens": 3})
        elif asked.get("stream"):
            answer = "".join((f"event: {e['type']}\n" if "type" in e else "") + f"data: {json.dumps(e)}\n\n" for e in streams[kind]) + ("data: [DONE]\n\n" if kind == "chat" else "")
        elif kind == "messages": answer = json.dumps({**message, "id": f"msg_{next(numbers)}"})
        else: answer = json.dumps(chat if "chat" in self.path else plain)
        answer = answer.encode()
        self.send_response(200); self.send_header("content-type", "text/event-stream" if asked.get("stream") else "application/json")
        self.send_header("content-length", str(len(answer))); self.end_headers(); self.wfile.write(answer)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
P
cat >calls.py <<'P'
import importlib, json, logging, sys, warnings
logging.disable(logging.CRITICAL); warnings.simplefilter("ignore")
from provider import url
import pydantic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
class A(pydantic.BaseModel): a: int
spans = InMemorySpanExporter(); provider = TracerProvider(); provider.add_span_processor(SimpleSpanProcessor(spans))
module, provider_name, want = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
if module == "itself": trace.set_tracer_provider(provider)
else: getattr(importlib.import_module(module), {"openai": "OpenAIInstrumentor", "anthropic": "AnthropicInstrumentor"}[provider_name])().instrument(tracer_provider=provider)
def drain(stream):
    for _ in stream: pass
if provider_name == "openai":
    import openai
    c = openai.OpenAI(api_key="x", base_url=url + "/v1", max_retries=0)
    messages = [{"role": "user", "content": "q"}]
    calls = {
        "create": lambda: c.chat.completions.create(model="m", messages=messages),
        "raw stream": lambda: drain(c.chat.completions.with_raw_response.create(model="m", messages=messages, stream=True).parse()),
        "completions": lambda: c.completions.create(model="m", prompt="q"),
        "post": lambda: c.post("/chat/completions", body={"model": "m", "messages": messages}, cast_to=object),
    }
else:
    import anthropic
    c = anthropic.Anthropic(api_key="x", base_url=url, max_retries=0)
    k = dict(model="m", max_tokens=9, messages=[{"role": "user", "content": "q"}])
    def with_block():
        with c.messages.create(**k, stream=True) as stream: drain(stream)
    def beta_stream():
        with c.beta.messages.stream(**k) as stream: drain(stream)
    def streaming_response():
        with c.messages.with_streaming_response.create(**k) as r: r.parse()
    calls = {
        "create": lambda: c.messages.create(**k),
        "parse": lambda: c.messages.parse(**k, output_format=A),
        "with block": with_block,
        "beta.stream": beta_stream,
        "raw stream": lambda: drain(c.messages.with_raw_response.create(**k, stream=True).parse()),
        "streaming response": streaming_response,
        "count_tokens": lambda: c.messages.count_tokens(model="m", messages=k["messages"]),
    }
got = {}
for name, call in calls.items():
    spans.clear(); call()
    found = spans.get_finished_spans()
    counts = [s.attributes.get("gen_ai.usage.input_tokens", s.attributes.get("llm.token_count.prompt")) for s in found]
    got[name] = "none" if not found else "no" if counts == [None] else "zero" if counts == [0] else "yes" if counts == [100] else str(counts)
print(module, provider_name, got)
assert got == want, "changed"
P
check() { v/bin/python calls.py "$@"; }
check opentelemetry.instrumentation.openai openai '{"create":"yes","raw stream":"no","completions":"yes","post":"none"}'
check openinference.instrumentation.openai openai '{"create":"yes","raw stream":"yes","completions":"yes","post":"no"}'
check opentelemetry.instrumentation.genai.openai openai '{"create":"yes","raw stream":"yes","completions":"none","post":"none"}'
check opentelemetry.instrumentation.anthropic anthropic '{"create":"yes","parse":"none","with block":"none","beta.stream":"zero","raw stream":"zero","streaming response":"yes","count_tokens":"none"}'
check openinference.instrumentation.anthropic anthropic '{"create":"yes","parse":"yes","with block":"yes","beta.stream":"yes","raw stream":"no","streaming response":"no","count_tokens":"no"}'
check itself anthropic '{"create":"yes","parse":"yes","with block":"yes","beta.stream":"yes","raw stream":"yes","streaming response":"no","count_tokens":"no"}'
