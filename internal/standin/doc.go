// Package standin is a stand-in for providers of models, for tests and examples: it speaks the real wire of OpenAI, Anthropic,
// Gemini and Ollama, answers from a script, and needs no key. What a request's model is called decides what happens to it: see Server.
package standin
