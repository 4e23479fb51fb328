#!/usr/bin/env bash
# A long conversation loses attributes at the SDK's limit of 128: in Python the first ones, in JavaScript the last.
#
# Guessed: an instrumentation that writes one attribute a message raises the limit, or what is lost is the same in both languages.
# Seen 2026-11-29 with default settings, one chat call of 70 messages to a stand-in:
#   Python      opentelemetry-sdk 1.45.2, openinference-instrumentation-openai 0.1.66: 27 dropped: the system name, the whole request
#               (input.value), the whole answer as it came (output.value, with the response's id) and the first ten messages; counts and model stay
#   JavaScript  @opentelemetry/sdk-trace-base 2.12.1, @arizeai/openinference-instrumentation-openai 4.2.7: 26 dropped: the answer and every
#               token count; the prompt stays but for its last messages
#   Both say how many were dropped (dropped_attributes_count) and neither says which. About 60 messages are enough.
# Means for us: a call of which attributes were dropped says so beside its fields; OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is in docs/opentelemetry.md.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 openinference-instrumentation-openai==0.1.66 openai==3.57.0
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @arizeai/openinference-instrumentation-openai@4.2.7 openai@6.49.0 @opentelemetry/sdk-trace-node@2.12.1 @opentelemetry/sdk-trace-base@2.12.1
cat >ask.py <<'P'
import http.server, json, threading
class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps({"id": "c1", "object": "chat.completion", "created": 1, "model": "m-1", "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}]}).encode()
        self.send_response(200); self.send_header("content-type", "application/json"); self.send_header("content-length", str(len(answer))); self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
import logging; logging.disable(logging.CRITICAL)
import openai
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
spans = InMemorySpanExporter()
provider = TracerProvider(); provider.add_span_processor(SimpleSpanProcessor(spans))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = openai.OpenAI(api_key="x", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=0)
client.chat.completions.create(model="m", messages=[{"role": "user" if i % 2 == 0 else "assistant", "content": f"m{i}"} for i in range(70)])
span = spans.get_finished_spans()[0]
a = span.attributes
print("python", len(a), "kept", span.dropped_attributes, "dropped")
assert (len(a), span.dropped_attributes) == (128, 27), (len(a), span.dropped_attributes)
for gone in ("llm.system", "input.value", "output.value", "llm.input_messages.0.message.content", "llm.input_messages.9.message.content"): assert gone not in a, gone
for kept in ("llm.token_count.prompt", "llm.model_name", "llm.input_messages.69.message.content", "llm.output_messages.0.message.content"): assert kept in a, kept
P
v/bin/python ask.py
cat >ask.mjs <<'JS'
import assert from 'node:assert/strict'
import http from 'node:http'
import OpenAI from 'openai'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { OpenAIInstrumentation } from '@arizeai/openinference-instrumentation-openai'
const spans = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
new OpenAIInstrumentation({ tracerProvider: provider }).manuallyInstrument(OpenAI)
const answer = JSON.stringify({ id: 'c1', object: 'chat.completion', created: 1, model: 'm-1', usage: { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 },
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] })
const server = http.createServer((req, res) => req.resume().on('end', () => res.setHeader('content-type', 'application/json').end(answer)))
await new Promise(done => server.listen(0, '127.0.0.1', done))
const client = new OpenAI({ apiKey: 'x', baseURL: `http://127.0.0.1:${server.address().port}/v1`, maxRetries: 0 })
await client.chat.completions.create({ model: 'm', messages: Array.from({ length: 70 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: 'm' + i })) })
const [span] = spans.getFinishedSpans()
const a = span.attributes
console.log('javascript', Object.keys(a).length, 'kept', span.droppedAttributesCount, 'dropped')
assert.deepEqual([Object.keys(a).length, span.droppedAttributesCount], [128, 26])
for (const gone of ['llm.token_count.prompt', 'llm.token_count.completion', 'output.value', 'llm.output_messages.0.message.content', 'llm.input_messages.69.message.content']) assert(!(gone in a), gone)
for (const kept of ['input.value', 'llm.input_messages.0.message.content', 'openinference.span.kind']) assert(kept in a, kept)
server.close()
JS
node ask.mjs
