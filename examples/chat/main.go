// Command chat is a small support chat that records what it does with Brokle.
// The language model is a fake in this program, so it needs no provider's key.
//
//	BROKLE_API_KEY=bk_… go run ./examples/chat "Where is my order?" "Thank you!"
//
// Without arguments it reads questions from standard input, one a line. Without BROKLE_API_KEY it works
// the same and records nothing.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, questions []string, in io.Reader, out io.Writer) error {
	client, err := brokle.New(brokle.Config{})
	if err != nil {
		return err
	}
	chat := &Chat{client: client, model: Parrot{}, session: brokle.NewID()}
	if len(questions) == 0 {
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			questions = append(questions, lines.Text())
		}
		if err := lines.Err(); err != nil {
			return err
		}
	}
	for _, q := range questions {
		answer, err := chat.Ask(ctx, q)
		if err != nil {
			fmt.Fprintf(out, "> %s\n! %v\n", q, err)
			continue
		}
		fmt.Fprintf(out, "> %s\n%s\n", q, answer)
	}
	// Whatever the signal was about, give the last events their chance.
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := client.Close(bye); err != nil {
		return err
	}
	if m := client.ProcessorMetrics(); m.Accepted > 0 {
		fmt.Fprintf(out, "%d events recorded, %d delivered\n", m.Accepted, m.Delivered+m.Duplicate)
	}
	return nil
}

// Chat answers questions of one session.
type Chat struct {
	client  *brokle.Client
	model   Model
	session string
	history []Message
}

// Ask answers one question: one trace, with a retrieval and a generation below it.
func (c *Chat) Ask(ctx context.Context, question string) (string, error) {
	ctx, trace := c.client.StartTrace(ctx, "support-question", brokle.SessionID(c.session), brokle.UserID("demo"), brokle.Input(question))
	var facts []string
	err := brokle.Observe(ctx, "look-up", func(context.Context) error {
		facts = lookUp(question)
		return nil
	})
	if err != nil {
		return "", err
	}
	c.history = append(c.history, Message{Role: "user", Text: question})
	answer, err := c.generate(ctx, facts)
	if err != nil {
		trace.End()
		return "", err
	}
	c.history = append(c.history, Message{Role: "assistant", Text: answer})
	trace.End(brokle.Output(answer))
	trace.Score("grounded", len(facts) > 0, brokle.Source("AUTO"), brokle.Evaluator("has-facts", "1"))
	return answer, nil
}

func (c *Chat) generate(ctx context.Context, facts []string) (string, error) {
	ctx, gen := brokle.StartGeneration(ctx, "answer", brokle.Model(c.model.Name()), brokle.Provider("local"),
		brokle.Input(map[string]any{"messages": c.history, "facts": facts}))
	reply, err := c.model.Complete(ctx, c.history, facts)
	if err != nil {
		gen.End(brokle.Level(brokle.LevelError), brokle.StatusMessage(err.Error()))
		return "", err
	}
	gen.End(brokle.Output(reply.Text), brokle.Usage(reply.PromptTokens, reply.CompletionTokens))
	return reply.Text, nil
}

// lookUp finds what the shop knows about a question.
func lookUp(question string) []string {
	known := map[string]string{
		"order":  "Orders leave the house within a day and arrive within three.",
		"return": "Anything can come back within thirty days.",
		"pay":    "We take cards and bank transfer.",
	}
	var facts []string
	for word, fact := range known {
		if strings.Contains(strings.ToLower(question), word) {
			facts = append(facts, fact)
		}
	}
	return facts
}
