package brokleeval

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Experiment says how a task is run over a dataset. The zero value is what Run uses.
type Experiment struct {
	// Name is what the experiment is called. Default: the test's name.
	Name string
	// Config is that of the client that records. Its zero fields are those of the environment; without an APIKey nothing is recorded. The key needs the scopes ingest and read.
	Config brokle.Config
	// Parallel is how many items are worked at once, at least 1. Default 8.
	Parallel int
	// Trials is how often each item is run, at least 1. Default 1.
	Trials int
	// Timeout bounds one run of the task and its scorers. Default 10 minutes; negative: none.
	Timeout time.Duration
	// CacheKey says what of a task makes its output, besides the item: the model, the prompt, the version of the code. With one, an output that is known for the same key and
	// the same content of an item is taken from the cache, and the task is not called. "" never does.
	CacheKey string
	// CacheDir is where outputs and answers of endpoints are kept, by their content. Default: BROKLE_EVAL_CACHE of the environment; "" keeps none.
	CacheDir string
	// Metadata are kept with the experiment: the git commit, the model, whatever tells it from others. Values become JSON.
	Metadata map[string]any
}

// Run runs a task over a dataset as Experiment{} does.
func Run(t testing.TB, d Dataset, task Task, scorers ...Scorer) *Result {
	t.Helper()
	return Experiment{}.Run(t, d, task, scorers...)
}

// Run runs a task over a dataset. It fails the test when the mean of a scorer is below what AtLeast says, and when a scorer fails; it ends the test when the experiment cannot be run at all. An output that could not be recorded
// is an error of the test, too.
func (e Experiment) Run(t testing.TB, d Dataset, task Task, scorers ...Scorer) *Result {
	t.Helper()
	e.Name = cmp.Or(e.Name, t.Name())
	r, err := e.Do(t.Context(), d, task, scorers...)
	if err != nil {
		t.Fatalf("experiment %s: %v", e.Name, err)
	}
	t.Log("\n" + r.String())
	for _, fault := range r.Faults() {
		t.Error(fault)
	}
	return r
}

// Do runs a task over a dataset without a test. The error says why it could not be run; what went wrong with items, scores and thresholds is in the result.
func (e Experiment) Do(ctx context.Context, d Dataset, task Task, scorers ...Scorer) (*Result, error) {
	if err := e.check(scorers); err != nil {
		return nil, err
	}
	e.Parallel, e.Trials, e.Timeout = cmp.Or(e.Parallel, 8), cmp.Or(e.Trials, 1), cmp.Or(e.Timeout, 10*time.Minute)
	s, err := connect(e.Config)
	if err != nil {
		return nil, err
	}
	in, err := d.load(ctx, s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the dataset: %w", err), s.close(ctx))
	}
	r := &running{Experiment: e, task: task, scorers: scorers, server: s, out: &Result{Name: e.Name, DatasetID: in.id, DatasetVersion: in.version, scorers: scorers}}
	if dir := cmp.Or(e.CacheDir, os.Getenv("BROKLE_EVAL_CACHE")); dir != "" {
		r.cache = &cache{filepath.Clean(dir)}
	}
	if s != nil {
		if r.out.ExperimentID, err = s.begin(ctx, e, in); err != nil {
			return nil, errors.Join(err, s.close(ctx))
		}
	}
	start := time.Now()
	r.all(ctx, in.items)
	r.out.Took = time.Since(start)
	return r.out, r.end(ctx)
}

func (e Experiment) check(scorers []Scorer) error {
	var errs []error
	if e.Name == "" {
		errs = append(errs, errors.New("the Name is empty"))
	}
	if e.Parallel < 0 || e.Trials < 0 {
		errs = append(errs, errors.New("one of Parallel and Trials is below 0"))
	}
	names := map[string]bool{}
	for _, s := range scorers {
		if s.Name() == "" || len(s.Name()) > 200 {
			errs = append(errs, fmt.Errorf("a scorer is called %q: 1 to 200 characters", s.Name()))
		}
		if names[s.Name()] {
			errs = append(errs, fmt.Errorf("two scorers are called %q: give one another name with Called", s.Name()))
		}
		names[s.Name()] = true
	}
	return errors.Join(errs...)
}

// running is an experiment that runs.
type running struct {
	Experiment
	task    Task
	scorers []Scorer
	server  *server // nil: nothing is recorded
	cache   *cache  // nil: nothing is kept
	out     *Result
	called  atomic.Int64 // nanoseconds in tasks and scorers
}

// all runs every item, each try of it, on Parallel goroutines, and waits.
func (r *running) all(ctx context.Context, items []Item) {
	r.out.Rows = make([]Row, len(items)*r.Trials)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(r.Parallel, max(1, len(r.out.Rows))) {
		workers.Go(func() {
			for i := range next {
				r.out.Rows[i] = r.one(ctx, items[i/r.Trials], i%r.Trials+1)
			}
		})
	}
	for i := range r.out.Rows {
		next <- i
	}
	close(next)
	workers.Wait()
	r.out.Called = time.Duration(r.called.Load())
}

// one runs one try of an item, and records it.
func (r *running) one(ctx context.Context, it Item, trial int) Row {
	row := Row{Item: it, Trial: trial, Scores: map[string]Score{}, ScoreErrors: map[string]error{}}
	if err := ctx.Err(); err != nil {
		row.Error = err
		return row
	}
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Timeout)
		defer cancel()
	}
	ctx, t := r.server.trace(ctx, r.out, it, trial)
	row.TraceID = t.trace.ID()
	start := time.Now()
	r.run(ctx, it, trial, &row)
	row.Took = time.Since(start)
	t.ran(&row)
	c := Case{Item: it, Output: row.Output, JSON: row.JSON}
	if row.Error == nil {
		r.score(withCache(ctx, r.cache), c, &row)
	} else {
		for _, s := range r.scorers {
			row.Scores[s.Name()] = Score{Reason: "the task failed: " + row.Error.Error()}
		}
	}
	r.called.Add(int64(time.Since(start)))
	t.record(&row)
	return row
}

// run makes the output of a row, or takes it from the cache.
func (r *running) run(ctx context.Context, it Item, trial int, row *Row) {
	key := keyOf("output", r.CacheKey, string(it.Input), fmt.Sprint(trial))
	if r.CacheKey != "" {
		if raw, ok := r.cache.get(key); ok && json.Valid(raw) {
			row.JSON, row.Cached = raw, true
			_ = json.Unmarshal(raw, &row.Output)
			return
		}
	}
	row.Output, row.Error = call(ctx, r.task, it)
	if row.Error != nil {
		return
	}
	var err error
	if row.JSON, err = json.Marshal(row.Output); err != nil {
		row.Error = fmt.Errorf("the output is no JSON: %w", err)
		return
	}
	if r.CacheKey != "" {
		r.cache.put(key, row.JSON)
	}
}

// call calls a task; a panic is its error.
func call(ctx context.Context, task Task, it Item) (out any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v", v)
		}
	}()
	return task(ctx, it)
}

func (r *running) score(ctx context.Context, c Case, row *Row) {
	for _, s := range r.scorers {
		got, err := ask(ctx, s, c)
		if err == nil && (math.IsNaN(got.Value) || math.IsInf(got.Value, 0)) {
			err = fmt.Errorf("the score is %v", got.Value)
		}
		if err != nil {
			row.ScoreErrors[s.Name()] = err
			continue
		}
		row.Scores[s.Name()] = got
	}
}

func ask(ctx context.Context, s Scorer, c Case) (got Score, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v", v)
		}
	}()
	return s.Score(ctx, c)
}

// end says on the server how the experiment ended, and sends what is left. It does so also when ctx has ended.
func (r *running) end(ctx context.Context) error {
	if r.server == nil {
		return nil
	}
	status := "completed"
	if ctx.Err() != nil {
		status = "failed"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := r.server.close(ctx)
	return errors.Join(err, r.server.finish(ctx, r.out.ExperimentID, status))
}
