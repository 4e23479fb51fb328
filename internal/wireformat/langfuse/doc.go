// Package langfuse is the format of Langfuse's ingestion API: the batches that its Python clients before
// version 3 and its JavaScript clients before version 4 send everything in, and the scores of all.
//
// Each of their events becomes one of ours, whose payload is its body as it was sent behind a mark
// (extract.AppendLangfuse). The id of an event is theirs, of a score sent alone it is derived from the
// project and the bytes: what a client sends again is a duplicate, and a success to it.
//
// Source: Langfuse's API specification, "Ingestion" and "Scores", and what the clients were seen to send.
package langfuse
