#!/usr/bin/env bash
# `Retry-After: 0`, a date that has passed, and words: three OTLP exporters read them in three ways.
#
# Guessed: 0, a past date and words all mean the client's own backoff.
# Seen 2026-11-28: opentelemetry-exporter-otlp-proto-http 1.45.2 (PyPI), @opentelemetry/exporter-trace-otlp-http 0.223.1
# (npm), otlptracehttp v1.47.0 (Go), a stand-in that answers 503 once; the time until the second request:
#                      Python       JavaScript   Go
#   0                  at once      at once      its backoff (3 – 7 s)
#   a date in the past at once      at once      its backoff
#   soon               its backoff  at once      its backoff
#   1                  1 s          1 s          its backoff, since that is longer
# Means for us: a busy server that sends 0 is asked again within milliseconds, by every client at once. Never send 0 or a
# date; send whole seconds from 1 up.
set -euo pipefail
dir=$(mktemp -d); server=; trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"; [ ! -d "$dir" ] || chmod -R u+w "$dir"' EXIT
cat >"$dir/server.py" <<'PY'
import http.server
import json
import os
import sys
import time
from email.utils import formatdate
seen = {}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, body=b"", header=None):
        self.send_response(status)
        if header is not None:
            self.send_header("Retry-After", header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        times = seen.setdefault(self.path, [])
        times.append(time.monotonic())
        if len(times) > 1:
            return self.answer(200)
        value = self.path.split("/")[2]
        self.answer(503, b"", formatdate(time.time() - 60, usegmt=True) if value == "past" else value)
    def do_GET(self):
        self.answer(200, json.dumps({k: round(v[1] - v[0], 2) for k, v in seen.items() if len(v) > 1}).encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PY
python3 "$dir/server.py" "$dir/port" & server=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.1; done
export BASE="http://127.0.0.1:$(cat "$dir/port")"
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
"$dir/v/bin/python" - <<'PY'
import os
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
span = TracerProvider().get_tracer("t").start_span("s")
span.end()
for value in ("0", "past", "soon", "1"):
    OTLPSpanExporter(endpoint=f"{os.environ['BASE']}/python/{value}").export([span])
PY
mkdir "$dir/js"
(cd "$dir/js" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit @opentelemetry/api@1.9.0 @opentelemetry/exporter-trace-otlp-http@0.223.1 @opentelemetry/sdk-trace-base@2.12.1)
cat >"$dir/js/send.mjs" <<'JS'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
const span = new BasicTracerProvider().getTracer('t').startSpan('s')
span.end()
for (const value of ['0', 'past', 'soon', '1']) {
  const exporter = new OTLPTraceExporter({ url: `${process.env.BASE}/js/${value}` })
  await new Promise(done => exporter.export([span], done))
  await exporter.shutdown()
}
JS
node "$dir/js/send.mjs"
mkdir "$dir/go"
cat >"$dir/go/main.go" <<'GO'
package main

import (
	"context"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	for _, value := range []string{"0", "past", "soon", "1"} {
		e, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(os.Getenv("BASE")+"/go/"+value))
		if err != nil {
			panic(err)
		}
		if err := e.ExportSpans(context.Background(), []sdk.ReadOnlySpan{tracetest.SpanStub{Name: "s"}.Snapshot()}); err != nil {
			panic(err)
		}
	}
}
GO
(cd "$dir/go" && go mod init probe 2>/dev/null &&
  go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp@v1.47.0 go.opentelemetry.io/otel/sdk@v1.47.0 2>/dev/null && go run .)
python3 - <<'PY'
import json
import os
import urllib.request
got = json.load(urllib.request.urlopen(os.environ["BASE"]))
for path, wait in sorted(got.items()):
    print(f"{path:14} {wait} s")
at_once = {"/python/0", "/python/past", "/js/0", "/js/past", "/js/soon"}
assert len(got) == 12, got
for path, wait in got.items():
    if path in at_once:
        assert wait < 0.3, (path, wait)
    elif path.startswith("/go/"):
        assert wait > 2, (path, wait)
    else:
        assert 0.5 < wait < 2, (path, wait)
PY
