package ingest

import (
	"bytes"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// InvalidID is the failure of an event whose id is none.
func InvalidID() *wire.BatchEventError {
	return &wire.BatchEventError{Code: extract.CodeInvalidEventID,
		Message: "Invalid event_id", Details: "event_id must be a string of 1 to 128 printable ASCII characters without space"}
}

// check applies the rules that hold for every event and reads its fields. known is what the
// decoder has found; nil: nothing. read says that it has read the fields, too.
func check(ev *wire.Event, known *Fault, read bool, into *entity.Fields) *wire.BatchEventError {
	if known != nil && !known.OfPayload {
		return &known.Err
	}
	if failure := named(ev); failure != nil {
		return failure
	}
	if known != nil {
		return &known.Err
	}
	if read {
		return nil
	}
	return extract.Into(into, ev)
}

// named checks the id and the type of an event, and makes its type canonical.
func named(ev *wire.Event) *wire.BatchEventError {
	if !wire.ValidID(ev.ID) {
		return InvalidID()
	}
	canonical, ok := ev.Type.Canonical()
	if !ok {
		return extract.UnknownType(ev)
	}
	ev.Type = canonical
	return nil
}

// echoID is the id as an error repeats it: as sent, but no longer than twice
// what is allowed, so that a wrong id does not fill receipts and answers.
func echoID(id string) string {
	if len(id) > 2*wire.MaxIDLength {
		id = id[:2*wire.MaxIDLength]
	}
	return string(bytes.ToValidUTF8([]byte(id), []byte("\uFFFD")))
}
