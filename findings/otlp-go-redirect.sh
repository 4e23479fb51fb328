#!/usr/bin/env bash
# OpenTelemetry's Go exporter follows a 302 with an empty GET and calls the export a success; JavaScript's reports a failure.
#
# Guessed: a 302 is an error for an exporter, as 400 is (Python's is known to take any redirect for success).
# Seen 2026-11-28, otlptracehttp v1.47.0: POST with the spans, then GET without a body to the Location; the 200 of that GET
#   (a sign-in page, say) makes ExportSpans return nil. The spans are gone. With 307 the POST is repeated with its body.
# Means for us: a proxy or sign-in page before the server loses data in silence; we never answer 3xx, and the docs tell
# operators to look at the count of stored spans, not at the client's silence.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	for _, want := range []struct {
		status int
		second string
	}{{302, "GET, no body"}, {307, "POST, a body"}} {
		var seen []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			what := "no body"
			if len(body) > 0 {
				what = "a body"
			}
			seen = append(seen, r.Method+", "+what)
			if r.URL.Path == "/v1/traces" {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(want.status)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>sign in</html>")
		}))
		e, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(s.URL+"/v1/traces"))
		if err != nil {
			panic(err)
		}
		err = e.ExportSpans(context.Background(), []sdk.ReadOnlySpan{tracetest.SpanStub{Name: "s"}.Snapshot()})
		s.Close()
		fmt.Println(want.status, seen, "error:", err)
		if err != nil || len(seen) != 2 || seen[1] != want.second {
			os.Exit(1)
		}
	}
}
GO
go mod init probe 2>/dev/null
go get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp@v1.47.0 go.opentelemetry.io/otel/sdk@v1.47.0 2>/dev/null
go run .
