// Package broklelangchain records what programs do with LangChain's port to Go (github.com/tmc/langchaingo): chains, agents, tools,
// retrievers and calls of models, by the library's callbacks.
//
//	h := broklelangchain.Handler()
//	llm, err := openai.New(openai.WithCallback(h), openai.WithHTTPClient(&http.Client{Transport: broklehttp.Transport(nil)}))
//	answer, err := chains.Run(ctx, chains.NewLLMChain(llm, prompt, chains.WithCallback(h)), "the sky")
//
// Give one handler to all of them, and the model an HTTP client that records, too: then a call of a model is one observation, begun by the
// callback, below its chain, and ended by the answer. The callbacks alone do not know which model was asked; that of OpenAI makes none when a
// call fails, that of Anthropic none when it succeeds. What ended unsaid has level WARN, and ends with what comes next on its goroutine, with its chain
// or with its context.
//
// # What lies below what
//
// The library's callbacks return no context. What a step is to the next is found by the goroutine: the library makes the callbacks
// for the beginning and for the end of a step from one function. So a chain that starts goroutines, as chains.Apply and the map of
// chains.MapReduceDocuments do, has what these do beside it, below the observation of the context; what a program starts within a tool or
// a chain of its own with package brokle has the observation of the context above it, too, not that of the step. Calls of models by an HTTP client that records, such as
// those for embeddings, do lie below the step. A name of a chain, or of a tool that no agent chose, is in no callback: they are
// called chain and tool. What an agent asks of a model after a tool that made no callback for its end (the library's calculator, when it
// fails) lies below that tool until the agent's next action.
//
// Where the context names no client the default is used (brokle.SetDefault), and without one nothing is recorded.
package broklelangchain
