package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// peer is another server that takes the same events.
type peer struct {
	name    string
	module  string // whose version is the peer's
	version string
	wire    wire
	// build is the `go build` arguments, run in dir.
	dir   string
	build []string
	// command gives the arguments to serve on addr and keep data in dir.
	command func(addr, dir string) ([]string, error)
	count   func(url string) (int, error) // see side
}

func peers() []peer {
	return []peer{
		{
			name: "VictoriaLogs", wire: jsonLinesWire(), dir: "peers/victorialogs",
			build: []string{"github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"}, module: "github.com/VictoriaMetrics/VictoriaLogs", count: countVictoriaLogs,
			command: func(addr, dir string) ([]string, error) {
				return []string{"-httpListenAddr=" + addr, "-storageDataPath=" + dir, "-retentionPeriod=100y", "-loggerLevel=ERROR"}, nil
			},
		},
		{
			name: "Collector", wire: otlpWire(), dir: "peers/collector",
			build: []string{"."}, module: "go.opentelemetry.io/collector/otelcol",
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

// make builds the peer from its pinned modules, once, and returns the binary: it is kept in the
// user's cache, by what it is made of.
func (p *peer) make(ctx context.Context) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", p.module)
	list.Dir = p.dir
	version, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", p.name, err)
	}
	p.version = strings.TrimSpace(string(version))
	made, err := madeOf(p.dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(cache, "brokle-bench", strings.ToLower(p.name)+"-"+made)
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	fmt.Printf("building %s %s\n", p.name, p.version)
	half := bin + "-" + strconv.Itoa(os.Getpid())
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-o", half}, p.build...)...)
	build.Dir, build.Stderr = p.dir, os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w", p.name, err)
	}
	return bin, os.Rename(half, bin)
}

// madeOf is a hash of the files of dir and of the version of Go.
func madeOf(dir string) (string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, _ = io.WriteString(h, runtime.Version())
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %d\n%s", f.Name(), len(b), b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
