// Command count prints what a change of this code costs: how many files and
// functions one event touches on its way, how many edits a column takes, rooms,
// lines, and minutes of tests by room. It judges nothing, and fails only when it
// cannot count.
//
//	go run ./.ci/count
//	go test -json ./... > tests.json; go run ./.ci/count -tests tests.json
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

const module = "github.com/brokle-ai/brokle-go"

func main() {
	tests := flag.String("tests", "", "output of `go test -json`: print minutes by room, too")
	column := flag.String("column", "finish_?reason", "what one column is called, as a regular expression that ignores case")
	list := flag.Bool("list", false, "name the files behind the counts")
	event := flag.Bool("event", true, "build the server and follow an event through it")
	flag.Parse()
	t := &table{list: *list}
	steps := []func() error{t.sizes, func() error { return t.edits(*column) }}
	if *event {
		steps = append(steps, t.event)
	}
	if *tests != "" {
		steps = append(steps, func() error { return t.minutes(*tests) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, "count:", err)
			os.Exit(1)
		}
	}
	t.print()
}

// table is what was counted, in the order in which it is printed.
type table struct {
	list bool
	rows [][2]string
	more []string // lists behind the rows
}

func (t *table) row(what, format string, args ...any) {
	t.rows = append(t.rows, [2]string{what, fmt.Sprintf(format, args...)})
}

// behind keeps what a row counted, to be printed with -list.
func (t *table) behind(what string, items []string) {
	if t.list {
		t.more = append(t.more, fmt.Sprintf("\n%s:\n  %s", what, strings.Join(items, "\n  ")))
	}
}

func (t *table) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%s\n", r[0], r[1])
	}
	_ = w.Flush()
	for _, m := range t.more {
		fmt.Println(m)
	}
}
