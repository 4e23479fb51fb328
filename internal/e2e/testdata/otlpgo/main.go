// Command otlpgo sends an agent for each line that it reads, through OpenTelemetry's own exporters, and prints
// its trace when the server has taken it, else "-".
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	ctx := context.Background()
	headers := map[string]string{"x-api-key": os.Getenv("KEY")}
	var client otlptrace.Client = otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(os.Getenv("HTTP_URL")+"/v1/traces"),
		otlptracehttp.WithHeaders(headers), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if os.Getenv("DOOR") == "grpc" {
		client = otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(os.Getenv("GRPC_ADDR")), otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithHeaders(headers), otlptracegrpc.WithCompressor("gzip"))
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		log.Fatal(err)
	}
	kept := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(kept), sdktrace.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "agent"), attribute.String("deployment.environment.name", os.Getenv("ENVIRONMENT")))))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		kept.Reset()
		id := agent(ctx, provider.Tracer("e2e"))
		if err := exporter.ExportSpans(ctx, kept.Ended()); err != nil {
			log.Print(err)
			id = "-"
		}
		fmt.Println(id)
	}
	if err := exporter.Shutdown(ctx); err != nil {
		log.Print(err)
	}
}

// agent is one run: a call that streams, a tool that fails, and a call that answers.
func agent(ctx context.Context, tracer trace.Tracer) string {
	ctx, root := tracer.Start(ctx, "invoke_agent", trace.WithAttributes(attribute.String("gen_ai.operation.name", "invoke_agent")))
	defer root.End()
	chat := func(in, out int) trace.Span {
		_, s := tracer.Start(ctx, "chat m-1", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"),
			attribute.String("gen_ai.request.model", "m-1"), attribute.String("gen_ai.response.model", "m-1-2026"),
			attribute.Int("gen_ai.usage.input_tokens", in), attribute.Int("gen_ai.usage.output_tokens", out)))
		return s
	}
	first := chat(20, 5)
	first.AddEvent("gen_ai.first_token")
	first.End()
	_, tool := tracer.Start(ctx, "execute_tool look-up", trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", "look-up")))
	tool.RecordError(errors.New("nothing found"))
	tool.SetStatus(codes.Error, "nothing found")
	tool.End()
	chat(40, 7).End()
	return root.SpanContext().TraceID().String()
}
