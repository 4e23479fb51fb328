package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// measureReprice sends calls of models that have no price, ten observations a trace, and then has all of them priced, and priced again with
// another price: how long that takes beside taking them in, in the same run.
func measureReprice(ctx context.Context, o options, to *report) (err error) {
	l, err := newLoadOf(o, brokleWire(), unpricedCall)
	if err != nil {
		return err
	}
	s, dir := brokleSide(o, l), o.roundDir("reprice", 0)
	p, err := s.start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop(), os.RemoveAll(dir)) }()
	begin := time.Now()
	if _, _, err := l.fire(p.url, o); err != nil {
		return err
	}
	if err := s.waitQueryable(ctx, p.url, o.events); err != nil {
		return err
	}
	took, cpu := time.Since(begin), cpuNow(p.cmd.Process.Pid)
	to.line("%d observations of one day, ten a trace, nine of them calls of a model below an agent, which had no price when they came; seconds, and in brackets processor seconds of the server.\nWhat is told is told before each repricing, too, and is in its time. Before each of them the server has nothing else to do. To be: less than 0.1 of the time of taking them in.\n", o.events)
	to.line("| | took | of taking in |\n| --- | ---: | ---: |")
	row := func(what string, t, c time.Duration) {
		to.line("| %s | %.1f (%.1f) | %.3f (%.3f) |", what, t.Seconds(), c.Seconds(), t.Seconds()/took.Seconds(), c.Seconds()/cpu.Seconds())
	}
	row("taking them in, until they can be asked for", took, cpu)
	for i, what := range []string{"telling what would change", "from no price to one", "from one price to another"} {
		if err := setBenchPrice(p.url, max(i, 1)); err != nil {
			return err
		}
		if err := s.settled(ctx, dir, p); err != nil {
			return err
		}
		begin, used := time.Now(), cpuNow(p.cmd.Process.Pid)
		if err := repriceAll(ctx, p.url, i == 0, o.events*9/10); err != nil {
			return err
		}
		row(what, time.Since(begin), cpuNow(p.cmd.Process.Pid)-used)
	}
	return nil
}

// settled waits until the server has nothing to do.
func (s *side) settled(ctx context.Context, dir string, p *process) error {
	return settle(ctx, dir, p.cmd.Process.Pid)
}

// unpricedCall is one of ten observations of a trace: an agent, and calls below it whose price nobody knows.
func unpricedCall(rng *rand.Rand, i int) brokle.Event {
	more := ""
	if i%eventsPerTrace == 0 {
		more = `"type":"agent"`
	} else {
		more = fmt.Sprintf(`"type":"generation","parent_observation_id":"%s","model":"house-model-%d","prompt_tokens":%d,"completion_tokens":%d`, brokle.NewID(), rng.IntN(4), 50+rng.IntN(900), 20+rng.IntN(400))
	}
	payload := fmt.Sprintf(`{"trace_id":"%s","name":"chat","input":[{"role":"user","content":"%s"}],"output":{"role":"assistant","content":"%s"},%s,"latency_ms":%d}`,
		brokle.NewID(), prose(rng, 230), prose(rng, 240), more, 200+rng.IntN(4000))
	return brokle.Event{Type: brokle.ObservationCreate, Payload: json.RawMessage(payload)}
}

// setBenchPrice sets the own prices of the models, n USD for a million tokens.
func setBenchPrice(url string, n int) error {
	_, err := send(http.MethodPut, url+"/v1/prices", fmt.Sprintf(`[{"model":"^house-model-","input":%d,"output":%d}]`, n, 2*n))
	return err
}

// repriceAll reprices all calls, of which so many are to change, or only asks what would.
func repriceAll(ctx context.Context, url string, dry bool, calls int) error {
	var told struct {
		State   string
		Changed int
	}
	answer, err := send(http.MethodPost, fmt.Sprintf("%s/v1/prices/reprice?dry_run=%t", url, dry), "")
	if err == nil {
		err = json.Unmarshal(answer, &told)
	}
	if err == nil && told.Changed != calls {
		err = fmt.Errorf("%d calls change, want %d", told.Changed, calls)
	}
	if err != nil || dry {
		return err
	}
	return until(ctx, pollEvery, func() error {
		var list struct{ Data []struct{ State string } }
		answer, err := send(http.MethodGet, url+"/v1/prices/reprice?wait=30s", "")
		if err == nil {
			err = json.Unmarshal(answer, &list)
		}
		if err == nil && list.Data[0].State != "done" {
			err = errNotYet
		}
		return err
	})
}

// send makes a request of the server that is measured.
func send(method, url, body string) ([]byte, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", benchKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %d %.300s", method, url, resp.StatusCode, answer)
	}
	return answer, nil
}
