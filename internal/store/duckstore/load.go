package duckstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// among is the condition that a row is of one of the keys, whose projects and ids are two
// parameters.
func among(id string) string {
	return "(project, " + id + ") IN (SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[]))"
}

// params are the parameters of among.
func params(keys []entityKey) []any {
	projects, ids := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		projects[i], ids[i] = k.project, k.id
	}
	return []any{projects, ids}
}

// ofRows is the condition that a row of the kind is that of one of the keys, and its parameters, of which the first two are those of among.
func ofRows(kind entity.Kind, keys []entityKey) (string, []any) {
	if kind != entity.ObservationKind {
		return among("id"), params(keys)
	}
	traces := make([]string, len(keys))
	for i, k := range keys {
		traces[i] = k.trace
	}
	return "(project, id, coalesce(trace_id, '')) IN (SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[]), unnest($3::VARCHAR[]))", append(params(keys), traces)
}

// loadBundles reads the events of these entities from the Log, and where their rows are.
func (r *refold) loadBundles(keys []entityKey) error {
	var byKind [entity.GenericKind][]entityKey
	for _, k := range keys {
		byKind[k.kind] = append(byKind[k.kind], k)
	}
	var seqs []int64
	for kind, keys := range byKind {
		if len(keys) == 0 {
			continue
		}
		found, err := r.locate(entity.Kind(kind), keys)
		if err != nil {
			return err
		}
		seqs = append(seqs, found...)
	}
	return r.loadEvents(seqs)
}

// locate finds where the rows of the keys are, and the Seqs of their events.
func (r *refold) locate(kind entity.Kind, keys []entityKey) (seqs []int64, err error) {
	calls := ""
	if kind == entity.ObservationKind {
		calls = ", " + callColumns
	}
	const callsAt = 6
	condition, args := ofRows(kind, keys)
	statement := fmt.Sprintf("SELECT project, id, written, first_seq, last_seq, seqs%s FROM %s WHERE %s%s", calls, tableOf(kind), condition, r.writtenOf(kind, keys))
	err = r.w.write.scan(statement, args, func(b block) {
		listed := b.valid(5)
		for i := range b.rows {
			k := entityKey{b.text(0, i), kind, "", b.text(1, i)}
			if kind == entity.ObservationKind && b.valid(callsAt).has(i) {
				k.trace = b.text(callsAt, i)
			}
			bundle := r.bundles[k]
			if kind != entity.TraceKind {
				bundle.written = b.number(2, i)
			}
			if kind == entity.ObservationKind {
				if c := callAt(b, i, k.id, callsAt); c.call != nil {
					bundle.call = &c
				}
			}
			switch first, last := b.number(3, i), b.number(4, i); {
			case listed.has(i):
				seqs = append(seqs, b.numbers(5, i)...)
			case kind == entity.TraceKind: // it has no events of its own
			case first == last:
				seqs = append(seqs, first)
			default:
				seqs = append(seqs, first, last)
			}
		}
	})
	return seqs, err
}

// tableOf is the table of a kind's entities.
func tableOf(kind entity.Kind) string {
	switch kind {
	case entity.TraceKind:
		return traceTable.name
	case entity.ScoreKind:
		return scoreTable.name
	}
	return observationTable.name
}

// loadAtOnce is how many records are read from the Log at a time: they come with their payloads.
const loadAtOnce = 256

// loadEvents reads the events of touched entities. Those that the Log has no longer, or that go, count for nothing.
func (r *refold) loadEvents(seqs []int64) error {
	slices.Sort(seqs) // the Log keeps neighbours together
	var row entity.Row
	for some := range slices.Chunk(seqs, loadAtOnce) {
		wanted := make([]entity.Seq, 0, len(some))
		for _, seq := range some {
			if _, goes := slices.BinarySearch(r.without, seq); !goes {
				wanted = append(wanted, entity.Seq(seq))
			}
		}
		recs, err := r.w.options.Records(context.Background(), wanted)
		if err != nil {
			return fmt.Errorf("read events from the log: %w", err)
		}
		for i := range recs {
			rec := &recs[i]
			if rec.Fields == nil {
				continue
			}
			row = rec.Fields.AppendRow(row[:0])
			if b := r.bundles[r.place(keyOf(rec.Project, row))]; b != nil {
				b.add(int64(rec.Seq), rec.Event.Timestamp.UnixMicro(), rec.Environment, row)
			}
		}
	}
	return nil
}

// loadFamilies reads the observations of these traces.
func (r *refold) loadFamilies(keys []entityKey) error {
	if len(keys) == 0 {
		return nil
	}
	var found []entityKey
	var spans []span
	err := r.w.write.scan("SELECT project, id, written, first_seq, last_seq FROM traces WHERE "+among("id"), params(keys), func(b block) {
		for i := range b.rows {
			k := traceKey(b.text(0, i), b.text(1, i))
			f := r.families[k]
			f.written, f.at = b.number(2, i), span{b.number(3, i), b.number(4, i)}
			found, spans = append(found, k), append(spans, span{f.at.first, f.written})
		}
	})
	if err != nil || len(found) == 0 {
		return err
	}
	statement := fmt.Sprintf("SELECT project, trace_id, id, %s FROM observations WHERE %s AND %s",
		relativeColumns, within("written", joinSpans(spans, fewSpans)), among("trace_id"))
	return r.w.write.scan(statement, params(found), func(b block) {
		relatives(b, 3, func(row int) *family { return r.families[traceKey(b.text(0, row), b.text(1, row))] }, func(row int) string { return b.texts(2)[row].view() })
	})
}

// relativeColumns are what a relative is made of.
const relativeColumns = "parent_observation_id, type, level, model, environment, start_time, end_time, total_tokens, total_cost, counts_tokens, counts_cost, first_seq, last_seq, status, duplicate_of, name, trace_name, user_id, session_id, release, door, tags, key_id"

// relatives puts the observations of a block into their traces; relativeColumns begin at the column from.
func relatives(b block, from int, of func(row int) *family, id func(row int) string) {
	ended, hasTokens, hasCost, hasTags := b.valid(from+6), b.valid(from+7), b.valid(from+8), b.valid(from+21)
	text := func(column, row int) string {
		if !b.valid(column).has(row) {
			return ""
		}
		return b.texts(column)[row].view() // Put copies it
	}
	for i := range b.rows {
		o := observationRow{
			Observation: wire.Observation{
				ID: id(i), ParentObservationID: text(from, i), Type: text(from+1, i), Level: text(from+2, i), Model: text(from+3, i), Environment: text(from+4, i),
				StartTime: microTime(b.number(from+5, i)), Status: text(from+13, i), DuplicateOf: text(from+14, i), Name: text(from+15, i), KeyID: text(from+22, i),
			},
			TraceName: text(from+16, i), UserID: text(from+17, i), SessionID: text(from+18, i), Release: text(from+19, i), Door: text(from+20, i),
			CountsTokens: b.bytes(from + 9)[i] != 0, CountsCost: b.bytes(from + 10)[i] != 0,
		}
		if hasTags.has(i) {
			o.Tags = b.list(from+21, i)
		}
		if ended.has(i) {
			end := microTime(b.number(from+6, i))
			o.EndTime = &end
		}
		if hasTokens.has(i) {
			o.TotalTokens = &b.int64s(from + 7)[i]
		}
		if hasCost.has(i) {
			o.TotalCost = &b.floats(from + 8)[i]
		}
		of(i).Put(&o, entity.Seq(b.number(from+11, i)), entity.Seq(b.number(from+12, i)))
	}
}

func microTime(us int64) time.Time { return time.UnixMicro(us).UTC() }
