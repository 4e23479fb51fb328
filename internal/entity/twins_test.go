package entity_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// report is an observation as far as twins are found by it. Times are in ms, counts are −1 when not sent.
type report struct {
	id, parent, scope string
	from, to          int
	response, prompt  string
	in, out, size     int
	embedding         bool
	role              entity.StreamRole
	streamed          int // ms
	trace             string
}

func (r report) row() *entity.ObservationRow {
	row := &entity.ObservationRow{Door: "otlp", Scope: r.scope, PromptKey: r.prompt}
	row.ID, row.TraceID, row.ParentObservationID, row.Type, row.ResponseID = r.id, "t"+r.trace, r.parent, "generation", r.response
	if r.embedding {
		row.Type = "embedding"
	}
	row.StartTime = time.UnixMilli(int64(1000 + r.from)).UTC()
	if r.scope == own {
		row.Door = "brokle"
	}
	end := time.UnixMilli(int64(1000 + r.to)).UTC()
	row.EndTime = &end
	count := func(n int) string {
		if n < 0 {
			return "-"
		}
		return fmt.Sprint(n)
	}
	role := r.role
	if role == 0 {
		role = entity.WholeCall
	}
	row.Twin = count(r.in) + "/" + count(r.out) + " " + entity.SaidOfTwins(r.size, role, int64(r.streamed)*1000) + " " + r.response
	return row
}

const (
	framework = "openinference.instrumentation.langchain"
	library   = "openinference.instrumentation.openai"
	another   = "opentelemetry.instrumentation.openai"
	provider  = "com.anthropic.sdk.python"
	inGo      = "com.anthropic.sdk.go.bedrock"
	own       = "" // of the SDK's own events
)

// Which reports are of one call, and which one is kept, whatever the order in which they come.
func TestTwins(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reports []report
		want    string // of each duplicate, what is kept
	}{
		"one id, two libraries":         {[]report{{id: "a", scope: library, to: 10, response: "r", size: 5}, {id: "b", scope: another, from: 1, to: 9, response: "r", size: 9, trace: "2"}}, "a=b"},
		"one id, not at one time":       {[]report{{id: "a", scope: library, to: 10, response: "r"}, {id: "b", scope: another, from: 20, to: 30, response: "r"}}, ""},
		"one id, one library":           {[]report{{id: "a", scope: library, to: 10, response: "r"}, {id: "b", scope: library, to: 10, response: "r"}}, ""},
		"two ids":                       {[]report{{id: "a", scope: library, to: 10, response: "r", prompt: "p"}, {id: "b", scope: framework, to: 10, response: "s", prompt: "p"}}, ""},
		"the provider's own comes last": {[]report{{id: "a", scope: library, to: 10, response: "r", size: 1}, {id: "b", scope: provider, to: 10, response: "r", size: 99}}, "b=a"},
		"three reports": {[]report{{id: "a", scope: framework, to: 12, response: "r", size: 9}, {id: "b", scope: library, from: 1, to: 11, response: "r", size: 5},
			{id: "c", scope: provider, from: 2, to: 10, response: "r"}}, "b=a c=a"},
		"an id that is used again: each takes the nearest": {[]report{{id: "a", scope: library, to: 100, response: "r", size: 9}, {id: "b", scope: another, to: 100, response: "r"},
			{id: "c", scope: another, from: 40, to: 140, response: "r"}}, "b=a"},
		"an id that is used again, in step": {[]report{{id: "a", scope: library, to: 100, response: "r", size: 9}, {id: "b", scope: another, to: 100, response: "r"},
			{id: "c", scope: library, from: 90, to: 190, response: "r", size: 9}, {id: "d", scope: another, from: 90, to: 190, response: "r"}}, "b=a d=c"},
		"an id that is used again, three libraries: none takes what another chose": {[]report{
			{id: "a", scope: library, to: 100, response: "r", size: 9}, {id: "b", scope: another, to: 100, response: "r"}, {id: "e", scope: "a.third", to: 100, response: "r", size: 1},
			{id: "c", scope: another, from: 40, to: 140, response: "r"}, {id: "d", scope: "a.third", from: 40, to: 140, response: "r", size: 5}}, "b=a c=d e=a"},
		"a prompt":                   {[]report{{id: "a", scope: framework, to: 12, prompt: "p", in: -1, out: -1, size: 9}, {id: "b", scope: library, from: 1, to: 11, response: "r", prompt: "p", in: 3, out: 4}}, "b=a"},
		"a prompt, not held in time": {[]report{{id: "a", scope: framework, from: 2, to: 12, prompt: "p", in: -1, out: -1}, {id: "b", scope: library, from: 1, to: 11, prompt: "p"}}, ""},
		"a prompt, other counts":     {[]report{{id: "a", scope: framework, to: 12, prompt: "p", in: 3, out: 4}, {id: "b", scope: library, from: 1, to: 11, prompt: "p", in: 3, out: 5}}, ""},
		"a prompt, one level":        {[]report{{id: "a", scope: library, to: 12, prompt: "p"}, {id: "b", scope: another, from: 1, to: 11, prompt: "p"}}, ""},
		"two that may be it: all are kept": {[]report{{id: "a", scope: framework, to: 12, prompt: "p", in: -1, out: -1}, {id: "b", scope: library, from: 1, to: 6, prompt: "p"},
			{id: "c", scope: library, from: 6, to: 11, prompt: "p"}}, ""},
		"two that may be it, one below it": {[]report{{id: "a", scope: framework, to: 12, prompt: "p", in: -1, out: -1, size: 9}, {id: "b", parent: "a", scope: library, from: 1, to: 6, prompt: "p"},
			{id: "c", scope: library, from: 6, to: 11, prompt: "p"}}, "b=a"},
		"no prompt, equal counts":       {[]report{{id: "a", scope: framework, to: 12, in: 3, out: 4, size: 9}, {id: "b", scope: library, from: 1, to: 11, in: 3, out: 4}}, "b=a"},
		"no prompt, no counts":          {[]report{{id: "a", scope: framework, to: 12, in: -1, out: -1}, {id: "b", scope: library, from: 1, to: 11, in: -1, out: -1}}, ""},
		"an embedding of the same text": {[]report{{id: "a", scope: framework, to: 12, prompt: "p", in: 3, out: -1}, {id: "b", scope: library, from: 1, to: 11, prompt: "p", in: 3, out: -1, embedding: true}}, ""},
		"ours and the provider's own":   {[]report{{id: "a", scope: own, from: 1, to: 9, response: "r"}, {id: "b", scope: inGo, to: 10, response: "r", size: 99, trace: "2"}}, "b=a"},
		"ours is kept, whatever another says": {[]report{{id: "a", scope: own, from: 1, to: 9, response: "r"}, {id: "b", scope: library, to: 10, response: "r", size: 99},
			{id: "c", scope: inGo, to: 10, response: "r"}}, "b=a c=a"},
		"ours, twice": {[]report{{id: "a", scope: own, to: 10, response: "r"}, {id: "b", scope: own, to: 10, response: "r"}}, ""},
		"ours, twice, and one span": {[]report{{id: "a", scope: own, from: 1, to: 9, response: "r"}, {id: "b", scope: own, from: 2, to: 50, response: "r"},
			{id: "c", scope: inGo, to: 10, response: "r"}}, "c=a"},
		"ours, two ids":            {[]report{{id: "a", scope: own, from: 1, to: 9, response: "r", in: 3, out: 4}, {id: "b", scope: inGo, to: 10, response: "s", in: 3, out: 4}}, ""},
		"ours, not at one time":    {[]report{{id: "a", scope: own, to: 10, response: "r"}, {id: "b", scope: inGo, from: 20, to: 30, response: "r"}}, ""},
		"ours, only equal counts":  {[]report{{id: "a", scope: own, from: 1, to: 9, response: "r", in: 3, out: 4}, {id: "b", scope: framework, to: 10, in: 3, out: 4}}, ""},
		"the provider's own in Go": {[]report{{id: "a", scope: library, to: 10, response: "r", size: 1}, {id: "b", scope: inGo, to: 10, response: "r", size: 99}}, "b=a"},
		"a stream in two parts": {[]report{{id: "a", scope: "logfire.openai", to: 10, prompt: "p", in: -1, out: -1, role: entity.StreamBegun},
			{id: "b", scope: "logfire.openai", from: 60, to: 60, prompt: "p", in: 3, out: 4, size: 9, role: entity.StreamRead, streamed: 50, trace: "2"}}, "a=b"},
		"a stream that began elsewhere": {[]report{{id: "a", scope: "logfire.openai", to: 10, prompt: "p", role: entity.StreamBegun},
			{id: "b", scope: "logfire.openai", from: 300, to: 300, prompt: "p", role: entity.StreamRead, streamed: 50}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := chance.Of(t)
			for range 20 {
				var rows []*entity.ObservationRow
				for _, r := range c.reports {
					rows = append(rows, r.row())
				}
				rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				twins := entity.FindTwins(rows)
				got := ""
				for _, ref := range slices.SortedFunc(maps.Keys(twins), func(a, b entity.Ref) int { return int(a.ID[0]) - int(b.ID[0]) }) {
					got += " " + ref.ID + "=" + twins[ref].ID
				}
				if got != "" {
					got = got[1:]
				}
				if got != c.want {
					t.Fatalf("%q, want %q", got, c.want)
				}
			}
		})
	}
}
