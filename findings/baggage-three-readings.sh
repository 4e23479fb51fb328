#!/usr/bin/env bash
# W3C baggage and tracestate between OpenTelemetry in Python, JavaScript and Go: a space becomes "+", and limits differ.
#
# Guessed: "+" stays "+" (the value is percent-encoded), a list of 200 members is cut at 180 by all, a tracestate with 33
# members or one bad member is treated alike.
# Seen 2026-11-28: opentelemetry-api 1.45.2 (PyPI), @opentelemetry/core 2.12.1 (npm), go.opentelemetry.io/otel v1.47.0
#   Python writes the value "b c" as a=b+c and reads b+c as "b c"; JavaScript and Go read b+c as "b+c"
#   200 baggage members      Python and JavaScript keep 180 · Go keeps 64
#   a=1;p=q                  Python: value "1;p=q" · JavaScript and Go: value 1 with a property
#   a= (empty value)         Python and Go: empty · JavaScript: the member is gone
#   tracestate of 33         JavaScript keeps 32 · Python and Go drop all
#   tracestate a=1,bad,c=2   JavaScript keeps two · Python and Go drop all
#   traceparent flags ff     Python and JavaScript take it · Go drops the trace id
# Means for us: user and session ids that travel as baggage differ by "+" between services; ids without spaces, + and ; are
# the only safe ones, and one trace may fall apart at a service in another language.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-api==1.45.2
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @opentelemetry/api@1.9.0 @opentelemetry/core@2.12.1
cat >read.py <<'PY'
import sys
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
sent = {}
W3CBaggagePropagator().inject(sent, baggage.set_baggage("a", "b c"))
assert sent == {"baggage": "a=b+c"}, sent
def bag(header):
    got = baggage.get_all(W3CBaggagePropagator().extract({"baggage": header}))
    return f"{len(got)} {got.get('a', '-')}"
def context(parent, state):
    c = trace.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": parent, "tracestate": state})).get_span_context()
    return f"{str(c.is_valid).lower()} {len(c.trace_state)}"
for line in open(sys.argv[1]):
    kind, one, two = (line.rstrip("\n") + "\t").split("\t")[:3]
    print(bag(one) if kind == "bag" else context(one, two))
PY
cat >read.mjs <<'JS'
import fs from 'node:fs'
import { W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { ROOT_CONTEXT, defaultTextMapGetter, propagation, trace } from '@opentelemetry/api'
for (const line of fs.readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
  const [kind, one, two] = line.split('\t')
  if (kind === 'bag') {
    const got = propagation.getBaggage(new W3CBaggagePropagator().extract(ROOT_CONTEXT, { baggage: one }, defaultTextMapGetter))
    console.log(got?.getAllEntries().length ?? 0, got?.getEntry('a')?.value ?? '-')
  } else {
    const c = trace.getSpanContext(new W3CTraceContextPropagator().extract(ROOT_CONTEXT, { traceparent: one, tracestate: two }, defaultTextMapGetter))
    const state = c?.traceState?.serialize()
    console.log(c !== undefined, state ? state.split(',').length : 0)
  }
}
JS
cat >main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	f, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		part := append(strings.Split(lines.Text(), "\t"), "")
		carrier := propagation.MapCarrier{"baggage": part[1], "traceparent": part[1], "tracestate": part[2]}
		if part[0] == "bag" {
			b := baggage.FromContext(propagation.Baggage{}.Extract(context.Background(), carrier))
			value := "-"
			if m := b.Member("a"); m.Key() != "" {
				value = m.Value()
			}
			fmt.Println(b.Len(), value)
			continue
		}
		c := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
		fmt.Println(c.IsValid(), c.TraceState().Len())
	}
}
GO
python3 - >lines <<'PY'
ids = "-" + "ab" * 16 + "-" + "cd" * 8 + "-"
many = lambda n: ",".join(f"k{i}=v" for i in range(n))
print("bag\ta=b+c", "bag\t" + many(200), "bag\ta=1;p=q", "bag\ta=", f"trace\t00{ids}01\t{many(33)}",
      f"trace\t00{ids}01\ta=1,bad,c=2", f"trace\t00{ids}ff\t", sep="\n")
PY
go mod init probe 2>/dev/null
go get go.opentelemetry.io/otel@v1.47.0 go.opentelemetry.io/otel/trace@v1.47.0 2>/dev/null
v/bin/python read.py lines >py.txt 2>/dev/null
node read.mjs lines >js.txt
go run . lines >go.txt 2>/dev/null
paste py.txt js.txt go.txt | tee all.txt
diff all.txt - <<'WANT'
1 b c	1 b+c	1 b+c
180 -	180 -	64 -
1 1;p=q	1 1	1 1
1 	0 -	1 
true 0	true 32	true 0
true 0	true 2	true 0
true 0	true 0	false 0
WANT
