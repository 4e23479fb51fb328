package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const benchKey = "bk_bench_0123456789abcdef"

type result struct {
	accepted, sustained float64 // events/s
	p50, p99            float64 // ms
	cpuPerEvent         float64 // µs
	peakRSS             float64 // MB
	fsyncsPerRequest    float64
	diskPerEvent        float64 // bytes
	diskParts           []diskPart
	coldStart           float64 // ms
}

type diskPart struct {
	name     string
	perEvent float64
}

// median takes each number's median over the rounds; disk and cold start are the last round's.
func median(rs []result) result {
	mid := func(get func(result) float64) float64 {
		v := make([]float64, len(rs))
		for i, r := range rs {
			v[i] = get(r)
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	last := rs[len(rs)-1]
	return result{
		accepted:         mid(func(r result) float64 { return r.accepted }),
		sustained:        mid(func(r result) float64 { return r.sustained }),
		p50:              mid(func(r result) float64 { return r.p50 }),
		p99:              mid(func(r result) float64 { return r.p99 }),
		cpuPerEvent:      mid(func(r result) float64 { return r.cpuPerEvent }),
		peakRSS:          mid(func(r result) float64 { return r.peakRSS }),
		fsyncsPerRequest: mid(func(r result) float64 { return r.fsyncsPerRequest }),
		diskPerEvent:     last.diskPerEvent, diskParts: last.diskParts, coldStart: last.coldStart,
	}
}

// process is a server under measurement.
type process struct {
	cmd *exec.Cmd
	url string
}

// start runs the command and waits for its "listening on" line.
func start(ctx context.Context, name string, env []string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return &process{cmd, strings.TrimSpace(url)}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s ended before it listened", name), cmd.Wait())
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// peakRSS is the process's VmHWM in MB (proc_pid_status(5)).
func (p *process) peakRSS() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func measureFloor(ctx context.Context, o options, l *load, round int) (result, error) {
	file := o.roundDir("floor", round)
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	p, err := start(ctx, self, nil, "-floor", file)
	if err != nil {
		return result{}, err
	}
	took, answers, err := l.fire(p.url, o)
	if err != nil {
		return result{}, errors.Join(err, p.stop())
	}
	r := accepted(o, took, answers)
	r.peakRSS = p.peakRSS()
	if err := p.stop(); err != nil {
		return result{}, err
	}
	r.cpuPerEvent = cpuPerEvent(p.cmd.ProcessState, o)
	if info, err := os.Stat(file); err == nil {
		r.diskPerEvent = float64(info.Size()) / float64(o.events)
	}
	return r, os.Remove(file)
}

func accepted(o options, took time.Duration, answers []time.Duration) result {
	slices.Sort(answers)
	return result{
		accepted: float64(o.events) / took.Seconds(),
		p50:      percentile(answers, 0.50), p99: percentile(answers, 0.99),
	}
}

func cpuPerEvent(s *os.ProcessState, o options) float64 {
	return float64((s.UserTime() + s.SystemTime()).Microseconds()) / float64(o.events)
}

func measureServer(ctx context.Context, o options, l *load, round int) (result, error) {
	dir := o.roundDir("server", round)
	env := []string{"BROKLE_BOOTSTRAP_API_KEY=" + benchKey}
	ops, err := freeAddress()
	if err != nil {
		return result{}, err
	}
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir, "--ops-listen", ops}, o.serve...)
	p, err := start(ctx, o.bin, env, args...)
	if err != nil {
		return result{}, err
	}
	last := round == o.rounds-1
	profiled := make(chan error, 1)
	if last && o.profile != "" {
		go func() { profiled <- saveProfile(ops, o) }()
	} else {
		profiled <- nil
	}
	begin := time.Now()
	took, answers, err := l.fire(p.url, o)
	if err != nil {
		return result{}, errors.Join(err, p.stop())
	}
	r := accepted(o, took, answers)
	if err := waitQueryable(ctx, p.url, ops, o.events); err != nil {
		return result{}, errors.Join(err, p.stop())
	}
	r.sustained = float64(o.events) / time.Since(begin).Seconds()
	m, err := metrics(ops)
	if err != nil {
		return result{}, errors.Join(err, p.stop())
	}
	r.fsyncsPerRequest = m["brokle_log_fsyncs_total"] / float64(o.events/o.batch)
	r.peakRSS = p.peakRSS()
	if err := <-profiled; err != nil {
		return result{}, errors.Join(err, p.stop())
	}
	r.cpuPerEvent = cpuNow(p.cmd.Process.Pid) / float64(o.events)
	if last && o.settle {
		if err := settle(ctx, dir); err != nil {
			return result{}, errors.Join(err, p.stop())
		}
	}
	if err := p.stop(); err != nil {
		return result{}, err
	}
	r.diskPerEvent, r.diskParts = diskUse(dir, o.events)
	begin = time.Now()
	again, err := start(ctx, o.bin, env, args...)
	if err != nil {
		return result{}, fmt.Errorf("cold start: %w", err)
	}
	r.coldStart = float64(time.Since(begin).Milliseconds())
	return r, errors.Join(again.stop(), os.RemoveAll(dir))
}

// freeAddress is an address of this machine on which nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// cpuNow is the CPU time a living process has used, in µs (proc_pid_stat(5); 100 ticks a second).
func cpuNow(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) * 1e4
}

// waitQueryable returns when the query API counts all events: not when the
// server says that it has caught up, but when a reader sees it.
func waitQueryable(ctx context.Context, url, ops string, want int) error {
	for {
		m, err := metrics(ops)
		if err != nil {
			return err
		}
		if m["brokle_indexer_lag_seqs"] == 0 {
			got, err := countEvents(url)
			if err != nil {
				return err
			}
			if got == want {
				return nil
			}
			if got > want {
				return fmt.Errorf("the query API counts %d events of %d sent", got, want)
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func get(url string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", benchKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %d: %.300s", url, resp.StatusCode, b)
	}
	return b, err
}

func countEvents(url string) (int, error) {
	b, err := get(url + "/v1/stats?of=events&metrics=count")
	if err != nil {
		return 0, err
	}
	var page struct {
		Data []struct{ Count int }
	}
	if err := json.Unmarshal(b, &page); err != nil || len(page.Data) == 0 {
		return 0, err
	}
	return page.Data[0].Count, nil
}

// metrics reads the samples without labels.
func metrics(ops string) (map[string]float64, error) {
	b, err := get("http://" + ops + "/metrics")
	if err != nil {
		return nil, err
	}
	m := map[string]float64{}
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			m[name] = v
		}
	}
	return m, nil
}

func saveProfile(ops string, o options) error {
	b, err := get("http://" + ops + "/debug/pprof/profile?seconds=5")
	if err != nil {
		return err
	}
	return os.WriteFile(o.profile, b, 0o644)
}

// settle waits until the data directory has not changed its size for five
// seconds, at most two minutes: sealed segments are recompressed meanwhile.
func settle(ctx context.Context, dir string) error {
	last, same := int64(-1), 0
	for range 120 {
		size := int64(0)
		for _, p := range dirSizes(dir) {
			size += p
		}
		if size == last {
			if same++; same == 5 {
				return nil
			}
		} else {
			last, same = size, 0
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// dirSizes adds up the files below each entry of dir.
func dirSizes(dir string) map[string]int64 {
	sizes := map[string]int64{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // files come and go while it recompresses
		}
		rel, _ := filepath.Rel(dir, path)
		top, _, _ := strings.Cut(rel, string(filepath.Separator))
		if info, err := d.Info(); err == nil {
			sizes[top] += info.Size()
		}
		return nil
	})
	return sizes
}

func diskUse(dir string, events int) (total float64, parts []diskPart) {
	for name, size := range dirSizes(dir) {
		per := float64(size) / float64(events)
		total += per
		if per >= 0.5 {
			parts = append(parts, diskPart{name, per})
		}
	}
	slices.SortFunc(parts, func(a, b diskPart) int { return strings.Compare(a.name, b.name) })
	return total, parts
}
