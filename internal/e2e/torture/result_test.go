package torture

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// result is what a run has to show.
type result struct {
	seed    uint64
	began   time.Time
	commit  string
	rows    []*row
	skipped []string // kinds of fault that this machine refuses
	kills   int
	rounds  int
	events  int // acknowledged, of all worlds
	told    map[string]int
	slowest time.Duration // start
}

// row is one kind of fault.
type row struct {
	fault         string
	rounds, kills int
}

func newResult(seed uint64) *result {
	return &result{seed: seed, began: time.Now(), commit: output("git", "describe", "--always", "--dirty", "--abbrev=12"), told: map[string]int{}}
}

func (r *result) row(name string) *row {
	for _, x := range r.rows {
		if x.fault == name {
			return x
		}
	}
	r.rows = append(r.rows, &row{fault: name})
	return r.rows[len(r.rows)-1]
}

// count notes a round.
func (r *result) count(name string, kills int) {
	x := r.row(name)
	x.rounds++
	x.kills += kills
	r.rounds++
	r.kills += kills
}

// take adds what the clients of a world were told.
func (r *result) take(l *ledger, slowest time.Duration) {
	r.events += l.total()
	r.slowest = max(r.slowest, slowest)
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, n := range l.told {
		r.told[k] += n
	}
}

// live runs random rounds in w as long as more says so, and ends it.
func (r *result) live(t *testing.T, w *world, faults []*fault, more func() bool) error {
	t.Helper()
	for more() {
		f := pick(w.rng, faults)
		began, before := time.Now(), w.kills
		err := w.round(f)
		r.count(f.name, w.kills-before)
		t.Logf("round %d, %s: %d kills, %d events acknowledged in this world, %s", r.rounds, f.name, w.kills-before, w.ledger.total(),
			time.Since(began).Round(time.Millisecond))
		if err != nil {
			return err
		}
	}
	err := w.end()
	r.take(w.ledger, w.slowest)
	return err
}

// markdown is the run's section of docs/reliability.md.
func (r *result) markdown() string {
	var b strings.Builder
	b.WriteString("| fault | rounds | kills |\n| --- | ---: | ---: |\n")
	for _, x := range r.rows {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", x.fault, x.rounds, x.kills)
	}
	fmt.Fprintf(&b, "| **all** | **%d** | **%d** |\n\n", r.rounds, r.kills)
	b.WriteString("| of the run | |\n| --- | --- |\n")
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, fmt.Sprintf(format, args...))
	}
	line("events acknowledged", "%d", r.events)
	line("of them lost", "%d", r.told["lost"])
	line("of them doubled", "%d", r.told["doubled"])
	line("answers that clients got", "%d, about %d events processed, %d duplicate, %d failed on purpose; %d asynchronous batches",
		r.told["answers"], r.told["processed"], r.told["duplicate"], r.told["failed"], r.told["jobs"])
	if n := r.told["accepted by two nodes"]; n > 0 {
		line("of them accepted by both nodes, and once in every answer", "%d", n)
	}
	line("requests without an answer, or refused", "%d", r.told["unanswered requests"])
	if n := r.told["ended by DuckDB"]; n > 0 {
		line("processes that DuckDB ended on the broken disk", "%d", n)
	}
	line("slowest start", "%s", r.slowest.Round(time.Millisecond))
	line("seed", "%d", r.seed)
	line("duration", "%s", time.Since(r.began).Round(time.Second))
	line("date", "%s", r.began.UTC().Format(time.DateOnly))
	line("commit", "%s", r.commit)
	line("machine", "%d CPUs, %s %s, %s", runtime.NumCPU(), runtime.GOOS, output("uname", "-rm"), goVersion())
	for _, s := range r.skipped {
		line("left out", "%s", s)
	}
	return b.String()
}

func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown (" + err.Error() + ")"
	}
	return strings.TrimSpace(string(out))
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return runtime.Version()
}

// The table stands between these lines of the document.
const (
	tableBegin = "<!-- torture: begin; `make torture` writes what follows -->\n"
	tableEnd   = "<!-- torture: end -->\n"

	sharedBegin = "<!-- torture of a warehouse: begin; `make torture-warehouse` writes what follows -->\n"
	sharedEnd   = "<!-- torture of a warehouse: end -->\n"
)

// splice puts table between two markers of doc.
func splice(doc, table, begin, end string) (string, error) {
	before, rest, ok := strings.Cut(doc, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("the markers %q and %q are not there, in this order", begin, end)
	}
	return before + begin + "\n" + table + "\n" + end + after, nil
}

func (r *result) writeInto(path, begin, end string) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := splice(string(doc), r.markdown(), begin, end)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func TestSplice(t *testing.T) {
	t.Parallel()
	doc := "# A\n" + tableBegin + "old\n" + tableEnd + "the rest\n"
	got, err := splice(doc, "| new |\n", tableBegin, tableEnd)
	if want := "# A\n" + tableBegin + "\n| new |\n\n" + tableEnd + "the rest\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := splice(tableEnd+tableBegin, "", tableBegin, tableEnd); err == nil {
		t.Error("markers in the wrong order were taken")
	}
}
