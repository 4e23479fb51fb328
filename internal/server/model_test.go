package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// sent is one event as the model keeps it.
type sent struct {
	id, entity string
	rank       int // create, update, complete
	at         int64
	fields     map[string]string // by name; absent ones are not in it
	bad        bool              // of a type that nobody knows
}

var ranks = []string{"observation_create", "observation_update", "observation_complete"}

func (s *sent) json() string {
	return fmt.Sprintf(`{"event_id":%q,%s,"timestamp":%d}`, s.id, s.content(), s.at)
}

// content is what the event says: its type and payload.
func (s *sent) content() string {
	typ := ranks[s.rank]
	if s.bad {
		typ = "nonsense"
	}
	payload := map[string]string{"id": s.entity, "trace_id": "t"}
	for k, v := range s.fields {
		payload[k] = v
	}
	raw, _ := json.Marshal(payload) // texts
	return fmt.Sprintf(`"event_type":%q,"payload":%s`, typ, raw)
}

// model is the whole of log, deduplication and fold in a few lines: marks with their
// ends, the events in the order of acceptance, and nothing else.
type model struct {
	marks  map[string]time.Time
	stored []*sent // each id and content once: one that comes again with the same content changes nothing
}

// keep takes an accepted event in.
func (m *model) keep(e *sent) {
	if !slices.ContainsFunc(m.stored, func(o *sent) bool { return o.id == e.id && o.content() == e.content() }) {
		m.stored = append(m.stored, e)
	}
}

// post is what becomes of a batch: the ids by outcome, or refused as a whole.
func (m *model) post(events []*sent, now time.Time, enabled bool, ttl time.Duration, failOnDuplicate bool) (processed, duplicate, failed []string, refused bool) {
	marked := map[string]bool{}
	var take []*sent
	for _, e := range events {
		end, known := m.marks[e.id]
		switch {
		case e.bad:
			failed = append(failed, e.id)
		case enabled && (marked[e.id] || known && end.After(now)):
			duplicate = append(duplicate, e.id)
		default:
			marked[e.id] = true
			take, processed = append(take, e), append(processed, e.id)
		}
	}
	if failOnDuplicate && len(duplicate) > 0 {
		return nil, nil, nil, true
	}
	for _, e := range take {
		if enabled {
			m.marks[e.id] = now.Add(ttl)
		}
		m.keep(e)
	}
	return processed, duplicate, failed, false
}

// fold is what a reader sees of the entity; nil when nothing is known of it.
func (m *model) fold(entity string) map[string]string {
	var events []*sent
	for _, e := range m.stored {
		if e.entity == entity {
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return nil
	}
	slices.SortStableFunc(events, func(a, b *sent) int { // stable: then in the order of acceptance
		return cmp.Or(cmp.Compare(min(a.rank, 1), min(b.rank, 1)), cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank))
	})
	seen := map[string]string{"level": "DEFAULT"}
	start, end, first := int64(0), int64(0), events[0].at
	for _, e := range events {
		first = min(first, e.at)
		for k, v := range e.fields {
			seen[k] = v
		}
		if e.rank == 0 && (start == 0 || e.at < start) {
			start = e.at
		}
		if e.rank == 2 {
			end = max(end, e.at)
		}
	}
	if start == 0 {
		start = first
	}
	seen["start"] = fmt.Sprint(start)
	if end > 0 {
		seen["end"] = fmt.Sprint(end)
		if end >= start { // else two clocks disagree
			seen["latency"] = fmt.Sprint(1000 * (end - start))
		}
	}
	return seen
}

// seenOf is the same of an observation of the API.
func seenOf(o *wire.Observation) map[string]string {
	seen := map[string]string{"level": o.Level, "start": fmt.Sprint(o.StartTime.Unix())}
	for k, v := range map[string]string{"name": o.Name, "model": o.Model} {
		if v != "" {
			seen[k] = v
		}
	}
	if o.EndTime != nil {
		seen["end"] = fmt.Sprint(o.EndTime.Unix())
	}
	if o.LatencyMS != nil {
		seen["latency"] = fmt.Sprint(*o.LatencyMS)
	}
	return seen
}

var (
	entities = []string{"o0", "o1", "o2"}
	drawSent = rapid.Custom(func(t *rapid.T) *sent {
		s := &sent{
			id: fmt.Sprint("e", rapid.IntRange(0, 11).Draw(t, "id")), entity: rapid.SampledFrom(entities).Draw(t, "entity"),
			rank: rapid.IntRange(0, 2).Draw(t, "rank"), at: 1_700_000_000 + rapid.Int64Range(0, 3).Draw(t, "at"),
			bad: rapid.IntRange(0, 9).Draw(t, "bad") == 9, fields: map[string]string{},
		}
		for _, f := range [][]string{{"name", "n1", "n2"}, {"model", "m1", "m2"}, {"level", "INFO", "ERROR"}} {
			if v := rapid.SampledFrom([]string{"", f[1], f[2]}).Draw(t, f[0]); v != "" {
				s.fields[f[0]] = v
			}
		}
		if s.rank == 0 && s.fields["name"] == "" { // a create needs one
			s.fields["name"] = "n0"
		}
		return s
	})
)

// The real server, over HTTP, does what the model does, in any history of batches,
// hours that pass, and restarts (properties 9, 11, 12, 15, 17, 20 and 22).
func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: histories, with restarts")
	}
	var ahead atomic.Int64 // of the clock, ns
	with := setup{dir: t.TempDir(), now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	h := open(t, with)
	projects := 0
	chance.Check(t, 20, func(t *rapid.T) {
		projects++
		key := h.newKey(fmt.Sprint("p", projects), "ingest", "read")
		as := []string{"X-API-Key", "", "X-API-Key", key}
		m := &model{marks: map[string]time.Time{}}
		t.Repeat(map[string]func(*rapid.T){
			"post": func(t *rapid.T) {
				events := rapid.SliceOfN(drawSent, 1, 6).Draw(t, "events")
				enabled, failOn := rapid.IntRange(0, 5).Draw(t, "dedup") > 0, rapid.IntRange(0, 5).Draw(t, "fail") == 0
				ttl := rapid.SampledFrom([]int{60, 3600}).Draw(t, "ttl")
				texts := make([]string, len(events))
				for i, e := range events {
					texts[i] = e.json()
				}
				body := fmt.Sprintf(`{"events":[%s],"deduplication":{"enabled":%t,"ttl":%d,"fail_on_duplicate":%t}}`, strings.Join(texts, ","), enabled, ttl, failOn && enabled)
				rep := h.send("POST", "/v1/telemetry/batch", []byte(body), as...)
				processed, duplicate, failed, refused := m.post(events, with.now(), enabled, time.Duration(ttl)*time.Second, failOn && enabled)
				if refused {
					if rep.status != http.StatusConflict {
						t.Fatalf("%d %s, want 409", rep.status, rep.body)
					}
					return
				}
				got := decoded[wire.BatchResponse](h.tb, rep)
				var named []string
				for _, e := range got.Errors {
					named = append(named, e.EventID)
				}
				if rep.status != 200 || got.ProcessedEvents != len(processed) || !slices.Equal(got.DuplicateEventIDs, append([]string{}, duplicate...)) || !slices.Equal(named, failed) {
					t.Fatalf("%d %s\nwant %d processed, duplicates %v, failed %v", rep.status, rep.body, len(processed), duplicate, failed)
				}
			},
			"time passes": func(t *rapid.T) {
				ahead.Add(int64(rapid.SampledFrom([]time.Duration{time.Second, 50 * time.Second, 70 * time.Second, 61 * time.Minute}).Draw(t, "by")))
			},
			"restart": func(t *rapid.T) {
				if rapid.IntRange(0, 11).Draw(t, "really") == 11 {
					h.close()
					h = open(h.tb, with)
				}
			},
			"read": func(t *rapid.T) {
				h.settle()
				page := decoded[wire.Page[wire.Observation]](h.tb, h.get("/v1/observations?limit=1000", as...))
				got := map[string]string{}
				for i := range page.Data {
					got[page.Data[i].ID] = fmt.Sprint(seenOf(&page.Data[i]))
				}
				want := map[string]string{}
				for _, entity := range entities {
					if seen := m.fold(entity); seen != nil {
						want[entity] = fmt.Sprint(seen)
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(want) || len(page.Data) != len(want) {
					t.Fatalf("read %v\nwant %v", got, want)
				}
				count := decoded[wire.Page[struct{ Count int }]](h.tb, h.get("/v1/stats?of=events", as...))
				if n := len(m.stored); n > 0 && (len(count.Data) != 1 || count.Data[0].Count != n) || n == 0 && len(count.Data) > 0 && count.Data[0].Count > 0 {
					t.Fatalf("%d events are stored, counted %+v", n, count.Data)
				}
			},
		})
	})
}
