package clickhouse

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ClickHouse/ch-go"
)

// Of several nodes that write the same version of a document one succeeds, also when the server has forgotten the tokens, and a reader sees what it wrote.
func TestDocumentsAreReplacedOnce(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, databaseOf(t.TempDir()))
	const nodes, each = 3, 20
	var all [nodes]*Warehouse
	for i := range all {
		all[i] = openWith(t, o)
		t.Cleanup(func() { _ = all[i].Close() })
	}
	if _, version, err := all[0].Document(t.Context(), "a\tb'c", 0); err != nil || version != 0 {
		t.Fatalf("version %d, %v", version, err)
	}
	var work sync.WaitGroup
	for i, w := range all {
		work.Go(func() {
			for k := 0; k < each; {
				text, version, err := w.Document(t.Context(), "a\tb'c", 0)
				won := false
				if err == nil {
					won, err = w.PutDocument(t.Context(), "a\tb'c", version+1, fmt.Appendf(text, "%d-%d\n", i, k))
				}
				if err != nil {
					t.Error(err)
					return
				}
				if won {
					k++
				}
			}
		})
	}
	work.Wait()
	text, version, err := all[1].Document(t.Context(), "a\tb'c", 3)
	if err != nil || version != nodes*each {
		t.Fatalf("version %d, %v", version, err)
	}
	for i := range nodes {
		for k := range each {
			if strings.Count(string(text), fmt.Sprintf("%d-%d\n", i, k)) != 1 {
				t.Errorf("%d-%d is there %d times", i, k, strings.Count(string(text), fmt.Sprintf("%d-%d\n", i, k)))
			}
		}
	}
	if known, same, err := all[2].Document(t.Context(), "a\tb'c", version); err != nil || same != version || len(known) != 0 {
		t.Errorf("what is known is sent again: %d bytes of version %d, %v", len(known), same, err)
	}
	if err := all[0].pool.do(t.Context(), ch.Query{Body: "ALTER TABLE documents MODIFY SETTING non_replicated_deduplication_window = 0"}); err != nil {
		t.Fatal(err)
	}
	if won, err := all[0].PutDocument(t.Context(), "a\tb'c", version, []byte("late")); err != nil || won {
		t.Errorf("a version that is there was written again: %v, %v", won, err)
	}
	if again, _, err := all[1].Document(t.Context(), "a\tb'c", 0); err != nil || string(again) != string(text) {
		t.Errorf("it is %q now, %v", again, err)
	}
	if versions, err := all[0].DocumentVersions(t.Context()); err != nil || len(versions) != 1 || versions["a\tb'c"] != version {
		t.Errorf("%v, %v", versions, err)
	}
}
