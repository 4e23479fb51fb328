package entity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// benchEntities are as many entities as a benchmark folds in turn, so that their memory is not always the same.
const benchEntities = 512

// The events of the benchmarks are those that clients send most.
const (
	created = `{"id":"%[1]s","trace_id":"%[2]s","type":"generation","name":"chat","model":"gpt-4o-mini","provider":"openai","start_time":1772323190,"input":[{"role":"user","content":"where is my order"}]}`
	updated = `{"id":"%[1]s","trace_id":"%[2]s","status_message":"half","tags":["a","b"],"metadata":{"attempt":1}}`
	ended   = `{"id":"%[1]s","trace_id":"%[2]s","end_time":1772323191.5,"output":{"role":"assistant","content":"on its way"},"prompt_tokens":120,"completion_tokens":80,"total_cost":0.0021,"latency_ms":1500}`
	single  = `{"id":"%[1]s","trace_id":"%[2]s","type":"generation","name":"chat","model":"gpt-4o-mini","provider":"openai","input":[{"role":"user","content":"where is my order"}],"output":{"role":"assistant","content":"on its way"},"prompt_tokens":120,"completion_tokens":80,"total_cost":0.0021,"latency_ms":1500,"metadata":{"region":"eu-west-1"},"model_parameters":{"temperature":0.2}}`
	scored  = `{"id":"%[1]s","trace_id":"%[2]s","name":"helpful","value":1,"data_type":"NUMERIC","source":"EVAL"}`
)

type benchEvent struct {
	typ     wire.EventType
	payload string
}

// benchRecords are the events of many entities, each with all of these.
func benchRecords(events ...benchEvent) [][]entity.Record {
	all := make([][]entity.Record, benchEntities)
	seq := 0
	for i := range all {
		id, trace := wire.NewIDAt(at), wire.NewIDAt(at)
		for n, e := range events {
			seq++
			r := rec(seq, wire.NewIDAt(at), e.typ, float64(n), fmt.Sprintf(e.payload, id, trace))
			r.Environment = "production"
			all[i] = append(all[i], r)
		}
		filled(all[i])
	}
	return all
}

// benchFolds are what is folded: an entity's events, by what they are.
var benchFolds = map[string][]benchEvent{
	"one":     {{wire.ObservationCreate, single}},
	"two":     {{wire.ObservationCreate, created}, {wire.ObservationComplete, ended}},
	"updates": {{wire.ObservationCreate, created}, {wire.ObservationUpdate, updated}, {wire.ObservationUpdate, updated}, {wire.ObservationUpdate, updated}, {wire.ObservationComplete, ended}},
	"score":   {{wire.QualityScoreCreate, scored}},
}

// BenchmarkFold folds the events of one entity, as who reads one from the Log.
func BenchmarkFold(b *testing.B) {
	for name, events := range benchFolds {
		b.Run(name, func(b *testing.B) {
			all := benchRecords(events...)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				recs := all[i%benchEntities]
				i++
				f := &entity.Fold{}
				for j := range recs {
					f.Add(&recs[j], recs[j].Fields)
				}
				if id := recs[0].Fields.EntityID; recs[0].Fields.Kind == entity.ScoreKind {
					f.Score(id)
				} else if len(f.Observations(id)) != 1 {
					b.Fatal("not one row")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
		})
	}
}

// BenchmarkFolder folds the rows of one entity after the other, as a warehouse does.
func BenchmarkFolder(b *testing.B) {
	for name, events := range benchFolds {
		b.Run(name, func(b *testing.B) {
			all := make([][]entity.Fact, benchEntities)
			for i, recs := range benchRecords(events...) {
				for j := range recs {
					all[i] = append(all[i], factOf(&recs[j]))
				}
			}
			b.ReportAllocs()
			f := &entity.Folder{}
			i := 0
			for b.Loop() {
				facts := all[i%benchEntities]
				i++
				f.Reset()
				for j := range facts {
					if err := f.AddFact(facts[j]); err != nil {
						b.Fatal(err)
					}
				}
				if facts[0].Row.Kind() == entity.ScoreKind {
					f.Score("s")
				} else if len(f.Observations("o")) != 1 {
					b.Fatal("not one row")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
		})
	}
}

// factOf is the record as a warehouse has it.
func factOf(r *entity.Record) entity.Fact {
	return entity.Fact{Seq: r.Seq, At: r.Event.Timestamp.UnixMicro(), EventID: r.Event.ID, Environment: r.Environment, Row: r.Fields.AppendRow(nil)}
}

// benchRows are the observations of a trace: one that holds all, and below it agents with calls.
func benchRows(n int) []*entity.ObservationRow {
	rows := make([]*entity.ObservationRow, n)
	for i := range rows {
		row := &entity.ObservationRow{Door: "brokle", CountsTokens: true, CountsCost: true}
		row.ID, row.TraceID, row.Name, row.Type, row.Level, row.Status, row.Environment = wire.NewIDAt(at), "t", "chat", "generation", "DEFAULT", "ok", "production"
		row.StartTime = at.Add(time.Duration(i*7919%n) * time.Millisecond)
		end, tokens, cost := row.StartTime.Add(time.Second), int64(200), 0.0021
		row.EndTime, row.TotalTokens, row.TotalCost, row.Model, row.Tags = &end, &tokens, &cost, "gpt-4o-mini", []string{}
		if i%5 == 0 {
			row.Type, row.TotalTokens, row.TotalCost, row.Model = "agent", nil, nil, ""
		}
		if i > 0 {
			row.ParentObservationID = rows[(i-1)/5*5].ID
			if i%5 == 0 {
				row.ParentObservationID = rows[0].ID
			}
		}
		rows[i] = row
	}
	return rows
}

// BenchmarkRollUp rolls a trace up when all its observations are new.
func BenchmarkRollUp(b *testing.B) {
	for _, n := range []int{1, 10, 200, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rows := benchRows(n)
			b.ReportAllocs()
			r := &entity.Roller{}
			for b.Loop() {
				f := &entity.Family{}
				for _, row := range rows {
					f.Put(row, 1, 1)
				}
				if t, _ := r.RollUp(nil, f, "t"); t.ObservationCount != int64(n) {
					b.Fatal(t.ObservationCount)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/observation")
		})
	}
}

// BenchmarkRollUpOneMore rolls a trace up to which one observation has come.
func BenchmarkRollUpOneMore(b *testing.B) {
	for _, n := range []int{10, 200, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rows := benchRows(n)
			b.ReportAllocs()
			r, f := &entity.Roller{}, &entity.Family{}
			for _, row := range rows {
				f.Put(row, 1, 1)
			}
			i := 0
			for b.Loop() {
				f.Put(rows[i%n], 1, 1)
				i++
				if t, _ := r.RollUp(nil, f, "t"); t.ObservationCount != int64(n) {
					b.Fatal(t.ObservationCount)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/observation")
		})
	}
}

// BenchmarkTwins looks for twins among a thousand observations: of our own door, of one library of OpenTelemetry, and of two
// that report the same calls.
func BenchmarkTwins(b *testing.B) {
	for _, name := range []string{"own", "one library", "two libraries"} {
		b.Run(name, func(b *testing.B) {
			var rows []*entity.ObservationRow
			for i := range 1000 {
				r := report{id: fmt.Sprint("o", i), scope: library, from: i * 10, to: i*10 + 8, response: fmt.Sprint("r", i), prompt: fmt.Sprint("p", i), in: 100 + i%7, out: 20 + i%5}
				switch {
				case name == "own":
					row := r.row()
					row.Door, row.Twin = "brokle", ""
					rows = append(rows, row)
					continue
				case name == "two libraries" && i%2 == 1:
					r.scope, r.response, r.from, r.to = another, fmt.Sprint("r", i-1), r.from-9, r.to-9
				}
				rows = append(rows, r.row())
			}
			b.ReportAllocs()
			for b.Loop() {
				if n := len(entity.FindTwins(rows)); n != 0 != (name == "two libraries") {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/observation")
		})
	}
}
