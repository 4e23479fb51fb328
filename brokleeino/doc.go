// Package brokleeino records what eino (github.com/cloudwego/eino) runs: graphs, chains, workflows and agents, and in them the calls of models, tools,
// prompts, retrievers, embedders and lambdas, as one tree.
//
//	callbacks.AppendGlobalHandlers(brokleeino.New())
//
// or of one run, with compose.WithCallbacks(h) or adk.WithCallbacks(h). Each step hangs below the one that runs it, the outermost below the observation of
// the context that the program gives, else in a trace of its own. A call of a model has its model and parameters, messages, tools, usage with cache and reasoning,
// finish reason, response id and time to first token; what failed has its error. What is interrupted to be resumed is no error: the attribute eino.interrupted
// says so.
//
// What the program gets stays what it is. Of streams eino hands each handler a copy, which is read as it comes and within bounds (256 KiB of a text); [Handler.Wait]
// waits for those that are still read when a program ends. eino ends a stream at its source when every copy is closed: one that the program leaves is therefore
// read to its end, or to that of its context, by any handler, and is recorded so.
//
// A call whose HTTP client is recorded as well, by broklehttp or a provider's integration, is one observation: the one made here. Of a model that wraps another one, each with
// callbacks, the innermost is the call.
//
// Agents of eino's ADK that hand over to one another run one beside the other: a trace around the run keeps them together (client.StartTrace).
package brokleeino
