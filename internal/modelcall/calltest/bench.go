// Package calltest is what the tests of everything that records calls of models begin with.
package calltest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

// Bench is a provider, a client of Brokle, and where its records go. It leaves nothing behind.
type Bench struct {
	T        *testing.T
	Provider *standin.Server
	URL      string // of the provider
	Base     *http.Client
	Client   *brokle.Client
	Srv      *brokletest.Server
}

// New makes one.
func New(t *testing.T) *Bench {
	t.Helper()
	b := &Bench{T: t, Provider: standin.New(), Srv: brokletest.NewServer(t)}
	s := httptest.NewServer(b.Provider)
	base := &http.Transport{}
	t.Cleanup(func() {
		b.Provider.Release()
		base.CloseIdleConnections()
		s.Close()
	})
	var err error
	if b.Client, err = brokle.New(b.Srv.Config()); err != nil {
		t.Fatal(err)
	}
	b.URL, b.Base = s.URL, &http.Client{Transport: base}
	return b
}

// Call is what was recorded of one call: the start with updates and the end over it.
type Call struct {
	brokle.Observation
	Ends int
}

// Recorded closes the client and returns the calls that it sent, in the order of their starts.
func (b *Bench) Recorded() (all []*Call) {
	b.T.Helper()
	if err := b.Client.Close(context.Background()); err != nil {
		b.T.Fatal(err)
	}
	return b.Calls(b.Srv.Events())
}

// Calls are those that events speak of.
func (b *Bench) Calls(events []brokle.Event) (all []*Call) {
	b.T.Helper()
	byID := map[string]*Call{}
	for _, ev := range events {
		var o brokle.Observation
		if err := json.Unmarshal(ev.Payload, &o); err != nil {
			b.T.Fatal(err)
		}
		switch ev.Type {
		case brokle.ObservationCreate:
			byID[o.ID] = &Call{Observation: o}
			all = append(all, byID[o.ID])
		case brokle.ObservationUpdate, brokle.ObservationComplete:
			c := byID[o.ID]
			if err := json.Unmarshal(ev.Payload, &c.Observation); err != nil {
				b.T.Fatal(err)
			}
			if ev.Type == brokle.ObservationComplete {
				c.Ends++
			}
		}
	}
	return all
}

// One is recorded of exactly one call, which has ended once.
func (b *Bench) One() *Call {
	b.T.Helper()
	all := b.Recorded()
	if len(all) != 1 || all[0].Ends != 1 {
		b.T.Fatalf("%d calls, want 1 that has ended once: %+v", len(all), all)
	}
	return all[0]
}

// Below checks that each step but the first hangs below the one before it.
func Below(t testing.TB, steps map[string]*Call, names ...string) {
	t.Helper()
	for i, name := range names {
		switch c := steps[name]; {
		case c == nil:
			t.Fatalf("no step %q among %v", name, Steps(steps))
		case i > 0 && (c.ParentObservationID != steps[names[i-1]].ID || c.TraceID != steps[names[i-1]].TraceID):
			t.Errorf("%q is not below %q", name, names[i-1])
		}
	}
}

// Steps are the types and names of steps, for what a test says.
func Steps(steps map[string]*Call) (all []string) {
	for name, c := range steps {
		all = append(all, c.Type+" "+name)
	}
	return all
}
