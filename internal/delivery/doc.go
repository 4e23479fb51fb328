// Package delivery takes events from an application, makes batches of them in the background and
// sends these until every event has exactly one outcome: delivered, duplicate, rejected or dropped.
//
//	 the caller      one worker   up to 4 senders
//	Submit ─▶ queue ───▶ cut ───▶ deliver ─▶ Post ─▶ judge ─▶ settle ─▶ OnOutcome,
//	   │                           │  ▲                │                Metrics,
//	   ▼                           │  └──── again ◀────┘                Flush, Close
//	refused                        ▼
//	                              park ─▶ spool ─▶ replay ─▶ deliver
//
// A call encodes its event into a chunk of the queue and returns; bounds in events and bytes are kept
// there. Long texts, which nobody can change, it leaves to the worker (later.go), which writes them when a batch's worth waits, though no
// sender may be free; until then what JSON may make of them counts towards the bound.
// The worker wakes when a batch is full, the oldest event has waited long enough, or Flush asks; it cuts a batch of the
// oldest events whose trace is not in flight (ordering.go), masked, and hands it to a sender. An answer settles events one by one; what it leaves is
// sent again with the same ids. While the server is away batches wait in memory, or in the spool (spooled.go), behind which
// newer ones of the process then go; one goroutine sends them in their order (replay.go).
//
// One mutex guards every counter, so that one look at the Metrics is one instant: accepted is
// always the sum of the outcomes and what is pending. Flush and Close wait by epochs: a flush seals the epoch of all events
// accepted so far, and an epoch ends with its last outcome. Goroutines start with the first event and have
// returned when Close returns.
package delivery
