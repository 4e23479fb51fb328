package entity

import "github.com/brokle-ai/brokle-go/internal/wire"

// Shape is what a canonical event type means; ok is false for a type that is none.
func Shape(t wire.EventType) (kind Kind, rank Rank, ok bool) {
	switch t {
	case wire.TraceCreate:
		return TraceKind, RankCreate, true
	case wire.TraceUpdate:
		return TraceKind, RankUpdate, true
	case wire.ObservationCreate:
		return ObservationKind, RankCreate, true
	case wire.ObservationUpdate:
		return ObservationKind, RankUpdate, true
	case wire.ObservationComplete:
		return ObservationKind, RankComplete, true
	case wire.QualityScoreCreate:
		return ScoreKind, RankCreate, true
	case wire.QualityScoreUpdate:
		return ScoreKind, RankUpdate, true
	case wire.EventCreate:
		return GenericKind, RankCreate, true
	}
	return 0, 0, false
}

// The data types of a score.
const (
	Numeric     = "NUMERIC"
	Categorical = "CATEGORICAL"
	Boolean     = "BOOLEAN"
)
