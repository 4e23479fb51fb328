package textsearch_test

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const tiered = `{"otlp":{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"span":{"name":"order","attributes":[` +
	`{"key":"tier","value":{"stringValue":"gold\u0021"}},{"key":"n","value":{"intValue":"12"}},{"key":"f","value":{"doubleValue":0.50}},{"key":"b","value":{"boolValue":true}},` +
	`{"key":"l","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":1}]}}},{"key":"nothing","value":{}},{"key":"twice","value":{"stringValue":"1"}},{"key":"twice","value":{"stringValue":"2"}}]}}}`

// What an event has, its hashes say too; what it has not, one of them may say by chance only.
func TestAttributes(t *testing.T) {
	t.Parallel()
	own := `{"attributes":{"tier":"gold\u0021","n":12,"o":{"a": [1, 2]},"null":null},"metadata":{"attributes":{"deeper":"x"}}}`
	at := func(key, value string) []textsearch.Attribute {
		return []textsearch.Attribute{{Key: key, Value: value}}
	}
	of := func(key, value string) []textsearch.Attribute {
		return []textsearch.Attribute{{Resource: true, Key: key, Value: value}}
	}
	for _, c := range []struct {
		payload string
		asks    []textsearch.Attribute
		want    bool
	}{
		{tiered, at("tier", "gold!"), true}, {tiered, at("tier", "gold"), false}, {tiered, at("tier", "GOLD!"), false}, {tiered, at("ti", "ergold!"), false},
		{tiered, at("n", "12"), true}, {tiered, at("n", "012"), false}, {tiered, at("f", "0.5"), true}, {tiered, at("b", "true"), true},
		{tiered, at("l", `["x",1]`), true}, {tiered, at("nothing", ""), false}, {tiered, at("nothing", "null"), false}, {tiered, at("twice", "1"), true}, {tiered, at("twice", "2"), true},
		{tiered, of("service.name", "shop"), true}, {tiered, at("service.name", "shop"), false}, {tiered, of("tier", "gold!"), false},
		{tiered, append(at("tier", "gold!"), of("service.name", "shop")...), true}, {tiered, append(at("tier", "gold!"), at("n", "13")...), false},
		{own, at("tier", "gold!"), true}, {own, at("n", "12"), true}, {own, at("o", `{"a":[1,2]}`), true}, {own, at("null", "null"), false}, {own, at("deeper", "x"), false}, {own, of("tier", "gold!"), false},
		{`{"attributes":["tier"]}`, at("tier", "gold!"), false}, {`{"attributes":`, at("tier", "gold!"), false}, {`{"otlp":{"span":{"attributes":[{"key":"tier"`, at("tier", "gold!"), false},
	} {
		ev := &wire.Event{Type: wire.ObservationCreate, Payload: []byte(c.payload)}
		q := (*textsearch.Query)(nil).With(c.asks)
		if got := textsearch.NewMatcher(q).Matches(ev); got != c.want {
			t.Errorf("%.60s has %v: %t", c.payload, c.asks, got)
		}
		has := map[uint64]bool{}
		textsearch.NewHashes(func(h uint64) { has[h] = true }).Event(ev)
		all := true
		for _, h := range q.Hashes() {
			all = all && has[h]
		}
		if all != c.want {
			t.Errorf("%.60s has the hashes of %v: %t", c.payload, c.asks, all)
		}
	}
	order, err := textsearch.Parse("order")
	if err != nil {
		t.Fatal(err)
	}
	ev := &wire.Event{Type: wire.ObservationCreate, Payload: []byte(tiered)}
	if !textsearch.NewMatcher(order.With(at("n", "12"))).Matches(ev) || textsearch.NewMatcher(order.With(at("n", "13"))).Matches(ev) || len(order.Hashes()) != 1 {
		t.Error("words and attributes must both be there, and the words alone stay what they are")
	}
	if ev.Type = wire.QualityScoreCreate; textsearch.NewMatcher((*textsearch.Query)(nil).With(at("n", "12"))).Matches(ev) {
		t.Error("a score has attributes")
	}
}

// FuzzAttributes: whatever the bytes are, it ends; and what the matcher finds the filters have.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte(tiered), "tier", "gold!")
	f.Add([]byte(`{"attributes":{"a":"b"}}`), "a", "b")
	f.Add([]byte(`{"otlp":{"span":{"attributes":[{"key":"`), "", "")
	f.Fuzz(func(t *testing.T, payload []byte, key, value string) {
		ev := &wire.Event{Type: wire.ObservationCreate, Payload: payload}
		for _, resource := range []bool{false, true} {
			q := (*textsearch.Query)(nil).With([]textsearch.Attribute{{Resource: resource, Key: key, Value: value}})
			found := false
			textsearch.NewHashes(func(h uint64) { found = found || h == q.Hashes()[0] }).Event(ev)
			if textsearch.NewMatcher(q).Matches(ev) && !found {
				t.Fatalf("%q has %q = %q, and its filter does not", payload, key, value)
			}
		}
	})
}
