package duckstore

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// generator makes believable events: traces of a generation each with its
// completion and a score, the way an application sends them.
type generator struct {
	storetest.Ledger // all that it made
	r                *rand.Rand
	seq              entity.Seq
	at               time.Time
	// pause is the longest between two traces; half of it on the average.
	pause time.Duration
	open  []entity.Record
}

func newGenerator(seed uint64) *generator {
	return &generator{r: rand.New(rand.NewPCG(seed, 1)), at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), pause: 200 * time.Millisecond}
}

var words = []string{"the", "answer", "to", "your", "question", "about", "orders", "is", "that", "we", "ship", "within", "two", "days", "unless", "customs", "refund", "policy"}

func (g *generator) sentence(n int) string {
	var b []byte
	for len(b) < n {
		b = append(append(b, words[g.r.IntN(len(words))]...), ' ')
	}
	return string(b[:n])
}

// next returns n records in the order of their Seqs.
func (g *generator) next(n int) []entity.Record {
	for len(g.open) < n {
		g.trace()
	}
	recs := g.open[:n:n]
	g.open = g.open[n:]
	return recs
}

func (g *generator) trace() {
	g.at = g.at.Add(time.Duration(g.r.Int64N(int64(g.pause/time.Millisecond))) * time.Millisecond)
	trace, user := wire.NewIDAt(g.at), fmt.Sprintf("user_%d", g.r.IntN(5000))
	g.add(trace, wire.TraceCreate, 0, trace, entity.TraceKind, entity.RankCreate,
		txt(entity.Name, "support-chat"), txt(entity.UserID, user), txt(entity.SessionID, "session_"+trace[10:18]))
	for range 3 {
		id := wire.NewIDAt(g.at)
		took := time.Duration(g.r.IntN(3000)) * time.Millisecond
		prompt, completion := int64(g.r.IntN(2000)), int64(g.r.IntN(500))
		in, _ := json.Marshal([]map[string]string{{"role": "user", "content": g.sentence(300)}})
		g.add(id, wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate,
			txt(entity.TraceID, trace), txt(entity.Name, "answer"), txt(entity.ObservationType, "generation"),
			txt(entity.Model, []string{"gpt-4o", "claude-sonnet", "gpt-4o-mini"}[g.r.IntN(3)]), txt(entity.Provider, "openai"),
			entity.FieldValue{Field: entity.StartTime, Int: g.at.UnixMicro()}, txt(entity.Input, string(in)))
		g.add(wire.NewIDAt(g.at), wire.ObservationComplete, took, id, entity.ObservationKind, entity.RankComplete,
			entity.FieldValue{Field: entity.EndTime, Int: g.at.Add(took).UnixMicro()},
			num(entity.PromptTokens, prompt), num(entity.CompletionTokens, completion), num(entity.TotalTokens, prompt+completion),
			entity.FieldValue{Field: entity.TotalCost, Num: float64(prompt)*25e-7 + float64(completion)*1e-5},
			txt(entity.Output, `"`+g.sentence(400)+`"`))
	}
	g.add(wire.NewIDAt(g.at), wire.QualityScoreCreate, time.Second, wire.NewIDAt(g.at), entity.ScoreKind, entity.RankCreate,
		txt(entity.TraceID, trace), txt(entity.Name, "helpful"), entity.FieldValue{Field: entity.Value, Num: float64(g.r.IntN(2))},
		txt(entity.DataType, "NUMERIC"), txt(entity.Source, "EVAL"))
}

func (g *generator) add(id string, typ wire.EventType, after time.Duration, subject string, kind entity.Kind, rank entity.Rank, values ...entity.FieldValue) {
	g.seq++
	at := g.at.Add(after)
	rec := entity.Record{
		Seq: g.seq, Project: "default", Environment: "production", ReceivedAt: at,
		Event:  wire.Event{ID: id, Type: typ, Timestamp: wire.At(at)},
		Fields: &entity.Fields{Kind: kind, Rank: rank, EntityID: subject, Values: values},
	}
	rec.Row = rec.Fields.AppendRow(nil)
	g.Ledger.Add(rec)
	g.open = append(g.open, rec)
}

func txt(f entity.Field, s string) entity.FieldValue { return entity.FieldValue{Field: f, Text: s} }
func num(f entity.Field, n int64) entity.FieldValue  { return entity.FieldValue{Field: f, Int: n} }
