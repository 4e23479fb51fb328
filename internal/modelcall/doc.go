// Package modelcall records calls of language models from their HTTP requests and answers, for every integration that sees these:
// a RoundTripper, or the middleware of a provider's SDK.
//
// It promises that the program gets what it would have got without it: the same bytes in the same reads, the same errors, the same
// cancellation. What is sent and received is copied while it passes, within bounds; nothing is read ahead and nothing is held back. What makes
// no sense is recorded as far as it does.
//
// A provider's way to write a call is a shape: a file here, and a row in the table of shapes.
package modelcall
