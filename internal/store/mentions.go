package store

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Mentions finds stored events by whom they name.
type Mentions interface {
	// Mentioning calls found, in the order of Seq, for the events of project up to a Seq that
	// name any of these (extract.MentionsOf says what an event names), and perhaps for others of the
	// project. It reads little of what names none of them. A record is found's during the call only.
	Mentioning(ctx context.Context, project string, of []entity.Mention, upto entity.Seq, found func(*entity.Record)) error
}
