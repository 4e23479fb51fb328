package entity

// Kind is what an entity is.
type Kind uint8

// The kinds of entity. Generic is an event_create that describes no entity.
const (
	TraceKind Kind = iota + 1
	ObservationKind
	ScoreKind
	GenericKind
)

// Rank orders events of one entity that have the same timestamp.
type Rank uint8

// create < update < complete. A hint stands before them all, whatever its timestamp: it fills
// what no other event of the entity says, as a log record does beside its span.
const (
	RankCreate Rank = iota
	RankUpdate
	RankComplete
	RankHint
)

// Fields is what one event says about one entity: the typed fields that are
// present and not null in its payload, in no particular order, each at most once.
type Fields struct {
	Kind     Kind
	Rank     Rank
	EntityID string
	// Content is a hash of the event's type and payload: two events with one id and
	// one Content are one fact, however often they were accepted.
	Content uint64
	Values  []FieldValue
	// Notes say what of the payload was left out or read otherwise than it was written, in
	// sentences for people; nil for nearly every event. They repeat no value.
	Notes []string
}

// Brought adds the key that brought the event, when it is known.
func (fs *Fields) Brought(keyID string) {
	if keyID != "" {
		fs.Values = append(fs.Values, FieldValue{Field: KeyID, Text: keyID})
	}
}

// FieldValue is one present field. Which member holds the value follows from
// Field.Type.
type FieldValue struct {
	Field Field
	Int   int64
	Num   float64
	Text  string
	List  []string
}

// Get returns the value of f, or false when the event does not carry it.
func (fs *Fields) Get(f Field) (FieldValue, bool) {
	for i := range fs.Values {
		if fs.Values[i].Field == f {
			return fs.Values[i], true
		}
	}
	return FieldValue{}, false
}
