// Package torture holds tests only: the built binary under load from the SDK and
// from raw HTTP, in rounds of random faults, and after each round a comparison of
// what it shows with a ledger of what its clients were told. See docs/reliability.md.
package torture
