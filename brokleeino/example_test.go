package brokleeino_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/components/prompt"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleeino"
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
	handler := brokleeino.New(brokleeino.WithClient(recorder))

	ctx := context.Background()
	model, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{BaseURL: provider.URL + "/v1", APIKey: "sk-…", Model: "gpt-4o-mini"})
	if err != nil {
		fmt.Println(err)
		return
	}
	chain, err := compose.NewChain[map[string]any, *schema.Message]().
		AppendChatTemplate(prompt.FromMessages(schema.FString, schema.UserMessage("Why is the {what} blue?"))).
		AppendChatModel(model).
		Compile(ctx, compose.WithGraphName("answer"))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := chain.Invoke(ctx, map[string]any{"what": "sky"}, compose.WithCallbacks(handler)) // the one line; or callbacks.AppendGlobalHandlers(handler)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Content)
	_ = handler.Wait(ctx)
	_ = recorder.Close(ctx)
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "steps recorded")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// Output:
	// The sky is blue.
	// 3 steps recorded
}
