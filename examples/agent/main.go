// Command agent answers a question with the help of a tool, through OpenAI's Go client, and records every step with Brokle.
//
//	cd examples/agent
//	BROKLE_API_KEY=bk_… go run . "What is the weather in Oslo?"
//
// Without OPENAI_API_KEY a stand-in in this program answers, so nobody needs a provider's key. Without BROKLE_API_KEY it works the same
// and records nothing.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleopenai"
)

func main() {
	question := cmp.Or(strings.Join(os.Args[1:], " "), "What is the weather in Oslo?")
	if err := run(context.Background(), question, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, question string, out io.Writer) error {
	client, err := brokle.New(brokle.Config{Logger: slog.Default()}) // BROKLE_API_KEY, BROKLE_HOST
	if err != nil {
		return err
	}
	options := []option.RequestOption{option.WithMiddleware(brokleopenai.Middleware())} // every call of the model is recorded
	if os.Getenv("OPENAI_API_KEY") == "" {
		provider := httptest.NewServer(standIn{})
		defer provider.Close()
		options = append(options, option.WithBaseURL(provider.URL), option.WithAPIKey("none"))
	}
	a := &agent{openai.NewClient(options...)}

	ctx = brokle.WithUser(brokle.WithClient(ctx, client), "ada")
	ctx, trace := client.StartTrace(ctx, "agent", brokle.Input(question))
	answer, err := a.answer(ctx, question)
	trace.End(brokle.Output(answer), brokle.Error(err))
	if closed := client.Close(context.WithoutCancel(ctx)); closed != nil && err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, answer)
	if trace != nil {
		fmt.Fprintln(out, "look: brokle trace", trace.ID())
	}
	return nil
}

// agent asks a model, and does what it asks for, until it has an answer.
type agent struct{ client openai.Client }

// mostTurns ends an agent that does not come to an answer.
const mostTurns = 5

func (a *agent) answer(ctx context.Context, question string) (string, error) {
	messages := []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Answer in one sentence."), openai.UserMessage(question)}
	for range mostTurns {
		said, err := a.client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: "gpt-4o-mini", Messages: messages, Tools: tools()})
		if err != nil {
			return "", err
		}
		if len(said.Choices) == 0 {
			return "", fmt.Errorf("the model said nothing")
		}
		m := said.Choices[0].Message
		if len(m.ToolCalls) == 0 {
			return m.Content, nil
		}
		messages = append(messages, m.ToParam())
		for _, c := range m.ToolCalls {
			result, err := brokle.Do(ctx, c.Function.Name, func(ctx context.Context) (string, error) {
				return weather(ctx, c.Function.Arguments)
			}, brokle.Type(brokle.TypeTool), brokle.Input(json.RawMessage(c.Function.Arguments)))
			if err != nil {
				result = "error: " + err.Error()
			}
			messages = append(messages, openai.ToolMessage(result, c.ID))
		}
	}
	return "", fmt.Errorf("no answer in %d turns", mostTurns)
}

func tools() []openai.ChatCompletionToolUnionParam {
	return []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name: "get_weather", Description: openai.String("The weather in a city."),
		Parameters: openai.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}},
	})}
}

// weather is the tool.
func weather(ctx context.Context, arguments string) (string, error) {
	var asked struct{ City string }
	if err := json.Unmarshal([]byte(arguments), &asked); err != nil || asked.City == "" {
		return "", fmt.Errorf("no city in %s", arguments)
	}
	sky := asked.City + ": rain, 7 °C"
	brokle.ObservationFromContext(ctx).Update(brokle.Output(sky))
	return sky, nil
}
