package alert

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// memory is a document that several nodes share: it changes by compare and set. Each node has its own view of it.
type memory struct {
	mu   sync.Mutex // guards text
	text []byte
}

// view is a node's: what it reads is what it was told last.
type view struct {
	of      *memory
	changed chan struct{}
}

var _ document.Place = (*view)(nil)

func (m *memory) view() *view { return &view{m, make(chan struct{}, 1)} }

func (v *view) Read() ([]byte, error) {
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	return v.of.text, nil
}

func (v *view) Fresh() ([]byte, error) { return v.Read() }

func (v *view) Change(edit func([]byte) ([]byte, error)) ([]byte, error) {
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	text, err := edit(v.of.text)
	if err == nil {
		v.of.text = text
	}
	return text, err
}

func (v *view) Leave(edit func([]byte) ([]byte, error)) error {
	_, err := v.Change(edit)
	return err
}

func (v *view) Changed() <-chan struct{} { return v.changed }

// hears is what follow and leading do when another node has changed something.
func hears(t *testing.T, a *Alerts) {
	t.Helper()
	if err := a.kept.Reread(); err != nil {
		t.Fatal(err)
	}
	if err := a.elect(false); err != nil {
		t.Fatal(err)
	}
}

// Of nodes that share alerts one looks and sends. When it is there no more, another one does, once its lease is over, and sends what is left, once.
func TestOneNodeLeads(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	rules, leads := &memory{}, &memory{}
	node := func(name string) *Alerts {
		return w.node(t, Options{Place: rules.view(), Lead: leads.view(), Node: name, Lease: 90 * time.Second})
	}
	a, b := node("a"), node("b")
	hears(t, a)
	put(t, b, "errors", r.rule(""))
	hears(t, b)
	hears(t, a)
	if !a.leads() || b.leads() {
		t.Fatalf("a leads: %v, b leads: %v", a.leads(), b.leads())
	}
	w.is(rate(0.9))
	w.turn(t, a, b)
	if got := r.states(); got != "alert" {
		t.Fatalf("told %s", got)
	}
	if n := len(w.asked); n != 1 {
		t.Errorf("asked %d times", n)
	}
	hears(t, a) // it tells the others what it found
	hears(t, b)
	if row, _ := b.Get("p", "errors"); row.State != "alert" || row.At == nil || *row.Groups[0].Value != 0.9 {
		t.Errorf("the other node shows %+v", row)
	}
	// The one that leads sees another change, and is gone before it is taken.
	r.answers(http.StatusServiceUnavailable)
	w.is(rate(0.0))
	w.turn(t, a)
	r.answers(0)
	hears(t, b)
	w.turn(t, b)
	if b.leads() || r.states() != "alert ok" {
		t.Fatalf("within the lease b leads: %v, told %s", b.leads(), r.states())
	}
	for range 3 { // what a had claimed it has for itself for a while
		w.pass(time.Minute)
		hears(t, b)
		w.turn(t, b)
	}
	if !b.leads() || r.states() != "alert ok ok" {
		t.Fatalf("b leads: %v, told %s", b.leads(), r.states())
	}
	if got := r.all(); got[1].Data.ID != got[2].Data.ID {
		t.Error("it has another id")
	}
	hears(t, a) // it is back
	if a.leads() {
		t.Error("both lead")
	}
	if err := b.elect(true); err != nil {
		t.Fatal(err)
	}
	hears(t, a)
	if !a.leads() || b.leads() {
		t.Error("the lead was not handed over")
	}
}

// Even where two nodes believe that they lead, as with clocks that are apart, a change is told once.
func TestTwoThatBelieveTheyLead(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	rules := &memory{}
	node := func(name string) *Alerts {
		return w.node(t, Options{Place: rules.view(), Lead: (&memory{}).view(), Node: name, Lease: 24 * time.Hour})
	}
	a, b := node("a"), node("b")
	put(t, a, "errors", r.rule(""))
	for _, n := range []*Alerts{a, b} {
		hears(t, n)
		if !n.leads() {
			t.Fatal("it does not lead")
		}
	}
	for _, v := range []float64{0.9, 0.0, 0.9, 0.2, 0.0} {
		w.is(rate(v))
		w.pass(time.Minute)
		a.round(t.Context())
		b.round(t.Context()) // with what it knew before
		var both sync.WaitGroup
		for _, n := range []*Alerts{a, b} {
			both.Go(func() { n.deliverDue(t.Context()) })
		}
		both.Wait()
		hears(t, a)
		hears(t, b)
	}
	for range 3 {
		w.turn(t, a, b)
	}
	if got := r.states(); got != "alert ok alert warning ok" {
		t.Errorf("told %s", got)
	}
}

// late is a view that has not heard of the last change.
type late struct{ *view }

func (late) Read() ([]byte, error) { return nil, nil }

// A node that has not heard yet that another one leads does not take the lead from it.
func TestLeadIsNotTakenByWhoHearsLate(t *testing.T) {
	t.Parallel()
	w, rules, leads := newWorld(), &memory{}, &memory{}
	a := w.node(t, Options{Place: rules.view(), Lead: leads.view(), Node: "a"})
	hears(t, a)
	b := w.node(t, Options{Place: rules.view(), Lead: late{leads.view()}, Node: "b"})
	hears(t, b)
	if !a.leads() || b.leads() || b.leader().Node != "a" {
		t.Errorf("a leads: %v, b leads: %v", a.leads(), b.leads())
	}
}
