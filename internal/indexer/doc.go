// Package indexer follows the Log and fills the Warehouse.
//
// It promises that every record of the Log gets into the Warehouse or, when the
// Warehouse can never take it, into the quarantine; that neither the Warehouse
// being stopped nor a crash loses or doubles one; and that a record which
// cannot go in holds up none behind it. When there is little to do an event is
// queryable within a moment: the Warehouse writes it when somebody asks, and else many events at once.
package indexer
