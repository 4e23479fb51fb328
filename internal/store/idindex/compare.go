package idindex

import (
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Difference is one entry in which an index is not what the Log says.
type Difference struct {
	Entry string     // what it is about: "mark", "failed event", "batch", "job" or "pending job"
	Seq   entity.Seq // of the event or the block
	What  string     // "is missing", "is not in the log", "expires …"
}

func (k Kind) String() string { return [kinds]string{"mark", "failed event", "batch", "job"}[k] }

// Compare goes through all entries of x that have not expired at now, and through those of want, which was opened with
// Options.Like x and filled from the Log up to x's cursor. first is the first Seq of the Log: what lies before
// it was trimmed, and x may remember it until it expires. found gets each difference until it returns false.
func (x *Index) Compare(want *Index, first entity.Seq, now time.Time, found func(Difference) bool) error {
	err := want.Flush()
	if err == nil {
		want.files.Lock() // no run goes meanwhile
		defer want.files.Unlock()
		err = x.compare(want, first, now.UnixMicro(), found)
	}
	if err != nil {
		return fmt.Errorf("compare id index: %w", err)
	}
	return nil
}

func (x *Index) compare(want *Index, first entity.Seq, now int64, found func(Difference) bool) error {
	expired := func(expires int64) bool { return !live(expires, now) }
	has, err := newMerger(x.runs, expired)
	if err != nil {
		return err
	}
	wants, err := newMerger(want.runs, expired)
	if err != nil {
		return err
	}
	var last entry
	for more := true; more && (has.ok || wants.ok); {
		onlyHas := has.ok && (!wants.ok || has.e.before(&wants.e))
		onlyWants := wants.ok && (!has.ok || wants.e.before(&has.e))
		e := has.e
		if onlyWants {
			e = wants.e
		}
		if what := differ(has, wants, onlyHas, onlyWants, first); what != "" && !supersedes(&last, &e) {
			more = found(Difference{e.kind().String(), entity.Seq(e.seq), what})
		}
		last = e
		if !onlyWants {
			err = has.advance()
		}
		if err == nil && !onlyHas {
			err = wants.advance()
		}
		if err != nil {
			return err
		}
	}
	x.comparePending(want, first, found)
	return nil
}

// differ says how the entry at hand is not what it should be; "" when it is.
func differ(has, wants *merger, onlyHas, onlyWants bool, first entity.Seq) string {
	switch kind := has.e.kind(); {
	case onlyWants:
		return "is missing"
	case onlyHas && (has.e.seq < uint64(first) || kind == KindBatch || kind == KindJob):
		// Recompression drops the requests of jobs that have ended, and with them what only these said.
		return ""
	case onlyHas:
		return "is not in the log"
	case has.e.expires != wants.e.expires:
		return fmt.Sprintf("expires at %s instead of %s", stamp(has.e.expires), stamp(wants.e.expires))
	}
	return ""
}

func (x *Index) comparePending(want *Index, first entity.Seq, found func(Difference) bool) {
	has, wants := x.PendingJobs(), want.PendingJobs()
	for _, at := range slices.Concat(has, wants) {
		what := ""
		switch {
		case !slices.Contains(has, at):
			what = "is missing"
		case at >= first && !slices.Contains(wants, at):
			what = "is not in the log"
		}
		if what != "" && !found(Difference{"pending job", at, what}) {
			return
		}
	}
}

func stamp(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339) }
