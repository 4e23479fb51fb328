package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// measureQuestions runs the benchmarks that stand beside the warehouse and beside the
// search, at one and at ten million events, and takes their tables over.
func measureQuestions(ctx context.Context, _ options, to *report) error {
	growth, err := goBench(ctx, "./internal/store/duckstore", "Growth", "-growth", "1000000,10000000", "-growth.runs", "20", "-benchtime", "1x")
	if err != nil {
		return err
	}
	to.line("## Asking\n")
	to.line("The warehouse alone, over 1 and 10 million events: p50 / p95 in ms, in brackets the p50 of processor time; first after a checkpoint, then with 20 000 events")
	to.line("that came since. Targets at 10 million: first page 150 ms, trace 50 ms, chart of 24 h 300 ms.\n")
	to.line("```text\n%s\n```\n", keep(growth, func(line string) bool {
		return strings.HasPrefix(line, " ")
	}))
	search, err := goBench(ctx, "./internal/server", "Search", "-search.events", "1000000", "-benchtime", "10x")
	if err != nil {
		return err
	}
	to.line("Text search over HTTP, 1 million events of 900 B: words in no event, in one of 200 000 (needle), of 2 000 (seldom), of 4 (often). Target: p95 1.5 s.\n")
	to.line("```text\n%s\n```", keep(search, func(line string) bool { return strings.HasPrefix(line, "BenchmarkSearch/") }))
	return nil
}

// goBench runs one Go benchmark of the product's module.
func goBench(ctx context.Context, pkg, name string, flags ...string) (string, error) {
	args := append([]string{"test", pkg, "-run", "^$", "-bench", name, "-timeout", "20m"}, flags...)
	fmt.Printf("go %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go test %s: %w\n%s", pkg, err, out)
	}
	return string(out), nil
}

// keep is the lines that pass, without what stands before all of them.
func keep(text string, pass func(string) bool) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); pass(line) {
			lines = append(lines, strings.ReplaceAll(line, "\t", "  "))
		}
	}
	return strings.Join(lines, "\n")
}
