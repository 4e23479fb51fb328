package modelcall_test

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// announce begins a step of a framework on this goroutine.
func (b *bench) announce(of *modelcall.Outer) (o *brokle.ActiveObservation) {
	of.Given = b.T.Context()
	of.Below, _ = b.Client.StartSpan(of.Given, "chain")
	_, o = b.Client.StartGeneration(of.Below, "chat")
	of.Observation = o
	of.Announce()
	return o
}

func (b *bench) chat(model string) {
	b.T.Helper()
	resp, err := b.post(b.T.Context(), "/v1/chat/completions", fmt.Sprintf(chatRequest, model, false))
	if err != nil {
		b.T.Fatal(err)
	}
	_, _ = io.ReadAll(resp.Body)
	resp.Body.Close()
}

// The first request goes on in what callbacks began, a second try lies beside it, and what comes later is its own.
func TestARequestGoesOnInTheCallThatWasAnnounced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	of := &modelcall.Outer{}
	o := b.announce(of)
	if of.Taken() {
		t.Error("taken without a request")
	}
	b.chat("m-429")
	b.chat("m")
	if !of.Taken() || !of.Withdraw() {
		t.Error("not taken")
	}
	b.chat("m")
	all := b.recorded()
	if len(all) != 4 {
		t.Fatalf("%d observations", len(all))
	}
	requireMembers(t, all[1], `{"id":"`+o.ID()+`","name":"chat","ended":1,"level":"ERROR","error_type":"rate_limit_exceeded","requested_model":"m-429"}`)
	requireMembers(t, all[2], `{"name":"chat m","ended":1,"parent_observation_id":"`+fmt.Sprint(all[0]["id"])+`"}`)
	requireMembers(t, all[3], `{"name":"chat m","ended":1,"parent_observation_id":""}`)
}

// Another goroutine's requests, and those whose context carries another observation, do not belong to it.
func TestOnlyItsOwnRequestsBelongToACall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	of := &modelcall.Outer{NoContent: true}
	b.announce(of)
	var wg sync.WaitGroup
	wg.Go(func() { b.chat("m1") })
	wg.Wait()
	ctx, span := b.Client.StartSpan(t.Context(), "own")
	resp, err := b.post(ctx, "/v1/chat/completions", fmt.Sprintf(chatRequest, "m2", false))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(resp.Body)
	resp.Body.Close()
	span.End()
	if of.Taken() {
		t.Error("another's request was taken for its own")
	}
	b.chat("m3")
	of.Withdraw()
	all := b.recorded()
	if len(all) != 5 {
		t.Fatalf("%d observations", len(all))
	}
	requireMembers(t, all[1], `{"name":"chat","model":"m3","input":"","output":""}`) // NoContent
	requireMembers(t, all[2], `{"name":"chat m1","parent_observation_id":""}`)
	requireMembers(t, all[4], `{"name":"chat m2","parent_observation_id":"`+span.ID()+`"}`)
}

func TestGoroutinesHaveNumbers(t *testing.T) {
	t.Parallel()
	mine := modelcall.Goroutine()
	if mine == 0 || modelcall.Goroutine() != mine {
		t.Fatalf("%d, then %d", mine, modelcall.Goroutine())
	}
	seen := map[uint64]bool{mine: true}
	for range 100 {
		n := make(chan uint64)
		go func() { n <- modelcall.Goroutine() }()
		seen[<-n] = true
	}
	if len(seen) != 101 {
		t.Errorf("%d numbers of 101 goroutines", len(seen))
	}
}

func BenchmarkGoroutine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		modelcall.Goroutine()
	}
}
