#!/usr/bin/env bash
# OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true captures prompts in one package of a family and nothing in its successor.
#
# Guessed: one variable, documented for both, has one set of values.
# Seen 2026-11-29, one chat call with openai 3.57.0 to a stand-in:
#   value                   opentelemetry-instrumentation-openai-v2 2.4b0       ...-genai-openai 1.3b0
#   true                    content in log records                              none ("not a valid option", one warning)
#   true, opted in*         none ("not a valid option")                         none
#   SPAN_ONLY               none, without a word                                content in the span
#   SPAN_ONLY, opted in*    content in the span                                 content in the span
#   * OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental
# Means for us: docs/opentelemetry.md says which value for which package; a call without messages is shown as "not sent".
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv old; python3 -m venv new
old/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 opentelemetry-instrumentation-openai-v2==2.4b0 opentelemetry-util-genai==0.4b0 openai==3.57.0 httpx==0.28.1
new/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 opentelemetry-instrumentation-genai-openai==1.3b0 opentelemetry-util-genai==1.3b0 openai==3.57.0
cat >ask.py <<'P'
import http.server, importlib, json, sys, threading
class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps({"id": "c1", "object": "chat.completion", "created": 1, "model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "the answer"}}]}).encode()
        self.send_response(200); self.send_header("content-type", "application/json"); self.send_header("content-length", str(len(answer))); self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
import openai
import opentelemetry.sdk._logs.export as logs_export
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
records = getattr(logs_export, "InMemoryLogRecordExporter", None) or logs_export.InMemoryLogExporter
spans, logs = InMemorySpanExporter(), records()
tracers, loggers = TracerProvider(), LoggerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
loggers.add_log_record_processor(logs_export.SimpleLogRecordProcessor(logs))
instrumentor = importlib.import_module(sys.argv[1]).OpenAIInstrumentor()
instrumentor.instrument(tracer_provider=tracers, logger_provider=loggers)
openai.OpenAI(api_key="x", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=0).chat.completions.create(model="m", messages=[{"role": "user", "content": "the question"}])
said = lambda text: "the question" in text and "the answer" in text
print("span" if said(str([dict(s.attributes) for s in spans.get_finished_spans()])) else "logs" if said(str([(l.log_record.body, dict(l.log_record.attributes or {})) for l in logs.get_finished_logs()])) else "none")
P
fail=0
check() { # venv module value opt-in want
  got=$(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=$3 OTEL_SEMCONV_STABILITY_OPT_IN=$4 "$1/bin/python" ask.py "$2" 2>/dev/null)
  echo "$1 $3 ${4:--}: $got"
  [ "$got" = "$5" ] || { echo "changed, was $5"; fail=1; }
}
latest=gen_ai_latest_experimental
check old opentelemetry.instrumentation.openai_v2 true '' logs
check old opentelemetry.instrumentation.openai_v2 true $latest none
check old opentelemetry.instrumentation.openai_v2 SPAN_ONLY '' none
check old opentelemetry.instrumentation.openai_v2 SPAN_ONLY $latest span
check new opentelemetry.instrumentation.genai.openai true '' none
check new opentelemetry.instrumentation.genai.openai true $latest none
check new opentelemetry.instrumentation.genai.openai SPAN_ONLY '' span
check new opentelemetry.instrumentation.genai.openai SPAN_ONLY $latest span
exit $fail
