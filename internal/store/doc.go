// Package store holds the contracts between the event path and its backends:
// the Log that makes events durable, the Claimer that deduplicates across
// nodes, the Warehouse that answers questions; and the rules that hold whatever
// the backend: which typed fields an event carries, and how events fold into
// the entities that people see. It knows no backend.
package store
