#!/usr/bin/env bash
# One attribute of NaN, or of 1e21, in a JavaScript span, and the Collector's reader refuses the whole request: the spans beside it are lost.
#
# Guessed: what the official exporter writes the official reader takes, or at worst one span is missed.
# Seen 2026-11-29: @opentelemetry/exporter-trace-otlp-http 0.223.1 writes {"doubleValue":null} for NaN and {"intValue":1e+21} for a large
# number; go.opentelemetry.io/collector/pdata v1.71.0 (ptraceotlp, what the Collector's otlphttp receiver decodes with) answers both with an error
# for the request: "unsupported value type", "expect { or , or } or n". It takes a span of ids all zero or none. Protobuf carries both values.
# Means for us: null is a value that is absent and a number out of range is a double, in the span where they stand; nothing beside it fails.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @opentelemetry/exporter-trace-otlp-http@0.223.1 @opentelemetry/sdk-trace-base@2.12.1
cat >send.mjs <<'JS'
import http from 'node:http'
import fs from 'node:fs'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
let name
const server = http.createServer((req, res) => {
  const parts = []
  req.on('data', d => parts.push(d)).on('end', () => { fs.writeFileSync(name + '.json', Buffer.concat(parts)); res.setHeader('content-type', 'application/json').end('{}') })
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
for (const [as, value] of [['plain', 1], ['nan', NaN], ['large', 1e21]]) {
  name = as
  const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url: `http://127.0.0.1:${server.address().port}/v1/traces` }))
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('t')
  tracer.startSpan('with', { attributes: { score: value } }).end()
  tracer.startSpan('beside').end()
  await processor.forceFlush()
  await processor.shutdown()
}
server.close()
JS
node send.mjs
cat >go.mod <<'M'
module reader
go 1.26
require go.opentelemetry.io/collector/pdata v1.71.0
M
cat >main.go <<'G'
package main

import (
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func read(body []byte) (int, error) {
	r := ptraceotlp.NewExportRequest()
	err := r.UnmarshalJSON(body)
	return r.Traces().SpanCount(), err
}

func main() {
	refused := map[string]string{"plain": "", "nan": "unsupported value type", "large": "expect { or , or } or n"}
	for name, says := range refused {
		body, err := os.ReadFile(name + ".json")
		if err != nil {
			panic(err)
		}
		n, err := read(body)
		fmt.Println(name, n, err != nil)
		if says == "" && (err != nil || n != 2) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			fmt.Println("changed:", n, err)
			os.Exit(1)
		}
	}
	if n, err := read([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"no id"}]}]}]}`)); n != 1 || err != nil {
		fmt.Println("changed: a span without ids:", n, err)
		os.Exit(1)
	}
}
G
GOFLAGS=-mod=mod go run .
