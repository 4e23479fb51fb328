package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peer is another server that takes the same events.
type peer struct {
	name    string
	version string
	wire    wire
	// build is the `go build` arguments, run in dir.
	dir   string
	build []string
	// command gives the arguments to serve on addr and keep data in dir.
	command func(addr, dir string) ([]string, error)
}

func peers() []peer {
	return []peer{
		{
			name: "VictoriaLogs", wire: jsonLinesWire(), dir: "peers/victorialogs",
			build: []string{"github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"}, version: "github.com/VictoriaMetrics/VictoriaLogs",
			command: func(addr, dir string) ([]string, error) {
				return []string{"-httpListenAddr=" + addr, "-storageDataPath=" + dir, "-retentionPeriod=100y", "-loggerLevel=ERROR"}, nil
			},
		},
		{
			name: "Collector", wire: otlpWire(), dir: "peers/collector",
			build: []string{"."}, version: "go.opentelemetry.io/collector/otelcol",
			command: func(addr, dir string) ([]string, error) {
				config := filepath.Join(dir, "config.yaml")
				text := fmt.Sprintf(`receivers:
  otlp:
    protocols:
      http:
        endpoint: %s
exporters:
  file:
    path: %s
    format: proto
    compression: zstd
service:
  telemetry:
    logs: {level: error}
    metrics: {level: none}
  pipelines:
    logs: {receivers: [otlp], exporters: [file]}
`, addr, filepath.Join(dir, "logs"))
				return []string{"--config", "file:" + config}, os.WriteFile(config, []byte(text), 0o600)
			},
		},
	}
}

// make builds the peer from its pinned modules and returns the binary.
func (p *peer) make(ctx context.Context, o options) (string, error) {
	bin := filepath.Join(o.dir, strings.ToLower(p.name))
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-o", bin}, p.build...)...)
	build.Dir, build.Stderr = p.dir, os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w", p.name, err)
	}
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", p.version)
	list.Dir = p.dir
	version, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", p.name, err)
	}
	p.version = strings.TrimSpace(string(version))
	return bin, nil
}

// measurePeer is one round of a peer: what it answers, and what that costs.
func measurePeer(ctx context.Context, o options, p *peer, bin string, l *load, round int) (r result, err error) {
	dir := o.roundDir(strings.ToLower(p.name)+"-data", round)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	addr, err := freeAddress()
	if err != nil {
		return r, err
	}
	args, err := p.command(addr, dir)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return r, err
	}
	proc := &process{cmd: cmd, url: "http://" + addr}
	if err := waitListening(ctx, addr); err != nil {
		return r, errors.Join(err, proc.stop())
	}
	took, answers, err := l.fire(proc.url, o)
	if err != nil {
		return r, errors.Join(err, proc.stop())
	}
	r = accepted(o, took, answers)
	r.peakRSS = proc.peakRSS()
	if err := proc.stop(); err != nil { // what it had in memory only is written now
		return r, err
	}
	r.cpuPerEvent = cpuPerEvent(cmd.ProcessState, o)
	r.diskPerEvent, _ = diskUse(dir, o.events)
	return r, nil
}

// waitListening waits half a minute at most.
func waitListening(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", addr, err)
		}
	}
}
