package store

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// Searcher finds stored events by the words of their text.
type Searcher interface {
	// Search begins to search the events of project that are stored now. It is
	// exact: an event is found when its payload, as the Log has it, matches q.
	Search(project string, q *textsearch.Query) (TextSearch, error)
}

// TextSearch is one search at work, for one goroutine. What it has read it
// remembers, so that all of its work together is one pass over the Log at most.
type TextSearch interface {
	// Rare returns all events that match, ascending, where few do. ok is false, and nothing
	// is returned, when it would have to read much more than limit events to know, or
	// more than limit match: then ask Match about the events in question.
	Rare(ctx context.Context, limit int) (seqs []entity.Seq, ok bool, err error)
	// All returns all events that match, ascending, however many must be read for it. ok is
	// false, and nothing is returned, when more than most match.
	All(ctx context.Context, most int) (seqs []entity.Seq, ok bool, err error)
	// Match says of each event whether it matches. One that is not in the Log any
	// more, or came after the search began, does not.
	Match(ctx context.Context, seqs []entity.Seq) ([]bool, error)
	// Close gives back the files that the search reads.
	Close()
}
