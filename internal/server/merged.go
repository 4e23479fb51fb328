package server

import (
	"context"
	stdjson "encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// merged is the metadata of several events as one object (entity.FoldMetadata), of which only the keys are in memory.
type merged struct {
	*oneObservation
	members []mergedMember // in the order of the object
}

// mergedMember is one member: the last event that has the key has its value.
type mergedMember struct {
	key  string
	seq  entity.Seq
	size int32 // of the value
}

const (
	// memberBytes is what a member takes beside its key, with its place in a table of keys.
	memberBytes = 120
	// mergeWindows is how many windows of values are in memory at once: 4 MiB.
	mergeWindows = 16
)

// merge finds the members, and takes the room for their keys.
func (o *oneObservation) merge(ctx context.Context, c *call) error {
	m := &merged{oneObservation: o}
	at, room, bytes := map[string]int{}, c.question.bytes, int64(0)
	for _, seq := range o.Metadata { // in the order of the fold, which is not always that of the Log
		err := o.metadata(ctx, []entity.Seq{seq}, func(_ entity.Seq, key, value []byte) {
			i, known := at[string(key)]
			if !known {
				i = len(m.members)
				m.members = append(m.members, mergedMember{key: string(key)})
				at[m.members[i].key] = i
				bytes += memberBytes + int64(len(key))
			}
			m.members[i].seq, m.members[i].size = seq, int32(len(value))
		})
		if err == nil && room+bytes > c.question.bytes {
			err = c.question.need(ctx, room+bytes*5/4)
		}
		if err != nil {
			return err
		}
	}
	o.merged = m
	return nil
}

// metadata reads the members of the metadata of events for f, in the order of the Log.
func (o *oneObservation) metadata(ctx context.Context, seqs []entity.Seq, f func(seq entity.Seq, key, value []byte)) error {
	return o.each(ctx, seqs, func(rec *entity.Record) {
		v, _ := rec.Fields.Get(entity.Metadata)
		members := rawjson.MembersOf(rawjson.Bytes(v.Text))
		for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
			f(rec.Seq, key, value)
		}
	})
}

// write writes the object, as many members at a time as fit a window: however they are strewn over the events, each of these is
// read once for a window.
func (m *merged) write(ctx context.Context, enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for from := 0; from < len(m.members); {
		upto, bytes := from, int64(0)
		for upto < len(m.members) && (upto == from || bytes+int64(m.members[upto].size) <= mergeWindows*m.window) {
			bytes += int64(m.members[upto].size)
			upto++
		}
		if err := m.writeSome(ctx, enc, m.members[from:upto]); err != nil {
			return err
		}
		from = upto
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (m *merged) writeSome(ctx context.Context, enc *jsontext.Encoder, some []mergedMember) error {
	var seqs []entity.Seq
	at := make(map[string]int, len(some))
	seen := map[entity.Seq]bool{}
	for i := range some {
		if at[some[i].key] = i; !seen[some[i].seq] {
			seen[some[i].seq] = true
			seqs = append(seqs, some[i].seq)
		}
	}
	values := make([][]byte, len(some))
	err := m.metadata(ctx, seqs, func(seq entity.Seq, key, value []byte) {
		if i, wanted := at[string(key)]; wanted && some[i].seq == seq {
			values[i] = append(values[i][:0], value...)
		}
	})
	if err != nil {
		return err
	}
	for i := range some {
		key, err := stdjson.Marshal(some[i].key)
		if err != nil {
			return err
		}
		if err := enc.WriteValue(key); err != nil {
			return err
		}
		if err := enc.WriteValue(values[i]); err != nil {
			return err
		}
	}
	return nil
}
