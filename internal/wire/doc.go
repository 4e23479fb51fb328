// Package wire holds the types that cross the network: events and batches, the
// answers to them, and what reading gives back, all in JSON. Package brokle has the same
// types under the same names, as aliases; they are here so that the server and the client know
// one another's words, and nothing else of one another.
package wire
