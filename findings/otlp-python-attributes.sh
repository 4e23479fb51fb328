#!/usr/bin/env bash
# OpenTelemetry's Python SDK sends None, maps, mixed lists and str() of unknown things, and loses an integer beyond 64 bits uncounted.
#
# Guessed: None, dicts, mixed lists, Decimal and sets are dropped with a warning (the attribute types of the API's
# documentation), and what the exporter must drop is in dropped_attributes_count.
# Seen 2026-11-28, opentelemetry-sdk and exporter 1.45.2 from PyPI:
#   None -> an empty value · {"a": 1} -> kvlist · [1, "a"] -> mixed array · Decimal("1.10") -> string "1.10" · {1} -> string "{1}"
#   an object without text of its own -> an empty value · 2**63 -> the attribute is missing, dropped_attributes_count is 0
# Means for us: costs arrive as strings, "null" as an empty value, and any attribute may be a map; a missing attribute with a
# count of 0 dropped is not proof that nobody set it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
"$dir/v/bin/python" - 2>"$dir/log" <<'PY' || { cat "$dir/log"; exit 1; }
import decimal
import http.server
import threading
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
body = b""
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global body
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces")))
def sent(value):
    with provider.get_tracer("t").start_as_current_span("s") as span:
        span.set_attribute("a", value)
    got = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]
    assert got.dropped_attributes_count == 0, got
    if not got.attributes:
        return "missing"
    v = got.attributes[0].value
    kind = v.WhichOneof("value")
    return f"string {v.string_value}" if kind == "string_value" else kind or "empty"
for value, want in [(None, "empty"), ({"a": 1}, "kvlist_value"), ([1, "a"], "array_value"), (decimal.Decimal("1.10"), "string 1.10"),
                    ({1}, "string {1}"), (object(), "empty"), (2**63 - 1, "int_value"), (2**63, "missing")]:
    got = sent(value)
    print(type(value).__name__, "->", got)
    assert got == want, (value, got)
PY
