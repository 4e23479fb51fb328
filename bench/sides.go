package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const benchKey = "bk_bench_0123456789abcdef"

// sides are the floor, brokle, and the other servers when they are asked for.
func sides(ctx context.Context, o options) ([]*side, error) {
	l, err := newLoad(o, brokleWire())
	if err != nil {
		return nil, err
	}
	floor, err := floorSide(l)
	if err != nil {
		return nil, err
	}
	all := []*side{floor, brokleSide(o, l)}
	if o.other != "" || o.otherBin != "" {
		all = append(all, otherSide(o, l))
	}
	if !o.peers {
		return all, nil
	}
	for _, p := range peers() {
		s := &side{name: p.name, promise: promises[p.name], says: false, command: p.command, count: p.count}
		if s.bin, err = p.make(ctx); err != nil {
			return nil, err
		}
		s.version = p.version
		if s.load, err = newLoad(o, p.wire); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func floorSide(l *load) (*side, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &side{name: "floor", bin: self, says: true, load: l, promise: promises["floor"],
		command: func(addr, dir string) ([]string, error) {
			return []string{"-floor", filepath.Join(dir, "log"), "-floor-addr", addr}, nil
		},
		fsyncs: func(url string) (float64, error) {
			b, err := get(url + fsyncsPath)
			if err != nil {
				return 0, err
			}
			return strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
		}}, nil
}

// brokleSide is the binary with its defaults and o.serve.
func brokleSide(o options, l *load) *side {
	var ops string // of the last that was started
	behind := func() (float64, error) {
		m, err := metrics(ops)
		return m["brokle_indexer_lag_seqs"], err
	}
	return &side{name: "brokle", bin: o.bin, env: []string{"BROKLE_BOOTSTRAP_API_KEY=" + benchKey}, says: true, load: l, promise: promises["brokle"],
		command: func(addr, dir string) (args []string, err error) {
			ops, err = freeAddress()
			return append([]string{"serve", "--listen", addr, "--data", dir, "--ops-listen", ops, "--log-level", "warn"}, o.serve...), err
		},
		count: func(url string) (int, error) {
			if n, err := behind(); err != nil || n > 0 { // asking would make work
				return 0, err
			}
			return countEvents(url)
		},
		behind: behind,
		fsyncs: func(string) (float64, error) {
			m, err := metrics(ops)
			return m["brokle_log_fsyncs_total"], err
		},
		profile: func(o options) error { return saveProfile(ops, o) }}
}

// otherSide is another build of brokle, or brokle with other settings: variables and flags.
func otherSide(o options, l *load) *side {
	var env []string
	if o.otherBin != "" {
		o.bin = o.otherBin
	}
	for _, word := range strings.Fields(o.other) {
		if strings.HasPrefix(word, "-") {
			o.serve = append(slices.Clip(o.serve), word)
		} else {
			env = append(env, word)
		}
	}
	s := brokleSide(o, l)
	s.profile = nil // the file is brokle's
	s.name, s.promise, s.env = "other", strings.TrimSpace("brokle, but for "+o.otherBin+" "+o.other)+".", append(s.env, env...)
	return s
}

// promises is what the answer of a side means.
var promises = map[string]string{
	"floor":        "decodes, looks ids up in a map, appends the body to a file, one fsync for all that wait. No limits, no receipts, no queries. " + pinned,
	"brokle":       "as shipped; 200 means deduplicated and synced, and every event becomes queryable.",
	"VictoriaLogs": "JSON lines: the answer comes before anything is on disk, a crash loses some seconds; no deduplication; queryable.",
	"Collector":    "OTLP/HTTP in, zstd file out: the answer comes when the record is in a buffer; no fsync, no deduplication, no queries.",
}

// asker asks for answers as they are: to compress them costs the server, and nobody has to send them far.
var asker = &http.Client{Transport: &http.Transport{DisableCompression: true}}

func get(url string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", benchKey)
	resp, err := asker.Do(req)
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

// countEvents is what brokle's query API counts.
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

// countVictoriaLogs is what its query language counts.
func countVictoriaLogs(base string) (int, error) {
	b, err := get(base + "/select/logsql/query?query=" + url.QueryEscape("* | stats count() n"))
	if err != nil || len(b) == 0 {
		return 0, err
	}
	var row struct {
		N int `json:"n,string"`
	}
	err = json.Unmarshal(b, &row)
	return row.N, err
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
	b, err := get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%.0f", ops, o.profileTime.Seconds()))
	if err != nil {
		return err
	}
	return os.WriteFile(o.profile, b, 0o644)
}
