package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// measureQuestions runs the benchmarks that stand beside the warehouse and beside the
// search, at a tenth of o.ask events and at all of them, and takes their tables over. The warehouse's is
// sent a million at most; what is more are copies.
func measureQuestions(ctx context.Context, o options, to *report) error {
	growth, err := goBench(ctx, "./internal/store/duckstore", "Growth", "-growth", fmt.Sprintf("%d,%d", o.ask/10, o.ask), "-growth.runs", "20", "-benchtime", "1x")
	if err != nil {
		return err
	}
	to.line("## The warehouse and the search alone\n")
	to.line("The warehouse alone: p50 / p95 in ms, in brackets the p50 of processor time; first after a checkpoint, then with 20 000 events that came since.\n")
	to.line("```text\n%s\n```\n", lastTable(keep(growth, func(line string) bool { return strings.HasPrefix(line, " ") })))
	search, err := goBench(ctx, "./internal/server", "Search", "-search.events", strconv.Itoa(o.ask/10), "-benchtime", "10x")
	if err != nil {
		return err
	}
	to.line("Text search, %d events of 900 B: words in no event, in one of 200 000 (needle), of 2 000 (seldom), of 4 (often).\n", o.ask/10)
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

// lastTable is the last of the tables in text: each begins with a line of numbers only.
func lastTable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range slices.Backward(lines) {
		if strings.Trim(strings.ReplaceAll(line, " and ", ""), " 0123456789") == "" {
			return strings.Join(lines[i:], "\n")
		}
	}
	return text
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
