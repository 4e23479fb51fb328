// Package storetest holds the suites that every backend of the contracts in
// store passes: what a Log, a Warehouse and a Claimer promise, tried on the
// real thing, in order and at random, with crashes. It knows contracts only.
package storetest
