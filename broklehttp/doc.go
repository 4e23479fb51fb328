// Package broklehttp records what goes over net/http: [Transport] the calls of language models that a client sends, by whichever
// library, and [Middleware] the requests that a server takes.
//
//	http.DefaultClient.Transport = broklehttp.Transport(nil)
//
// Transport knows calls by their paths: OpenAI's API as many servers speak it (chat, completions, Responses, embeddings, images), Anthropic's
// messages, Google's generateContent and embedContent. Other requests carry the trace on (W3C Trace Context), so that a server behind [Middleware] hangs
// its steps below.
//
// What the program gets stays what it is: bytes, their pace, errors, cancellation. What passes is copied within bounds. Where the
// context names no client the default is used (brokle.SetDefault), and without one nothing is recorded.
package broklehttp
