package segmentlog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Attributes of spans are found, and the filters of stretches without them pass these over: of a
// rare one almost all, though the spans have many attributes of their own.
func TestSearchAttributes(t *testing.T) {
	t.Parallel()
	ctx, idle := context.Background(), time.Now()
	l := openTest(t, nil, t.TempDir(), Options{SegmentBytes: 20 << 10, Now: func() time.Time { return idle }})
	const batches, perBatch = 60, 50
	for i := range batches {
		b := testBatch(fmt.Sprint("b", i), perBatch, 10)
		for j := range b.Events {
			n := i*perBatch + j
			text := fmt.Sprintf("question %d about the price of order %d and when it will be delivered to the customer, please answer in a few sentences only", n, n*7)
			b.Events[j].Type = wire.ObservationCreate
			b.Events[j].Payload = fmt.Appendf(nil, `{"otlp":{"door":"otlp","resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"span":{"traceId":"%032x","spanId":"%016x","name":"chat","attributes":[`+
				`{"key":"acme.order","value":{"intValue":"%d"}},{"key":"acme.tier","value":{"stringValue":"gold"}},{"key":"gen_ai.response.id","value":{"stringValue":"resp-%x"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"%d"}},`+
				`{"key":"gen_ai.prompt","value":{"stringValue":%q}},{"key":"gen_ai.completion","value":{"stringValue":%q}}]}}}`, n+1, n+1, n, n*31, n%97, text, text+text)
		}
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	idle = idle.Add(time.Hour)
	runTidy(t, l)
	find := func(attributes ...textsearch.Attribute) (hits, passed, all int) {
		q := (*textsearch.Query)(nil).With(attributes)
		s, err := l.Search("p1", q)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		seqs, ok, err := s.Rare(ctx, 1<<30)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		for i := range s.(*search).parts {
			p := &s.(*search).parts[i]
			for j := range p.list {
				if p.filter == nil {
					continue // the segment that is appended to
				}
				if all++; p.answers[j].passed {
					passed++
				}
			}
		}
		return len(seqs), passed, all
	}
	order := func(n int) textsearch.Attribute {
		return textsearch.Attribute{Key: "acme.order", Value: fmt.Sprint(n)}
	}
	for _, n := range []int{0, 777, batches*perBatch - 1} {
		if hits, passed, all := find(order(n)); hits != 1 || passed > 1+all/4 || all < 4 {
			t.Errorf("order %d: %d hits, %d of %d stretches pass", n, hits, passed, all)
		}
	}
	if hits, passed, all := find(order(batches * perBatch)); hits != 0 || passed > all/4 {
		t.Errorf("an order that there is not: %d hits, %d of %d stretches pass", hits, passed, all)
	}
	gold := textsearch.Attribute{Key: "acme.tier", Value: "gold"}
	if hits, passed, all := find(gold); hits != batches*perBatch || passed != all {
		t.Errorf("gold: %d hits, %d of %d stretches pass", hits, passed, all)
	}
	if hits, _, _ := find(gold, order(5), textsearch.Attribute{Resource: true, Key: "service.name", Value: "shop"}); hits != 1 {
		t.Errorf("all together: %d hits", hits)
	}
}
