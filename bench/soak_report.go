package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The bounds that docs/operations.md states, for a node with its defaults.
const (
	boundRSS        = 450  // MB
	boundLevel      = 1.05 // of resident memory, from one third of the soak to the next
	boundGoroutines = 300
	boundFiles      = 300
	boundBacklog    = soakBacklog * 1.05 // requests already under way are still taken
	boundGrowth     = 1.15               // of the disk, from one third of the soak to the next
)

// soakReport is what came out of a soak.
type soakReport struct {
	s       *soak
	samples []soakSampled
	rows    []soakRow
}

// soakRow is a line of the table.
type soakRow struct {
	what  string
	value string
	bound string // "" for a number that has none
	ok    bool
}

func newSoakReport(s *soak, samples []soakSampled) *soakReport {
	r := &soakReport{s: s, samples: samples}
	most := func(of func(*soakSampled) float64) float64 { return maxOf(samples, of) }
	rss, backlog := most(func(x *soakSampled) float64 { return x.rss }), most(func(x *soakSampled) float64 { return x.backlog })
	goroutines, files := most(func(x *soakSampled) float64 { return x.goroutines }), most(func(x *soakSampled) float64 { return x.files })
	third := len(samples) / 3
	thirds := func(of func(*soakSampled) float64) (second, last float64) {
		return maxOf(samples[third:2*third], of), maxOf(samples[2*third:], of)
	}
	second, last := thirds((*soakSampled).diskTotal)
	before, after := thirds(func(x *soakSampled) float64 { return x.rss })
	removed := samples[len(samples)-1].removed
	rates, p99 := column(samples, func(x *soakSampled) float64 { return x.rate }), column(samples, func(x *soakSampled) float64 { return x.p99 })
	r.add("accepted", fmt.Sprintf("%.1f million events, %.0f a second", float64(s.accepted.Load())/1e6, percentile(rates, 50)), "", true)
	r.add("answer p99, median over samples", fmt.Sprintf("%.0f ms", percentile(p99, 50)), "", true)
	r.add("questions answered beside it", fmt.Sprint(s.asked.Load()), "every one with 200", true)
	r.add("requests refused with 503 and Retry-After", fmt.Sprint(s.refused.Load()), "", true)
	r.add("removed by retention", fmt.Sprintf("%.1f million events", removed/1e6), judgedFrom(s, shortSoak, "> 0"), removed > 0 || s.o.soak < shortSoak)
	r.add("resident memory, most", fmt.Sprintf("%.0f MB", rss), fmt.Sprintf("< %d MB", boundRSS), rss < boundRSS)
	r.add("resident memory, most in the last third, of the second third's", fmt.Sprintf("%.0f MB, %.2f", after, after/before),
		judgedFrom(s, levelSoak, fmt.Sprintf("≤ %.2f", boundLevel)), after <= before*boundLevel || s.o.soak < levelSoak)
	r.add("Go heap, most", fmt.Sprintf("%.0f MB", most(func(x *soakSampled) float64 { return x.heap })), "", true)
	r.add("goroutines, most", fmt.Sprintf("%.0f", goroutines), fmt.Sprintf("< %d", boundGoroutines), goroutines < boundGoroutines)
	r.add("open files, most", fmt.Sprintf("%.0f", files), fmt.Sprintf("< %d", boundFiles), files < boundFiles)
	r.add("backlog, most", fmt.Sprintf("%.0f events", backlog), fmt.Sprintf("≤ %.0f", boundBacklog), backlog <= boundBacklog)
	r.add("disk, most in the last third, of the second third's", fmt.Sprintf("%.0f MB, %.2f", last, last/second), judgedFrom(s, shortSoak, fmt.Sprintf("≤ %.2f", boundGrowth)), last <= second*boundGrowth || s.o.soak < shortSoak)
	return r
}

// judgedFrom is a bound that only a soak of some length can be held to.
func judgedFrom(s *soak, least time.Duration, bound string) string {
	if s.o.soak < least {
		return ""
	}
	return bound
}

func (r *soakReport) add(what, value, bound string, ok bool) {
	r.rows = append(r.rows, soakRow{what, value, bound, ok})
}

func maxOf(samples []soakSampled, of func(*soakSampled) float64) float64 {
	return slices.Max(append(column(samples, of), 0))
}

func column(samples []soakSampled, of func(*soakSampled) float64) []float64 {
	out := make([]float64, len(samples))
	for i := range samples {
		out[i] = of(&samples[i])
	}
	return out
}

// broken names the bounds that did not hold.
func (r *soakReport) broken() error {
	var errs []error
	for _, row := range r.rows {
		if !row.ok {
			errs = append(errs, fmt.Errorf("bound broken: %s is %s, must be %s", row.what, row.value, row.bound))
		}
	}
	return errors.Join(errs...)
}

// table is the rows in Markdown, with what they are of.
func (r *soakReport) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d CPUs, %s: %s, %s, %d connections, %d events of %d B a request, retention %s.\n\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), cpuName(), r.samples[len(r.samples)-1].at.Round(time.Second),
		soakPace(r.s.o), r.s.o.conns, r.s.o.batch, r.s.load.meanEventBytes(), r.s.kept)
	b.WriteString("| what | seen | bound |\n| --- | --- | --- |\n")
	for _, row := range r.rows {
		bound := row.bound
		switch {
		case bound == "":
			bound = "–"
		case !row.ok:
			bound += " **broken**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row.what, row.value, bound)
	}
	return b.String()
}

// cpuName is the processor's, of proc_cpuinfo(5).
func cpuName() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			}
		}
	}
	return runtime.GOARCH
}
