package textsearch_test

import (
	"encoding/json"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What passes a test has its words and hashes, so that what the index leaves out could not pass.
func TestTesting(t *testing.T) {
	t.Parallel()
	const own = `{"name":"n","metadata":{"tier":"Gold Plan","n":12,"f":1.50,"yes":true,"no":null,"empty":"","list":["a","b c",3],"user":{"plan":"pro","a.b":{"c":"deep"}},"user.plan":"flat","json":"\"quoted\""},"attributes":{"k":"v w","n":5}}`
	const span = `{"otlp":{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"span":{"name":"order","attributes":[
		{"key":"langfuse.trace.metadata.tier","value":{"stringValue":"gold"}},{"key":"langsmith.metadata.n","value":{"intValue":"12"}},{"key":"ai.telemetry.metadata.f","value":{"doubleValue":0.50}},
		{"key":"metadata","value":{"stringValue":"{\"user\":{\"plan\":\"pro\"},\"list\":[\"x\"]}"}},{"key":"k","value":{"stringValue":"v"}},{"key":"ratio","value":{"doubleValue":0.25}}]}}}`
	n := func(f float64) *float64 { return &f }
	star := textsearch.Star
	for _, c := range []struct {
		payload string
		test    textsearch.Test
		want    bool
	}{
		{own, textsearch.Test{Key: "tier", Equal: []string{"Gold Plan"}}, true}, {own, textsearch.Test{Key: "tier", Equal: []string{"gold plan"}}, false},
		{own, textsearch.Test{Key: "tier", Equal: []string{"x", "Gold Plan"}}, true}, {own, textsearch.Test{Key: "tier", Like: []string{"gold" + star}}, true},
		{own, textsearch.Test{Key: "tier", Like: []string{star + "lan"}}, true}, {own, textsearch.Test{Key: "tier", Like: []string{"g" + star + "p" + star + "n"}}, true},
		{own, textsearch.Test{Key: "tier", Like: []string{"gold"}}, false}, {own, textsearch.Test{Key: "tier", Like: []string{"gold plan" + star + "n"}}, false},
		{own, textsearch.Test{Key: "n", Equal: []string{"12"}}, true}, {own, textsearch.Test{Key: "f", Equal: []string{"1.50"}}, true},
		{own, textsearch.Test{Key: "n", Least: n(12), Most: n(12)}, true}, {own, textsearch.Test{Key: "n", Least: n(12.5)}, false}, {own, textsearch.Test{Key: "tier", Least: n(0)}, false},
		{own, textsearch.Test{Key: "yes", Equal: []string{"true"}}, true}, {own, textsearch.Test{Key: "no"}, false}, {own, textsearch.Test{Key: "empty"}, false}, {own, textsearch.Test{Key: "yes"}, true}, {own, textsearch.Test{Key: "absent"}, false},
		{own, textsearch.Test{Key: "list", Equal: []string{"b c"}}, true}, {own, textsearch.Test{Key: "list", Most: n(3)}, true}, {own, textsearch.Test{Key: "list", Equal: []string{"c"}}, false},
		{own, textsearch.Test{Key: "user.plan", Equal: []string{"pro"}}, true}, {own, textsearch.Test{Key: "user.plan", Equal: []string{"flat"}}, true}, {own, textsearch.Test{Key: "user.a.b.c", Equal: []string{"deep"}}, true},
		{own, textsearch.Test{Key: "user", Like: []string{star + "pro" + star}}, true}, {own, textsearch.Test{Key: "json", Equal: []string{"quoted"}}, true},
		{own, textsearch.Test{In: textsearch.InAttributes, Key: "k", Like: []string{"v" + star}}, true}, {own, textsearch.Test{In: textsearch.InAttributes, Key: "k", Equal: []string{"v w"}}, true}, {own, textsearch.Test{In: textsearch.InAttributes, Key: "n", Least: n(4)}, true},
		{own, textsearch.Test{In: textsearch.InResource, Key: "k"}, false},
		{span, textsearch.Test{Key: "tier", Equal: []string{"gold"}}, true}, {span, textsearch.Test{Key: "n", Equal: []string{"12"}}, true}, {span, textsearch.Test{Key: "f", Equal: []string{"0.5"}}, true}, {span, textsearch.Test{Key: "user.plan", Equal: []string{"pro"}}, true},
		{span, textsearch.Test{Key: "list", Equal: []string{"x"}}, true}, {span, textsearch.Test{Key: "k"}, false},
		{span, textsearch.Test{In: textsearch.InResource, Key: "service.name", Like: []string{"sh" + star}}, true}, {span, textsearch.Test{In: textsearch.InAttributes, Key: "ratio", Least: n(0.25), Most: n(0.25)}, true},
		{span, textsearch.Test{In: textsearch.InAttributes, Key: "service.name"}, false}, {`{"metadata":["tier"]}`, textsearch.Test{Key: "tier"}, false}, {`{"metadata":`, textsearch.Test{Key: "tier"}, false},
	} {
		ev := &wire.Event{Type: wire.ObservationCreate, Payload: json.RawMessage(c.payload)}
		q := textsearch.Testing(c.test)
		if got := textsearch.NewMatcher(q).Matches(ev); got != c.want {
			t.Errorf("%.40s passes %+v: %t", c.payload, c.test, got)
		}
		if c.want && !hashed(ev, q) {
			t.Errorf("the index would leave out what passes %+v", c.test)
		}
		if ev.Type = wire.QualityScoreCreate; textsearch.NewMatcher(q).Matches(ev) {
			t.Error("a score has metadata that are searched")
		}
	}
}

// hashed says whether an event has all hashes of a query.
func hashed(ev *wire.Event, q *textsearch.Query) bool {
	has := map[uint64]bool{}
	textsearch.NewHashes(func(h uint64) { has[h] = true }).Event(ev)
	for _, h := range q.Hashes() {
		if !has[h] {
			return false
		}
	}
	return true
}

// FuzzTesting: whatever metadata are, it ends; what one value says passes the test for it, and is in the index.
func FuzzTesting(f *testing.F) {
	for _, text := range []string{"gold", "a\"b\\c", "12", "1.5e3", "true", "[1]", `{"a":1}`, `"x"`, "é e\u0301 ﬁ", "日本", "\n", "\u0000", "", "-0"} {
		f.Add("tier", text, []byte(`{"metadata":{"tier":1}}`))
	}
	f.Fuzz(func(t *testing.T, key, text string, payload []byte) {
		q := textsearch.Testing(textsearch.Test{Key: key, Equal: []string{text}})
		textsearch.NewMatcher(q).Matches(&wire.Event{Type: wire.TraceCreate, Payload: payload})
		raw, err := json.Marshal(map[string]any{"metadata": map[string]any{key: text}})
		var again struct{ Metadata map[string]string }
		if err != nil || json.Unmarshal(raw, &again) != nil {
			t.Fatal(err)
		}
		if said, ok := again.Metadata[key]; !ok || said != text {
			return // no UTF-8
		}
		ev := &wire.Event{Type: wire.TraceCreate, Payload: raw}
		if !textsearch.NewMatcher(q).Matches(ev) {
			t.Fatalf("%s does not pass the test for %q", raw, text)
		}
		if !hashed(ev, q) {
			t.Fatalf("the index leaves out %s for %q", raw, text)
		}
		spanned, err := json.Marshal(map[string]any{"otlp": map[string]any{"span": map[string]any{"attributes": []any{map[string]any{"key": "metadata." + key, "value": map[string]any{"stringValue": text}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		ev.Payload = spanned
		if textsearch.NewMatcher(q).Matches(ev) && !hashed(ev, q) {
			t.Fatalf("the index leaves out %s for %q", spanned, text)
		}
	})
}
