package clickhouse

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// datasetsOf is what a project has, as text.
func datasetsOf(t *testing.T, w *Warehouse, project string) string {
	t.Helper()
	var all []string
	err := w.ReadDatasets(t.Context(), project, 1, func(l *store.DatasetLine) error {
		all = append(all, fmt.Sprintf("%d.%d %s%s", l.Entry, l.N, l.Text, map[bool]string{true: " erased"}[l.Erased]))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

func entryOf(writer string, texts ...string) (lines []store.DatasetLine) {
	for _, text := range texts {
		lines = append(lines, store.DatasetLine{Writer: writer, Dataset: "d", Item: text, Trace: "of " + text, Text: text})
	}
	return lines
}

// Of several nodes that write an entry of one number one succeeds, with all of its lines, also when the server has forgotten the tokens.
func TestEntriesAreWrittenOnce(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, databaseOf(t.TempDir()))
	var nodes [3]*Warehouse
	for i := range nodes {
		nodes[i] = openWith(t, o)
		t.Cleanup(func() { _ = nodes[i].Close() })
	}
	const project = "a\tb'c"
	var won [len(nodes)]bool
	var work sync.WaitGroup
	for i, w := range nodes {
		work.Go(func() {
			var err error
			if won[i], err = w.AppendDatasets(t.Context(), project, 1, entryOf(fmt.Sprint(i), fmt.Sprint("a", i), fmt.Sprint("b", i))); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	want := ""
	for i := range won {
		if won[i] {
			want += fmt.Sprintf("1.0 a%d, 1.1 b%[1]d", i)
		}
	}
	if got := datasetsOf(t, nodes[0], project); got != want {
		t.Fatalf("%v won, and there is %q", won, got)
	}
	if won, err := nodes[1].AppendDatasets(t.Context(), project, 3, entryOf("x", "c")); err != nil || !won { // there may be gaps
		t.Fatal(won, err)
	}
	s.Do(t, "ALTER TABLE "+o.Database+".datasets MODIFY SETTING non_replicated_deduplication_window = 0")
	if won, err := nodes[2].AppendDatasets(t.Context(), project, 3, entryOf("y", "late", "later")); err != nil || won {
		t.Errorf("an entry that is there was written again: %v, %v", won, err)
	}
	if got := datasetsOf(t, nodes[0], project); got != want+", 3.0 c" {
		t.Errorf("%q", got)
	}
	read := map[int]string{}
	err := nodes[0].ReadDatasetsAt(t.Context(), project, []store.DatasetPlace{{Entry: 3}, {Entry: 1, N: 1}, {Entry: 2}}, func(i int, l *store.DatasetLine) error {
		read[i] = l.Text
		return nil
	})
	if err != nil || len(read) != 2 || read[0] != "c" || read[1][0] != 'b' {
		t.Errorf("%v, %v", read, err)
	}
	// What lost is erased as well: it has the same words.
	if n, all, err := nodes[0].EraseDatasets(t.Context(), project, []string{"of c", "of late", "of nothing"}); err != nil || n != 2 || all != 2 {
		t.Errorf("%d, %d, %v", n, all, err)
	}
	if got := s.Do(t, "SELECT groupArray(text) FROM (SELECT text FROM "+o.Database+".datasets WHERE entry = 3 ORDER BY text)"); got != "['','','later']" {
		t.Errorf("the table has %s", got)
	}
	if n, all, err := nodes[0].EraseDatasets(t.Context(), "another", []string{"of late"}); err != nil || n != 0 || all != 0 {
		t.Errorf("of a project that has nothing: %d, %d, %v", n, all, err)
	}
	if err := nodes[0].TrimDataset(t.Context(), project, "d", 3); err != nil {
		t.Error(err)
	}
	if won, err := nodes[1].AppendDatasets(t.Context(), project, 1, entryOf("z", "before what others know")); err != nil || won {
		t.Errorf("an entry was written in the place of one that was trimmed: %v, %v", won, err)
	}
	if got := datasetsOf(t, nodes[1], project); got != "1.0  erased, 3.0  erased" {
		t.Errorf("%q", got)
	}
	if _, all, err := nodes[0].EraseDatasets(t.Context(), project, []string{"of nothing"}); err != nil || all != 2 {
		t.Errorf("what is trimmed counts as erased: %d, %v", all, err)
	}
	if projects, err := nodes[2].DatasetProjects(t.Context()); err != nil || len(projects) != 1 || projects[0] != project {
		t.Errorf("%q, %v", projects, err)
	}
}

// Tables of the version before have no datasets: they are made, and who knows only that version does not use them any more.
func TestTablesOfVersionOne(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, databaseOf(t.TempDir()))
	w := openWith(t, o)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.Do(t, "DROP TABLE "+o.Database+".datasets")
	s.Do(t, fmt.Sprintf("ALTER TABLE %s.marks DELETE WHERE name = 'schema' SETTINGS mutations_sync = 2", o.Database))
	s.Do(t, fmt.Sprintf("INSERT INTO %s.marks (name, turn, owner) VALUES ('schema', 1, 'before')", o.Database))
	is, err := Inspect(t.Context(), o)
	if err != nil || is.Whole() || is.Version != 1 || len(is.Absent) != 1 || is.Absent[0] != "datasets" {
		t.Fatalf("%+v, %v", is, err)
	}
	o.Logger = slog.New(slog.DiscardHandler) // the server still knows the token of the mark that was taken away
	w = openWith(t, o)
	t.Cleanup(func() { _ = w.Close() })
	if is, err = Inspect(t.Context(), o); err != nil || !is.Whole() || is.Version != 2 {
		t.Errorf("%+v, %v", is, err)
	}
	if won, err := w.AppendDatasets(t.Context(), "one", 1, entryOf("x", "a")); err != nil || !won {
		t.Error(won, err)
	}
}
