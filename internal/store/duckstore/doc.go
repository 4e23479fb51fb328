// Package duckstore is the embedded store.Warehouse: one DuckDB file.
//
// It keeps one row per event with the typed fields that people filter, sort
// and sum by, and short previews of input and output; payloads stay in the Log.
// Beside them it keeps one row per trace, observation and score: what store.Fold
// made of its events. Whoever writes events folds what they touch anew, and events,
// these rows and the cursor move in one transaction, so that rows never differ from
// their events and a crash at any instant leaves a state from which the indexer can
// go on; a file that cannot be read is put aside and the view is built again from
// the Log.
//
// One connection writes; questions run beside it on their own connections,
// each in a transaction of its own, so that all parts of an answer see the
// same events.
package duckstore
