// Package broklegenai records the calls of Google's own Go client (google.golang.org/genai): the Gemini API and Vertex AI.
//
//	client, err := genai.NewClient(ctx, &genai.ClientConfig{HTTPClient: broklegenai.HTTPClient(nil)})
//
// For Vertex AI genai.NewClient takes an HTTP client as it is. Let genai put the default credentials before it: then the token is
// genai's business, and on no request that is recorded.
//
//	cfg := &genai.ClientConfig{Backend: genai.BackendVertexAI, Project: "p", Location: "europe-west4", HTTPClient: broklegenai.HTTPClient(nil)}
//	err := cfg.UseDefaultCredentials()
//	client, err := genai.NewClient(ctx, cfg)
//
// Each request to generate, streamed or not, for embeddings and for images becomes one observation below the one of its context: models,
// contents, thoughts, tools, usage with the cache's, finish reason or why a prompt was blocked, time to first token of a stream, the
// provider's error. Each try of a request that the client repeats is one of its own. Counting tokens, files, caches, batches and the Live API
// generate nothing by such a request, and are not recorded. What the program gets stays what it is: bytes, their pace, errors,
// cancellation. What passes is copied within bounds.
//
// Where the context names no client the default is used (brokle.SetDefault), and without one nothing is recorded.
package broklegenai
