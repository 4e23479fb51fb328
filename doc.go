// Package brokle records what an application does with language models, and
// reads it back: the Go client of Brokle, and the types of its HTTP API.
//
// # Recording
//
//	client, err := brokle.New(brokle.Config{}) // BROKLE_API_KEY, BROKLE_HOST
//	if err != nil {
//		return err
//	}
//	defer client.Close(ctx)
//
//	ctx, trace := client.StartTrace(ctx, "answer", brokle.Input(question))
//	_, gen := brokle.StartGeneration(ctx, "chat", brokle.Model("small-1"))
//	gen.End(brokle.Output(answer), brokle.Usage(120, 30))
//	trace.End(brokle.Output(answer))
//
// What starts without a trace in its context goes to the client it is called on ([Client.StartGeneration]), to that of
// [WithClient], or to the default of [SetDefault]; where there is none, to no other.
//
// [WithUser], [WithSession], [WithTags] and [WithMetadata] put into a context whom all this is about; [Inject] and [Extract] carry that and
// the trace to other processes. [LogHandler] records what log/slog says.
//
// Below the helpers is [Client.SubmitBatchEvent]: an event type and a payload. It never
// blocks; one goroutine makes batches, at most four send them, and events of one trace keep
// their order. Failed requests are repeated with the same event ids, which the server counts once.
//
// # What is promised
//
// An event that a call accepted gets exactly one outcome: delivered, duplicate, rejected or dropped,
// with the reason ([Config.OnOutcome], [Client.ProcessorMetrics]). [Client.Flush] and [Client.Close]
// return when all have theirs, or say how many have not. Memory is bounded in bytes; beyond the bound a
// call returns [ErrQueueFull]. A nil client and one without a key take every call and do nothing.
//
// # Reading
//
// [Traces], [Observations] and [Scores] are iterators over what the server folded
// from the events, [Sessions], [Users] and [Environments] over what traces add up to;
// [Client.Stats] aggregates and [Client.Stream] follows live.
//
// Package brokletest is a server for tests.
package brokle

// Version is the release of this module: of the SDK and of the binary.
const Version = "0.1.0"
