// Command first records one answer of a language model, and says where to see it.
package main

import (
	"context"
	"log"
	"log/slog"

	"github.com/brokle-ai/brokle-go"
)

func main() {
	client, err := brokle.New(brokle.Config{Logger: slog.Default()}) // BROKLE_API_KEY and BROKLE_HOST from the environment
	if err != nil {
		log.Fatal(err)
	}
	question, answer := "Why is the sky blue?", "Air scatters blue light more than red."

	ctx, trace := client.StartTrace(context.Background(), "answer", brokle.UserID("ada"), brokle.Input(question))
	_, call := brokle.StartGeneration(ctx, "chat", brokle.Model("gpt-4o-mini"), brokle.Input(question))
	// Here your program asks the model, and waits.
	call.End(brokle.Output(answer), brokle.Usage(14, 9), brokle.Cost(0.0000021, 0.0000054))
	trace.Score("helpful", 1)
	trace.End(brokle.Output(answer))

	if err := client.Close(context.Background()); err != nil { // sends what waits; what is refused is in the log
		log.Fatal(err)
	}
	log.Printf("look: brokle trace %s", trace.ID())
}
