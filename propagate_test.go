package brokle_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// continued starts a span where h says, and returns its trace and its parent.
func continued(t *testing.T, h http.Header) (trace, parent string) {
	t.Helper()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	c.StartSpan(brokle.Extract(t.Context(), h), "there")
	closeClient(t, c)
	var got brokle.Observation
	if err := json.Unmarshal(srv.OfType(brokle.ObservationCreate)[0].Payload, &got); err != nil {
		t.Fatal(err)
	}
	return got.TraceID, got.ParentObservationID
}

func TestHeadersCarryATraceWithIDsOfAnyForm(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 255)
	for name, tc := range map[string]struct {
		trace, observation string
		exact              bool
	}{
		"our default":      {"", "", true},
		"ULIDs":            {brokle.NewID(), brokle.NewID(), true},
		"signs of headers": {"a,b=c;d e", "%2C\n", true},
		"too long for it":  {long, long, false},
	} {
		srv := brokletest.NewServer(t)
		c := open(t, srv, nil)
		ctx, trace := c.StartTrace(t.Context(), "t", brokle.ID(tc.trace))
		ctx, o := brokle.StartSpan(ctx, "o", brokle.ID(tc.observation))
		h := http.Header{"Tracestate": {"other=1, brokle=old;old", "third=2"}}
		brokle.Inject(ctx, h)
		closeClient(t, c)
		if state := strings.Join(h.Values("Tracestate"), ","); !strings.HasSuffix(state, "other=1,third=2") || strings.Contains(state, "old") {
			t.Errorf("%s: tracestate %q", name, state)
		}
		if len(h.Get("Traceparent")) != 55 || h.Get("Baggage") != "" {
			t.Errorf("%s: %v", name, h)
		}
		gotTrace, gotParent := continued(t, h)
		if exact := gotTrace == trace.ID() && gotParent == o.ID(); exact != tc.exact {
			t.Errorf("%s: %s below %s, was %s and %s", name, gotTrace, gotParent, trace.ID(), o.ID())
		}
		// Somebody of OpenTelemetry stands between: another parent, the same trace.
		parts := strings.Split(h.Get("Traceparent"), "-")
		h.Set("Traceparent", "00-"+parts[1]+"-00f067aa0ba902b7-00")
		if gotTrace, gotParent = continued(t, h); (gotTrace == trace.ID()) != tc.exact || gotParent != "00f067aa0ba902b7" {
			t.Errorf("%s with a hop: %s below %s", name, gotTrace, gotParent)
		}
	}
}

// Directly below the trace there is no observation to hang below.
func TestHeadersCarryATraceItself(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	ctx, trace := c.StartTrace(t.Context(), "t")
	h := http.Header{}
	brokle.InjectTrace(ctx, h)
	closeClient(t, c)
	if gotTrace, parent := continued(t, h); gotTrace != trace.ID() || parent != "" {
		t.Errorf("%s below %q from %v", gotTrace, parent, h)
	}
	again := http.Header{}
	brokle.InjectTrace(brokle.Extract(context.Background(), h), again) // a process that only passes it on
	if again.Get("Traceparent") != h.Get("Traceparent") || again.Get("Tracestate") != h.Get("Tracestate") {
		t.Errorf("passed on as %v, was %v", again, h)
	}
}

func TestMalformedHeadersSayNothing(t *testing.T) {
	t.Parallel()
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, bad := range []string{
		"", "x", good + "-00", "ff" + good[2:], strings.ToUpper(good), "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", good[:52], "zz" + good[2:],
	} {
		if trace, parent := continued(t, http.Header{"Traceparent": {bad}}); trace == "0af7651916cd43dd8448eb211c80319c" || parent != "" {
			t.Errorf("%q: %s below %q", bad, trace, parent)
		}
	}
	for _, fine := range []string{good, " " + good, "01" + good[2:] + "-more"} {
		if trace, parent := continued(t, http.Header{"Traceparent": {fine}}); trace != "0af7651916cd43dd8448eb211c80319c" || parent != "b7ad6b7169203331" {
			t.Errorf("%q: %s below %q", fine, trace, parent)
		}
	}
	// A tracestate that speaks of another trace is not believed.
	h := http.Header{"Traceparent": {good}, "Tracestate": {"brokle=order-17;x"}}
	if trace, _ := continued(t, h); trace != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("in trace %s", trace)
	}
	for _, bad := range []string{"user.id", "user.id=%zz", "user.id=" + strings.Repeat("x", 256), "user.id=a%00b", "brokle.tags=1", "brokle.metadata=[]", "=,;,"} {
		h := http.Header{}
		brokle.Inject(brokle.Extract(t.Context(), http.Header{"Baggage": {bad}}), h)
		if len(h) != 0 {
			t.Errorf("%q became %v", bad, h)
		}
	}
}

// Baggage keeps what others put there, and stays within what others have to carry.
func TestBaggageKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	ctx := brokle.WithUser(t.Context(), "a,b;c=d ü")
	ctx = brokle.WithMetadata(ctx, map[string]any{"long": strings.Repeat("x", 9000)})
	ctx = brokle.WithSession(brokle.WithTags(ctx, "t"), "s")
	h := http.Header{"Baggage": {"theirs=1;p=2", "user.id=old"}}
	brokle.Inject(ctx, h)
	if got, want := h.Get("Baggage"), `theirs=1;p=2,user.id=a%2Cb%3Bc=d%20%C3%BC,session.id=s,brokle.tags=%5B%22t%22%5D`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	_, trace := c.StartTrace(brokle.Extract(t.Context(), h), "there")
	trace.End()
	closeClient(t, c)
	var got brokle.Trace
	if err := json.Unmarshal(srv.OfType(brokle.TraceCreate)[0].Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.UserID != "a,b;c=d ü" || got.SessionID != "s" || strings.Join(got.Tags, " ") != "t" || got.Metadata != nil {
		t.Errorf("%+v", got)
	}
}

// What a context carries is said of a trace where its options say nothing, and of one that it carries already at once.
func TestAContextCarriesWhomItIsAbout(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	base := brokle.WithMetadata(brokle.WithTags(brokle.WithUser(t.Context(), "u"), "a"), map[string]any{"k": 1, "l": 2})
	changed := brokle.WithUser(brokle.WithMetadata(brokle.WithTags(base, "b"), map[string]any{"l": 3}), "v")
	for _, ctx := range []context.Context{base, changed} {
		ctx, trace := c.StartTrace(ctx, "t", brokle.SessionID("s"), brokle.Tags("own"), brokle.Metadata(map[string]any{"k": 9}))
		ctx = brokle.WithUser(ctx, "w")
		_, other := c.StartTrace(ctx, "other")
		other.End()
		trace.End()
	}
	_, alone := c.StartSpan(changed, "alone")
	alone.End()
	closeClient(t, c)
	var got []string
	for _, ev := range srv.Events() {
		var tr brokle.Trace
		if err := json.Unmarshal(ev.Payload, &tr); err != nil {
			t.Fatal(err)
		}
		if ev.Type == brokle.TraceCreate || ev.Type == brokle.TraceUpdate && tr.EndTime == nil {
			got = append(got, strings.Join([]string{tr.Name, tr.UserID, tr.SessionID, strings.Join(tr.Tags, "+"), string(compact(t, tr.Metadata))}, " "))
		}
	}
	want := []string{
		`t u s a+own {"k":9,"l":2}`, ` w   `, `other w s a {"k":1,"l":2}`,
		`t v s a+b+own {"k":9,"l":3}`, ` w   `, `other w s a+b {"k":1,"l":3}`,
		`alone v  a+b {"k":1,"l":3}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// compact is an object with its keys sorted.
func compact(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	if raw == nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
