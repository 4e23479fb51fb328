package duckstore

import "github.com/cespare/xxhash/v2"

// The column fact of events tells events of one project from each other: its upper bits are of a hash of the
// event's id and its lower ones of Fields.Content. So an id is a range of it, and a fact one value. It is
// kept on disk and must not change. It only finds candidates: what it finds is believed when the record
// in the Log says the same.
const contentBits = 24

// factKey is the fact of an event.
func factKey(eventID string, content uint64) uint64 {
	least, _ := factRange(eventID)
	return least | content&(1<<contentBits-1)
}

// traceHash is the column trace_hash of the rows of a trace. It is kept on disk and must not change. It only finds
// candidates: whoever uses it compares the id too.
func traceHash(id string) int64 { return int64(xxhash.Sum64String(id) >> 32) }

// factRange is the least and the greatest fact of events with that id.
func factRange(eventID string) (least, most uint64) {
	least = xxhash.Sum64String(eventID) &^ (1<<contentBits - 1)
	return least, least | (1<<contentBits - 1)
}
