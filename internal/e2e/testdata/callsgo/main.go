// Command callsgo makes the same call, first whole and then as a stream, by DOOR: a way in which a Go program's calls are recorded.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicopt "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	openaiopt "github.com/openai/openai-go/v3/option"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleanthropic"
	"github.com/brokle-ai/brokle-go/broklehttp"
	"github.com/brokle-ai/brokle-go/brokleopenai"
	"github.com/brokle-ai/brokle-go/brokleotel"
)

const (
	system, question = "Be short.", "Why is the sky blue?"
	chatModel        = "gpt-4o-mini"
	claude           = "claude-sonnet-4-5"
)

var provider = os.Getenv("PROVIDER")

func main() {
	ctx := context.Background()
	client, err := brokle.New(brokle.Config{Environment: os.Getenv("DOOR")}) // the rest is in the environment
	if err != nil {
		log.Fatal(err)
	}
	brokle.SetDefault(client)
	if err := calls[os.Getenv("DOOR")](ctx); err != nil {
		log.Fatal(err)
	}
	if err := client.Close(ctx); err != nil {
		log.Fatal(err)
	}
}

var calls = map[string]func(context.Context) error{
	"go-openai": func(ctx context.Context) error {
		return askOpenAI(ctx, openaiopt.WithMiddleware(brokleopenai.Middleware()))
	},
	"go-openai-http": func(ctx context.Context) error {
		return post(ctx, "/v1/chat/completions", `{"model":"`+chatModel+`","messages":[{"role":"system","content":"`+system+`"},{"role":"user","content":"`+question+`"}],"temperature":0.5%s}`,
			`,"stream":true,"stream_options":{"include_usage":true}`)
	},
	"go-anthropic": func(ctx context.Context) error {
		return askAnthropic(ctx, anthropicopt.WithMiddleware(brokleanthropic.Middleware()))
	},
	"go-anthropic-http": func(ctx context.Context) error {
		return post(ctx, "/v1/messages", `{"model":"`+claude+`","max_tokens":100,"system":[{"type":"text","text":"`+system+`"}],"messages":[{"role":"user","content":[{"type":"text","text":"`+question+`"}]}]%s}`,
			`,"stream":true`)
	},
	"go-anthropic-otel": func(ctx context.Context) error { // its own spans, with content, by brokleotel
		spans := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(brokleotel.IDGenerator()), sdktrace.WithSpanProcessor(brokleotel.Processor(nil)), named())
		defer spans.Shutdown(ctx)
		return askAnthropic(ctx, anthropicopt.WithTracerProvider(spans), anthropicopt.WithOpenTelemetryTracesContentMode(anthropicopt.OpenTelemetryContentModeContent))
	},
	"go-anthropic-both": func(ctx context.Context) error { // its own spans as they are by default, and ours
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(os.Getenv("BROKLE_HOST")+"/v1/traces"),
			otlptracehttp.WithHeaders(map[string]string{"x-api-key": os.Getenv("BROKLE_API_KEY")}))
		if err != nil {
			return err
		}
		spans := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), named())
		if err := askAnthropic(ctx, anthropicopt.WithTracerProvider(spans), anthropicopt.WithMiddleware(brokleanthropic.Middleware())); err != nil {
			return err
		}
		return spans.Shutdown(ctx)
	},
}

// named says the environment of spans.
func named() sdktrace.TracerProviderOption {
	return sdktrace.WithResource(resource.NewSchemaless(attribute.String("deployment.environment.name", os.Getenv("DOOR"))))
}

func askOpenAI(ctx context.Context, opts ...openaiopt.RequestOption) error {
	c := openai.NewClient(append(opts, openaiopt.WithBaseURL(provider+"/v1"), openaiopt.WithAPIKey("sk-test"))...)
	params := openai.ChatCompletionNewParams{Model: chatModel, Temperature: openai.Float(0.5),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(system), openai.UserMessage(question)}}
	if _, err := c.Chat.Completions.New(ctx, params); err != nil {
		return err
	}
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.Chat.Completions.NewStreaming(ctx, params)
	for stream.Next() {
	}
	return stream.Err()
}

func askAnthropic(ctx context.Context, opts ...anthropicopt.RequestOption) error {
	c := anthropic.NewClient(append(opts, anthropicopt.WithBaseURL(provider), anthropicopt.WithAPIKey("sk-test"))...)
	params := anthropic.MessageNewParams{Model: claude, MaxTokens: 100, System: []anthropic.TextBlockParam{{Text: system}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))}}
	if _, err := c.Messages.New(ctx, params); err != nil {
		return err
	}
	stream := c.Messages.NewStreaming(ctx, params)
	for stream.Next() {
	}
	return stream.Err()
}

// post is a program that has no provider's client.
func post(ctx context.Context, path, body, stream string) error {
	c := http.Client{Transport: broklehttp.Transport(nil)}
	for _, more := range []string{"", stream} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, provider+path, bytes.NewReader(fmt.Appendf(nil, body, more)))
		if err != nil {
			return err
		}
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if err := resp.Body.Close(); err != nil {
			return err
		}
	}
	return nil
}
