#!/usr/bin/env bash
# OpenTelemetry's JavaScript exporter sends every whole number as intValue, also 1e+21, and NaN as {"doubleValue": null}.
#
# Guessed: numbers outside 64 bits go out as doubleValue, intValue is a string of digits, NaN is dropped or a string
# ("NaN", as the JSON mapping of protobuf has it).
# Seen 2026-11-28, @opentelemetry/exporter-trace-otlp-http 0.223.1 and sdk-trace-base 2.12.1 from npm:
#   1e21 -> {"intValue":1e+21} · 2**63 -> {"intValue":9223372036854776000} · NaN and Infinity -> {"doubleValue":null}
#   ["a", null] -> values [{"stringValue":"a"}, {}] · 1.0 -> {"intValue":1}
#   a bigint, a Date, an object or mixed types in a list are dropped, and droppedAttributesCount stays 0
# Means for us: one such attribute must not cost the request: an intValue may be a number, with an exponent, beyond 64
# bits; a null doubleValue is "no value"; a field that is 7 in one span and 7.5 in the next has two types.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @opentelemetry/api@1.9.0 @opentelemetry/exporter-trace-otlp-http@0.223.1 @opentelemetry/sdk-trace-base@2.12.1
cat >send.mjs <<'JS'
import assert from 'node:assert/strict'
import http from 'node:http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
let body = ''
const server = http.createServer((req, res) => {
  let text = ''
  req.on('data', d => { text += d })
  req.on('end', () => { body = text; res.end('{}') })
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${server.address().port}/v1/traces` })
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
async function sent(value) {
  const span = provider.getTracer('t').startSpan('s')
  span.setAttribute('a', value)
  span.end()
  await provider.forceFlush()
  const got = JSON.parse(body).resourceSpans[0].scopeSpans[0].spans[0]
  assert.equal(got.droppedAttributesCount, 0)
  const raw = body.match(/"key":"a","value":(.*?)\}\],"droppedAttributesCount"/)
  return raw ? raw[1] : 'nothing'
}
const want = [
  [1e21, '{"intValue":1e+21}'], [2 ** 63, '{"intValue":9223372036854776000}'], [1.0, '{"intValue":1}'],
  [NaN, '{"doubleValue":null}'], [Infinity, '{"doubleValue":null}'],
  [['a', null], '{"arrayValue":{"values":[{"stringValue":"a"},{}]}}'],
  [10n, 'nothing'], [new Date(0), 'nothing'], [{ b: 1 }, 'nothing'], [[1, 'a'], 'nothing'],
]
for (const [value, text] of want) {
  const got = await sent(value)
  console.log(value, got)
  assert.equal(got, text)
}
server.closeAllConnections()
server.close()
JS
node send.mjs
