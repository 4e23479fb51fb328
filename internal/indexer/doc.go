// Package indexer follows the Log and fills the Warehouse.
//
// It promises that every record of the Log gets into the Warehouse or, when the
// Warehouse can never take it, into the quarantine; that neither the Warehouse
// being stopped nor a crash loses or doubles one; and that a record which
// cannot go in holds up none behind it. Events are gathered and go in many at once, but for
// a question, which ends the gathering (Refresh): what was stored before it is in its answer.
package indexer
