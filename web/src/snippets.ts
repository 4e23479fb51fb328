// What a person pastes who has nothing yet: each is whole, runs as it is, and makes one finished call of a model.
// The end-to-end tests run all of them.

export interface Snippet {
  title: string;
  how: string; // what to have, and how to run it
  code: string;
}

/** snippets are for a server at host, such as https://brokle.example; each asks BROKLE_API_KEY for the key. */
export function snippets(host: string): Snippet[] {
  return [
    {
      title: "Go",
      how: "go get github.com/brokle-ai/brokle-go, then go run .",
      code: `package main

import (
	"context"
	"log"
	"os"

	"github.com/brokle-ai/brokle-go"
)

func main() {
	client, err := brokle.New(brokle.Config{Host: "${host}", APIKey: os.Getenv("BROKLE_API_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	ctx, trace := client.StartTrace(context.Background(), "hello")
	_, call := brokle.StartGeneration(ctx, "chat", brokle.Model("gpt-4o-mini"), brokle.Input("Why is the sky blue?"))
	call.End(brokle.Output("Air scatters blue light."), brokle.Usage(14, 9))
	trace.End()
	if err := client.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
}
`,
    },
    {
      title: "Python",
      how: "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http",
      code: `import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

exporter = OTLPSpanExporter("${host}/v1/traces", headers={"x-api-key": os.environ["BROKLE_API_KEY"]})
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("hello")

with tracer.start_as_current_span("chat gpt-4o-mini") as call:
    call.set_attributes({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 9,
    })

provider.shutdown()
`,
    },
    {
      title: "OpenTelemetry",
      how: "The two variables are all that an SDK of any language needs; the rest sends one call as an SDK does.",
      code: `export OTEL_EXPORTER_OTLP_ENDPOINT="${host}"
export OTEL_EXPORTER_OTLP_HEADERS="x-api-key=$BROKLE_API_KEY"

id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n') now=$(date +%s)
curl -sS "$OTEL_EXPORTER_OTLP_ENDPOINT/v1/traces" \\
  -H "\${OTEL_EXPORTER_OTLP_HEADERS/=/: }" -H "Content-Type: application/json" -d '{
  "resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": "'$id'", "spanId": "'\${id:0:16}'", "name": "chat gpt-4o-mini", "kind": 3,
    "startTimeUnixNano": "'$((now - 2))'000000000", "endTimeUnixNano": "'$now'000000000",
    "attributes": [
      {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
      {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
      {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "14"}},
      {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "9"}}
    ]}]}]}]}'
`,
    },
    {
      title: "curl",
      how: "A shell with curl: the API without any library.",
      code: `id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n') now=$(date +%s)
curl -sS "${host}/v1/ingest/batch" -H "X-API-Key: $BROKLE_API_KEY" -H "Content-Type: application/json" -d '{
  "events": [
    {"event_id": "'$id'-1", "event_type": "trace_create",
     "payload": {"id": "'$id'", "name": "hello", "user_id": "me"}},
    {"event_id": "'$id'-2", "event_type": "observation_create",
     "payload": {"id": "'$id'-call", "trace_id": "'$id'", "type": "generation", "name": "chat", "model": "gpt-4o-mini",
                 "start_time": '$((now - 2))', "end_time": '$now',
                 "input": "Why is the sky blue?", "output": "Air scatters blue light.",
                 "prompt_tokens": 14, "completion_tokens": 9}}
  ]}'
`,
    },
  ];
}
