// Package brokletest is a Brokle server in memory, for the tests of programs
// that use package brokle. It answers batches as the real server does: keys,
// limits, encodings, validation of the required fields, deduplication, partial failure, jobs
// and receipts. A fault script makes it fail in the ways that networks and servers do. It
// does not fold events, so it has no traces to read: look at Events instead.
//
//	srv := brokletest.NewServer(t)
//	client, err := brokle.New(srv.Config())
//	// … use client …
//	client.Close(ctx)
//	srv.RequireStored(t, 3)
//
// With synctest or without sockets, use New and Config: the requests
// then stay in the process.
package brokletest
