// Package store holds the contracts between the event path and its backends: the Log that makes
// events durable, with its receipts, jobs and text search, the Claimer that deduplicates across
// nodes, and the Warehouse that answers questions. It knows no backend.
package store
