package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What a dataset may have.
const (
	// MaxItem bounds one item, in bytes of JSON.
	MaxItem = 1 << 20
	// MaxItems bounds the items of a dataset in all of its versions.
	MaxItems = 500_000
	// MaxDatasets bounds the datasets of a project, MaxExperiments its experiments.
	MaxDatasets    = 1000
	MaxExperiments = 10_000

	maxName        = 200  // characters
	maxDescription = 2000 // characters
	maxMetadata    = 64 << 10
	maxSourceID    = 255
)

// Where an item came from.
const (
	SourceManual = "manual"
	SourceTrace  = "trace"
	SourceSpan   = "span"
	SourceCSV    = "csv"
	SourceJSON   = "json"
	SourceSDK    = "sdk"
)

// Item is one case of a dataset.
type Item struct {
	ID            string          `json:"id"`                        // 1 to 128 printable ASCII characters without space; made when there is none
	DatasetID     string          `json:"dataset_id"`                // the dataset's
	Input         json.RawMessage `json:"input"`                     // any JSON but null
	Expected      json.RawMessage `json:"expected,omitempty"`        // any JSON
	Metadata      json.RawMessage `json:"metadata,omitempty"`        // a JSON object
	Source        string          `json:"source"`                    // manual, trace, span, csv, json or sdk
	SourceTraceID string          `json:"source_trace_id,omitempty"` // the trace that it was made of
	SourceSpanID  string          `json:"source_span_id,omitempty"`  // the observation that it was made of
	CreatedAt     time.Time       `json:"created_at"`                // when its id was first put
	UpdatedAt     time.Time       `json:"updated_at"`                // when it was put as it is
}

// ErrInvalid says that something is not what it should be; the error has a line for each thing that is wrong.
var ErrInvalid = errors.New("it is not valid")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// given is an item as it is sent. What an export has beside these is taken, too, so that it can be imported again.
type given struct {
	ID            *string         `json:"id"`
	Input         json.RawMessage `json:"input"`
	Expected      json.RawMessage `json:"expected"`
	Metadata      json.RawMessage `json:"metadata"`
	Source        *string         `json:"source"`
	SourceTraceID *string         `json:"source_trace_id"`
	SourceSpanID  *string         `json:"source_span_id"`
	DatasetID     json.RawMessage `json:"dataset_id"`
	CreatedAt     json.RawMessage `json:"created_at"`
	UpdatedAt     json.RawMessage `json:"updated_at"`
}

// ParseItem reads an item as it is sent: an object with the members of Item, of which input must be there. A member that no item has is refused, so that a name that was mistyped
// loses nothing. The error is one sentence for people.
func ParseItem(raw []byte) (Item, error) {
	if len(raw) > MaxItem {
		return Item{}, fmt.Errorf("it has %d bytes; an item has at most %d", len(raw), MaxItem)
	}
	if !utf8.Valid(raw) {
		return Item{}, errors.New("it is not UTF-8")
	}
	var g given
	if err := strictly(raw, &g); err != nil {
		return Item{}, err
	}
	it := Item{Input: g.Input, Expected: g.Expected, Metadata: g.Metadata, ID: text(g.ID), Source: text(g.Source), SourceTraceID: text(g.SourceTraceID), SourceSpanID: text(g.SourceSpanID)}
	return it, it.clean()
}

// strictly decodes one JSON value without unknown members.
func strictly(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return plainly(err)
	}
	if d.More() {
		return errors.New("something follows the object")
	}
	return nil
}

// plainly says what is wrong with JSON without the names of Go types.
func plainly(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch said := strings.TrimPrefix(err.Error(), "json: "); {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s is a %s, which it cannot be", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("it is no object but of the kind %s", kind.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON: %s", said)
	case strings.HasPrefix(said, "unknown field "):
		return fmt.Errorf("there is no member %s: an item has id, input, expected, metadata, source, source_trace_id and source_span_id", strings.TrimPrefix(said, "unknown field "))
	default:
		return fmt.Errorf("it is not JSON: %s", said)
	}
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// clean brings an item into the form in which it is kept, or says what is wrong with it.
func (it *Item) clean() error {
	if it.ID != "" && !wire.ValidID(it.ID) {
		return fmt.Errorf("id: it has 1 to %d printable ASCII characters without space", wire.MaxIDLength)
	}
	for _, part := range []struct {
		name string
		raw  *json.RawMessage
	}{{"input", &it.Input}, {"expected", &it.Expected}, {"metadata", &it.Metadata}} {
		if len(*part.raw) == 0 || string(*part.raw) == "null" {
			*part.raw = nil
			continue
		}
		var b bytes.Buffer
		if err := json.Compact(&b, *part.raw); err != nil {
			return fmt.Errorf("%s: it is not JSON", part.name)
		}
		*part.raw = b.Bytes()
	}
	switch {
	case it.Input == nil:
		return errors.New("input: it must be there, and not null")
	case it.Metadata != nil && it.Metadata[0] != '{':
		return errors.New("metadata: it is a JSON object")
	case it.Source != "" && !slices.Contains([]string{SourceManual, SourceTrace, SourceSpan, SourceCSV, SourceJSON, SourceSDK}, it.Source):
		return errors.New("source: it is one of manual, trace, span, csv, json and sdk")
	}
	for name, id := range map[string]string{"source_trace_id": it.SourceTraceID, "source_span_id": it.SourceSpanID} {
		if utf8.RuneCountInString(id) > maxSourceID {
			return fmt.Errorf("%s: it has at most %d characters", name, maxSourceID)
		}
	}
	if n := len(it.Input) + len(it.Expected) + len(it.Metadata); n > MaxItem {
		return fmt.Errorf("it has %d bytes; an item has at most %d", n, MaxItem)
	}
	return nil
}

// hash is what tells contents apart.
type hash [16]byte

// content is the hash of what an item asks and expects; whole is that of all that somebody gave.
func (it *Item) hashes() (content, whole hash) {
	h := sha256.New()
	for _, raw := range []json.RawMessage{it.Input, it.Expected} {
		h.Write(canonical(raw))
		h.Write([]byte{0})
	}
	copy(content[:], h.Sum(nil))
	h.Write(canonical(it.Metadata))
	for _, s := range []string{it.SourceTraceID, it.SourceSpanID} {
		h.Write([]byte{0})
		h.Write([]byte(s))
	}
	copy(whole[:], h.Sum(nil))
	return content, whole
}

// canonical is a value with its members in order: the same text for what means the same. Numbers stay as they are written.
func canonical(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}
