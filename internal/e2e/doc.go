// Package e2e holds tests only: the built binary as a user runs it, over a real
// socket, killed and started again, checked against a ledger of what its
// clients were told.
package e2e
