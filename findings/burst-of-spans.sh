#!/usr/bin/env bash
# A burst of 5000 spans loses many of them in three languages, in two of them half and without a word.
#
# Guessed: what does not fit the batch processor's queue is at least logged, or the processor waits while spans can be exported.
# Seen 2026-11-29, default settings, an exporter that always succeeds, 5000 spans ended one after the other, then a flush that succeeds:
#   JavaScript @opentelemetry/sdk-trace-base 2.12.1   2560 exported, nothing printed (the loop never lets an export begin)
#   Go         go.opentelemetry.io/otel/sdk v1.47.0   about 2560 exported, nothing printed
#   Python     opentelemetry-sdk 1.45.2               3200 to 4600 exported, one line "Queue full, dropping Span."
# ForceFlush reports success in all three. The queue holds 2048 (OTEL_BSP_MAX_QUEUE_SIZE).
# Means for us: an agent's fan-out can lack children that were never sent; docs/opentelemetry.md names the setting.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/api@1.9.0
cat >burst.mjs <<'JS'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
let n = 0
const exporter = { export(spans, done) { n += spans.length; setTimeout(() => done({ code: 0 }), 5) }, shutdown: async () => {}, forceFlush: async () => {} }
const processor = new BatchSpanProcessor(exporter)
const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('t')
for (let i = 0; i < 5000; i++) tracer.startSpan('s').end()
await processor.forceFlush()
console.log(n)
JS
node burst.mjs >js.out 2>js.err
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2
cat >burst.py <<'P'
import time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
n = 0
class Exporter(SpanExporter):
    def export(self, spans):
        global n
        n += len(spans); time.sleep(0.05)
        return SpanExportResult.SUCCESS
provider = TracerProvider(); provider.add_span_processor(BatchSpanProcessor(Exporter()))
tracer = provider.get_tracer("t")
for _ in range(5000): tracer.start_span("s").end()
assert provider.force_flush()
print(n)
P
v/bin/python burst.py >py.out 2>py.err
cat >go.mod <<'M'
module burst
go 1.26
require go.opentelemetry.io/otel/sdk v1.47.0
M
cat >main.go <<'G'
package main

import (
	"context"
	"fmt"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

type exporter struct{ n int }

func (e *exporter) ExportSpans(_ context.Context, spans []sdk.ReadOnlySpan) error {
	e.n += len(spans)
	time.Sleep(50 * time.Millisecond)
	return nil
}
func (e *exporter) Shutdown(context.Context) error { return nil }

func main() {
	e := &exporter{}
	p := sdk.NewTracerProvider(sdk.WithBatcher(e))
	tracer := p.Tracer("t")
	for range 5000 {
		_, span := tracer.Start(context.Background(), "s")
		span.End()
	}
	if err := p.ForceFlush(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(e.n)
}
G
GOFLAGS=-mod=mod go build -o burst . 2>/dev/null
./burst >go.out 2>go.err
for l in js py go; do echo "$l: $(cat $l.out) of 5000; said: $(head -c 60 $l.err)"; [ "$(cat $l.out)" -lt 5000 ] || { echo "changed"; exit 1; }; done
[ ! -s js.err ] && [ ! -s go.err ] && grep -q 'Queue full' py.err
