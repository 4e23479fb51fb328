// Package broklegenkit records what Genkit for Go (github.com/firebase/genkit/go) runs: flows and their steps, agents, prompts, calls of models, tools, retrievers and
// embedders, as one tree.
//
//	g := genkit.Init(ctx, genkit.WithPlugins(&googlegenai.GoogleAI{}, broklegenkit.New()))
//
// Genkit writes a span of OpenTelemetry for each of them; the plugin reads these as they end, and makes observations of them. The outermost hangs below the observation of
// the context that the program gives, else in a trace of its own. A call of a model has its model and parameters, messages, tools, usage with cache and
// reasoning, and finish reason; what failed has its error. A tool that interrupts to ask somebody is no error: the attribute genkit.interrupted says so. Of a span, Genkit says
// neither which model answered, nor the response's id, nor when the first piece of a stream came.
//
// What the program starts itself within a flow or a tool hangs below it with [Plugin.Join]. A call whose HTTP client is recorded as well, by broklehttp or a provider's
// integration, is one observation: the one made here.
//
// Genkit's tracers are the process's, and so is what reads them: one plugin is enough for all instances of Genkit. Who gives OpenTelemetry a provider of their own
// (otel.SetTracerProvider) does so before genkit.Init; what its sampler leaves out is not recorded. Beside brokleotel, which sends the same spans as they are, the calls would count
// twice: use one of them.
package broklegenkit
