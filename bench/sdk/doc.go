// Package sdk compares the Go SDK with peers that do the same work: take an
// event from an application, batch it and send it. It is a module of its own so
// that no peer enters the product's go.mod. All run against the same server in the same
// run; read the results as ratios, with benchstat.
package sdk
