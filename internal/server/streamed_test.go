package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// wholly reads the events of a trace at once, as their readers need them.
func (h *house) wholly(seqs []entity.Seq, err error) []entity.Record {
	h.tb.Helper()
	if err != nil {
		h.tb.Fatal(err)
	}
	recs, err := h.log.Get(h.tb.Context(), seqs)
	if err != nil || len(recs) != len(seqs) {
		h.tb.Fatal(len(recs), len(seqs), err)
	}
	extract.Fill(recs)
	detail.Join(recs)
	return recs
}

// wholeTrace is the answer about a trace, made at once of all its events in memory.
func (h *house) wholeTrace(id string, full bool) []byte {
	h.tb.Helper()
	ctx := h.tb.Context()
	recs := h.wholly(store.TraceEvents(ctx, h.wh, "one", id))
	twins, err := h.wh.Twins(ctx, "one", store.EventRef{TraceID: id})
	if err != nil {
		h.tb.Fatal(err)
	}
	all := recs
	for twin, kept := range twins {
		if kept.TraceID == id && twin.TraceID != id {
			seqs, err := store.EntityEvents(ctx, h.wh, "one", entity.ObservationKind, []string{twin.ID})
			all = append(all, h.wholly(seqs[twin.ID], err)...)
		}
	}
	t, err := entity.FoldTraceWith(all, id, twins, entity.Tariff{Prices: h.prices, Project: "one"})
	if err != nil {
		h.tb.Fatal(err)
	}
	var fill func([]*wire.Observation)
	fill = func(list []*wire.Observation) {
		for _, o := range list {
			fold, err := entity.FoldOf(recs, entity.ObservationKind, o.ID)
			if err != nil {
				h.tb.Fatal(err)
			}
			row, err := fold.Observation(o.ID, id)
			if err != nil {
				h.tb.Fatal(err)
			}
			detail.Fill(o, only(fold.Facts(), row.Seqs))
			fill(o.Children)
		}
	}
	if full {
		fill(t.Observations)
	}
	return h.encoded(t)
}

func (h *house) encoded(v any) []byte {
	h.tb.Helper()
	b, err := h.srv.encode(v)
	if err != nil {
		h.tb.Fatal(err)
	}
	return b
}

// same compares an answer with what it should be.
func (h *house) same(path string, want []byte) {
	h.tb.Helper()
	if rep := h.get(path); rep.status != 200 || !bytes.Equal(rep.body, want) {
		h.tb.Errorf("%s, with a window of %d bytes: %d\n%s\nwant\n%s", path, h.srv.window, rep.status, rep.body, want)
	}
}

// What is written while it is read is what was made at once, byte for byte, however little is read at a time.
func TestStreamedAnswersAreTheSame(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	windows := []int{1, 5000, windowBytes}
	if testing.Short() { // the same code over less
		windows = []int{1, windowBytes}
	}
	for _, window := range windows {
		h := open(t, setup{cost: pricing.PreferComputed})
		h.srv.window = window
		var traces []string
		take := func(recs []entity.Record) {
			for i, rec := range recs {
				h.accept(at(fmt.Sprintf("%s-%d", rec.Event.ID, i), string(rec.Event.Type), int(rec.Event.Timestamp.Unix()), string(rec.Event.Payload)))
			}
		}
		const n = 120
		take(storetest.History(seed, n))
		take(storetest.CallHistory(seed, n))
		for i := range storetest.HistoryTraces(n) {
			traces = append(traces, storetest.HistoryTrace(i))
		}
		for i := range n / 8 {
			traces = append(traces, storetest.CallTrace(i))
		}
		chain := `{"id":"c0","trace_id":"chain","name":"n"}`
		for i := range 2 * 500 { // deeper than answers nest
			h.accept(event(fmt.Sprint("chain", i), "observation_create", chain))
			chain = fmt.Sprintf(`{"id":"c%d","trace_id":"chain","name":"n","parent_observation_id":"c%d","input":%d}`, i+1, i, i)
		}
		traces = append(traces, "chain")
		h.settle()
		found := 0
		for _, id := range traces {
			if _, err := store.TraceEvents(t.Context(), h.wh, "one", id); err != nil {
				continue
			}
			found++
			h.same("/v1/traces/"+id, h.wholeTrace(id, false))
			h.same("/v1/traces/"+id+"?full=true", h.wholeTrace(id, true))
			tree, alone := h.partsOf(h.wholeTrace(id, false))
			h.same("/v1/traces/"+id+"?fields=tree", tree)
			h.same("/v1/traces/"+id+"?fields=trace", alone)
			if r := outgoing.OfTrace(h.wholly(store.TraceEvents(t.Context(), h.wh, "one", id)), id, entity.Tariff{Prices: h.prices, Project: "one"}); r.Spans > 0 {
				h.same("/v1/traces/"+id+"?format=otlp", h.encoded(r))
			}
		}
		if found < 8 {
			t.Errorf("only %d traces", found)
		}
		h.sameHistories()
		h.sameObservations()
		h.close()
	}
}

// partsOf are the answers with fields=tree and with fields=trace, made of the whole one.
func (h *house) partsOf(whole []byte) (tree, alone []byte) {
	h.tb.Helper()
	var t wire.Trace
	if err := json.Unmarshal(whole, &t); err != nil {
		h.tb.Fatal(err)
	}
	only := t
	only.Observations, only.ScoreList = []*wire.Observation{}, []wire.Score{}
	var strip func([]*wire.Observation)
	strip = func(list []*wire.Observation) {
		for _, o := range list {
			o.Input, o.Output, o.Metadata, o.ModelParameters, o.Usage, o.Attributes, o.InputPreview, o.OutputPreview = nil, nil, nil, nil, nil, nil, "", ""
			strip(o.Children)
		}
	}
	strip(t.Observations)
	t.Input, t.Output, t.Metadata = nil, nil, nil
	return h.encoded(&t), h.encoded(&only)
}

// sameHistories compares the histories of all observations.
func (h *house) sameHistories() {
	h.tb.Helper()
	rows := decoded[wire.Page[wire.Observation]](h.tb, h.get("/v1/observations?limit=60&duplicates=true")).Data
	for _, row := range rows {
		seqs, err := store.EntityEvents(h.tb.Context(), h.wh, "one", entity.ObservationKind, []string{row.ID})
		fold, err := entity.FoldOf(h.wholly(seqs[row.ID], err), entity.ObservationKind, row.ID)
		if err != nil {
			h.tb.Fatal(err)
		}
		for _, trace := range []string{"", row.TraceID} {
			folded, err := fold.Observation(row.ID, trace)
			if err != nil {
				h.tb.Fatal(err)
			}
			want := entityHistory{Page: wire.Page[wire.ObservationEvent]{Data: []wire.ObservationEvent{}}, Ambiguous: folded.Ambiguous}
			for _, rec := range only(fold.Facts(), folded.Seqs) {
				want.Data = append(want.Data, storedEvent(rec))
			}
			h.same("/v1/observations/"+row.ID+"/history?trace_id="+trace, h.encoded(&want))
		}
	}
}

// sameObservations compares the answers about all observations, by themselves, with what all their events fold into at once.
func (h *house) sameObservations() {
	h.tb.Helper()
	rows := decoded[wire.Page[wire.Observation]](h.tb, h.get("/v1/observations?limit=60&duplicates=true")).Data
	for _, row := range rows {
		for _, trace := range []string{"", row.TraceID} {
			h.same("/v1/observations/"+row.ID+"?trace_id="+trace, h.wholeObservation(row.ID, trace))
		}
	}
}

// wholeObservation is the answer about an observation, made at once of all its events in memory.
func (h *house) wholeObservation(id, trace string) []byte {
	h.tb.Helper()
	ctx, c := h.tb.Context(), &call{}
	c.caller.Project = "one"
	var err error
	if c.question, err = h.srv.ask(ctx, "test"); err != nil {
		h.tb.Fatal(err)
	}
	defer c.end()
	seqs, err := store.EntityEvents(ctx, h.wh, "one", entity.ObservationKind, []string{id})
	row, recs, err := foldObservation(h.wholly(seqs[id], err), id, trace)
	if err != nil {
		h.tb.Fatal(err)
	}
	detail.Fill(&row.Observation, recs)
	if err := errors.Join(h.srv.markTwins(ctx, c, row), h.srv.count(ctx, c, row)); err != nil {
		h.tb.Fatal(err)
	}
	entity.Tariff{Prices: h.prices, Project: "one"}.Price(row)
	return h.encoded(&row.Observation)
}

// Pages of events are as they were read at once, with all limits of a page.
func TestStreamedEventsAreTheSame(t *testing.T) {
	t.Parallel()
	h := open(t, setup{cost: pricing.PreferComputed})
	var all []wire.StoredEvent
	for i := range 300 {
		h.post(event(fmt.Sprint("e", i), "event_create", fmt.Sprintf(`{"name":"n", "metadata":{"k": %d}}`, i)))
	}
	for cursor := ""; ; {
		rep := h.get("/v1/telemetry/events?limit=7&cursor=" + cursor)
		page := decoded[wire.Page[wire.StoredEvent]](t, rep)
		if !bytes.Equal(rep.body, h.encoded(&page)) {
			t.Fatalf("%s\nwant\n%s", rep.body, h.encoded(&page))
		}
		all = append(all, page.Data...)
		if page.NextCursor == nil {
			break
		}
		if len(page.Data) != 7 {
			t.Errorf("a page of %d", len(page.Data))
		}
		cursor = *page.NextCursor
	}
	for i := range all {
		if all[i].EventID != fmt.Sprint("e", i) {
			t.Errorf("%d is %s", i, all[i].EventID)
		}
	}
	if len(all) != 300 || !json.Valid(all[0].Payload) {
		t.Errorf("%d events", len(all))
	}
}
