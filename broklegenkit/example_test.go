package broklegenkit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/openai/openai-go/option"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklegenkit"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

func Example() {
	provider := httptest.NewServer(standin.New()) // stands for OpenAI
	defer provider.Close()
	srv := brokletest.New()
	recorder, err := brokle.New(srv.Config()) // brokle.New(brokle.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	plugin := broklegenkit.New(broklegenkit.WithClient(recorder))
	defer plugin.Stop()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g := genkit.Init(ctx, genkit.WithPlugins(
		&openai.OpenAI{APIKey: "sk-…", Opts: []option.RequestOption{option.WithBaseURL(provider.URL + "/v1")}},
		plugin)) // the one line
	text, err := genkit.GenerateText(ctx, g, ai.WithModelName("openai/gpt-4o-mini"), ai.WithPrompt("Why is the sky blue?"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text)
	_ = recorder.Close(ctx)
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "steps recorded")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// Output:
	// The sky is blue.
	// 2 steps recorded
}
