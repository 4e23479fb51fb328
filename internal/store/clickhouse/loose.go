package clickhouse

import (
	"context"
	"sync"

	"github.com/ClickHouse/ch-go/proto"
)

// A score that names an observation and no trace is loose: its observation says of which trace it is. To look for those of a trace takes the ids of its observations, and most projects have
// none. So a statement that asks for the scores of traces asks beside whether the project has any, which an index tells without reading rows, and only then is looked which they are. Of a
// project that had some they are looked for at once.

// looseObservation is what a loose score names. Rows of scores that are no more name nothing, and stay in the table.
const looseObservation = "if(trace_id = '', observation_id, '')"

// isLoose is the condition of loose scores, in force or not.
const isLoose = "project = {p1:String} AND trace_id = '' AND " + looseObservation + " > ''"

// looseScores remembers which projects had loose scores. What is remembered need not be right.
type looseScores struct {
	mu sync.Mutex // guards of
	of map[string]bool
}

// mostLoose is how many projects are remembered.
const mostLoose = 10_000

func (l *looseScores) in(project string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[project]
}

func (l *looseScores) note(project string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil || len(l.of) >= mostLoose {
		l.of = map[string]bool{}
	}
	l.of[project] = true
}

// scoresAbout runs the statement that is begun, and in it selects the scores that may be of these traces: those that name one of them, and loose ones that name an observation of which one
// is in them. each is called for every row, and loose says of a row whether it is of a loose score.
func (v *view) scoresAbout(ctx context.Context, q *builder, begun, selected, traces string, result proto.Results, loose func(i int) bool, each func(i int)) error {
	ofNamed, ofLoose := v.w.selectScores(selected, traces)
	if v.w.loose.in(v.project) {
		return v.few(ctx, q, begun+ofNamed+" UNION ALL "+ofLoose, result, each)
	}
	some := false
	text := begun + ofNamed + " UNION ALL SELECT " + selected + " FROM scores WHERE " + isLoose + " LIMIT 1"
	err := v.few(ctx, q, text, result, func(i int) {
		if loose(i) {
			some = true
			return
		}
		each(i)
	})
	if err != nil || !some {
		return err
	}
	v.w.loose.note(v.project)
	return v.few(ctx, q, ofLoose, result, each)
}

// selectScores are the two halves of scoresAbout.
func (w *Warehouse) selectScores(selected, traces string) (ofNamed, ofLoose string) {
	named := "project = {p1:String} AND trace_id IN " + traces
	loose := "project = {p1:String} AND trace_id = '' AND observation_id IN (SELECT id FROM observations WHERE " + named + ")"
	if !w.looksAgain.Load() { // with FINAL the server uses no index but the key's
		named += " AND id IN (SELECT id FROM scores WHERE " + named + ")"
		loose += " AND id IN (SELECT id FROM scores WHERE " + loose + ")"
	}
	return "SELECT " + selected + " FROM scores FINAL WHERE " + named, "SELECT " + selected + " FROM scores FINAL WHERE " + loose
}
