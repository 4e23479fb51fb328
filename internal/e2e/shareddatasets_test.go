package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// ask asks a node until it answers with 200: it may be starting, or be away.
func ask(t *testing.T, n func() *rig.Node, method, path, body string) (answer []byte) {
	t.Helper()
	redistest.Eventually(t, time.Minute, func() bool {
		status, text, err := n().Do(t.Context(), http.DefaultClient, method, path, []byte(body))
		if err == nil && status/100 == 4 && status != http.StatusTooManyRequests {
			t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
		answer = text
		return err == nil && status == http.StatusOK
	})
	return answer
}

// Datasets and experiments are of all nodes: whichever is asked, at the same time, or killed; what is erased is gone on all. A node that was alone brings in its own, and what nodes share goes back to
// one that is alone.
func TestNodesShareDatasets(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs two nodes, a Redis and a ClickHouse")
	}
	s := startSharing(t)
	exported := s.importDataset(t)
	s.writeAtOnce(t)
	s.eraseItems(t)
	s.joinAndLeave(t, exported)
}

func (s *sharing) at(i int) func() *rig.Node { return func() *rig.Node { return s.node(i) } }

// importDataset imports as many items as GSM8K has by one node, and exports them by the other.
func (s *sharing) importDataset(t *testing.T) (exported string) {
	t.Helper()
	file, columns := realInput, "input:question,expected:ground_truth"
	if _, err := os.Stat(file); err != nil {
		file = filepath.Join(t.TempDir(), "questions.jsonl")
		var all strings.Builder
		for i := range 1319 {
			fmt.Fprintf(&all, `{"question":"how many are %d and %d?","ground_truth":"#### %d"}`+"\n", i, i, 2*i)
		}
		if err := os.WriteFile(file, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.nodes {
		ask(t, s.at(i), http.MethodGet, "/v1/datasets", "")
	}
	began := time.Now()
	if out, code := cli(t, s.node(0), "datasets", "import", "--columns", columns, "gsm8k", file); code != 0 || !strings.Contains(out, "1319 new, 0 changed, 0 as they were, 0 wrong") {
		t.Fatalf("%d %s", code, out)
	}
	imported := time.Since(began)
	exported = string(ask(t, s.at(1), http.MethodGet, "/v1/datasets/gsm8k/items/export?format=jsonl", ""))
	t.Logf("1319 items were imported in %v and exported by the other node in %v", imported, time.Since(began)-imported)
	if own := string(ask(t, s.at(0), http.MethodGet, "/v1/datasets/gsm8k/items/export?format=jsonl", "")); own != exported || strings.Count(own, "\n") != 1319 {
		t.Errorf("one node exports %d lines, the other %d", strings.Count(own, "\n"), strings.Count(exported, "\n"))
	}
	if out, code := cli(t, s.node(1), "datasets", "import", "--columns", columns, "gsm8k", file); code != 0 || !strings.Contains(out, "version 1: 0 new, 0 changed, 1319 as they were") {
		t.Errorf("imported again by the other node: %d %s", code, out)
	}
	ask(t, s.at(1), http.MethodPost, "/v1/experiments", `{"name":"run","dataset_id":"gsm8k"}`)
	if got := ask(t, s.at(0), http.MethodGet, "/v1/experiments/run", ""); !bytes.Contains(got, []byte(`"dataset_version":1`)) {
		t.Errorf("the experiment of the other node: %s", got)
	}
	return exported
}

// writeAtOnce changes one dataset by both nodes, of which one is killed meanwhile: who gets no answer asks again, anywhere.
func (s *sharing) writeAtOnce(t *testing.T) {
	t.Helper()
	const writers, each = 4, 8
	ask(t, s.at(0), http.MethodPost, "/v1/datasets", `{"name":"many"}`)
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for k := range each {
				if err := s.put(t.Context(), w, fmt.Sprintf(`{"items":[{"id":"w%d-%d","input":%[2]d},{"id":"all","input":"%[1]d of %[2]d"}]}`, w, k)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	s.node(1).Kill()
	s.start(t, 1)
	work.Wait()
	var first []byte
	for i := range s.nodes {
		got := append(ask(t, s.at(i), http.MethodGet, "/v1/datasets/many/items?limit=1000", ""), ask(t, s.at(i), http.MethodGet, "/v1/datasets/many/versions", "")...)
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Errorf("one node says %s, the other %s", first, got)
		}
	}
	var versions struct{ Data []struct{ Version int } }
	s.node(1).GetJSON(t, "/v1/datasets/many/versions", &versions)
	for i, v := range versions.Data {
		if v.Version != len(versions.Data)-i {
			t.Errorf("versions are %+v", versions.Data)
			break
		}
	}
	for w := range writers {
		for k := range each {
			if n := bytes.Count(first, fmt.Appendf(nil, `"id":"w%d-%d"`, w, k)); n != 1 {
				t.Errorf("item %d of writer %d is there %d times", k, w, n)
			}
		}
	}
	t.Logf("%d changes by %d writers made %d versions", writers*each, writers, len(versions.Data))
}

// put puts items, first by node i and then by the one and the other, until one of them says that it did.
func (s *sharing) put(ctx context.Context, i int, body string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		status, answer, err := s.node(i).Do(ctx, s.client, http.MethodPost, "/v1/datasets/many/items", []byte(body))
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil && status/100 == 4 && status != http.StatusTooManyRequests:
			return fmt.Errorf("%d %s", status, answer)
		}
		i++
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// eraseItems makes items of a user's trace by one node, and erases the user by the other.
func (s *sharing) eraseItems(t *testing.T) {
	t.Helper()
	if _, _, err := s.node(0).Post(t.Context(), s.client, &brokle.BatchRequest{Events: eventsOf(t, "itemized")}); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, soon, func() bool {
		return s.node(1).Get(t.Context(), "/v1/traces/itemized", new(json.RawMessage)) == nil
	})
	made := ask(t, s.at(1), http.MethodPost, "/v1/datasets/many/items/from-spans", `{"span_ids":["itemized-o0","itemized-o1"],"trace_id":"itemized"}`)
	if !bytes.Contains(made, []byte(`"created":2`)) {
		t.Fatalf("%s", made)
	}
	for i := range s.nodes {
		if got := ask(t, s.at(i), http.MethodGet, "/v1/datasets/many/items?limit=1000", ""); bytes.Count(got, []byte("asked itemized number")) != 2 {
			t.Fatalf("node %d: %s", i, got)
		}
	}
	redistest.Eventually(t, time.Minute, func() bool {
		status, _, err := s.node(0).Do(t.Context(), s.client, http.MethodDelete, "/v1/users/u-itemized", nil)
		return err == nil && (status == http.StatusOK || status == http.StatusNotFound)
	})
	for i := range s.nodes {
		if got := ask(t, s.at(i), http.MethodGet, "/v1/datasets/many/items?limit=1000", ""); bytes.Contains(got, []byte("itemized")) {
			t.Errorf("node %d still has what was erased: %s", i, got)
		}
	}
	if got := strings.TrimSpace(s.server.Do(t, "SELECT count() FROM brokle.datasets WHERE text LIKE '%itemized%'")); got != "0" {
		t.Errorf("the tables have %s lines of it", got)
	}
}

// joinAndLeave has a node that was alone, and has a dataset and an experiment, share, and makes a directory of what nodes share.
func (s *sharing) joinAndLeave(t *testing.T, exported string) {
	t.Helper()
	dir, back := t.TempDir(), filepath.Join(t.TempDir(), "back")
	alone := startNode(t, dir)
	must(t, alone, http.MethodPost, "/v1/datasets", `{"name":"of one"}`)
	must(t, alone, http.MethodPost, "/v1/datasets/of%20one/items", `{"items":[{"id":"a","input":{"q":1}},{"id":"b","input":2}]}`)
	must(t, alone, http.MethodPost, "/v1/datasets/of%20one/items", `{"items":[{"id":"a","input":{"q":3}}]}`)
	must(t, alone, http.MethodPost, "/v1/experiments", `{"name":"run of one","dataset_id":"of one"}`)
	if code := terminate(t, alone); code != 0 {
		t.Fatal(code)
	}
	if code := terminate(t, s.node(1)); code != 0 {
		t.Errorf("node 1 ends with %d", code)
	}
	s.dirs[1] = dir
	s.start(t, 1)
	var want [3][]byte
	paths := [len(want)]string{"/v1/datasets/of%20one", "/v1/datasets/of%20one/items?version=1", "/v1/experiments/run%20of%20one"}
	redistest.Eventually(t, soon, func() bool {
		status, _, err := s.node(0).Do(t.Context(), s.client, http.MethodGet, paths[0], nil)
		return err == nil && status == http.StatusOK
	})
	for i, path := range paths {
		want[i] = ask(t, s.at(0), http.MethodGet, path, "")
		if got := ask(t, s.at(1), http.MethodGet, path, ""); !bytes.Equal(got, want[i]) {
			t.Errorf("%s: one node says %s, the other %s", path, want[i], got)
		}
	}
	must(t, s.node(0), http.MethodPost, "/v1/prompts", `{"name":"carried","template":{"content":"x"}}`)
	for i := range s.nodes {
		if code := terminate(t, s.node(i)); code != 0 {
			t.Errorf("node %d ends with %d", i, code)
		}
	}
	if out, code := copying(t, 0, "--back", "--accept-loss", "--data", back, "--from", dir, "--warehouse-url", s.urls[0]); code != 0 {
		t.Fatalf("copy back: %d %s", code, out)
	}
	n := startNode(t, back)
	for i, path := range paths {
		status, got, err := n.Do(t.Context(), s.client, http.MethodGet, path, nil)
		if err != nil || status != http.StatusOK || !bytes.Equal(got, want[i]) {
			t.Errorf("alone again %s: %d %v %s, it was %s", path, status, err, got, want[i])
		}
	}
	if _, got, err := n.Do(t.Context(), s.client, http.MethodGet, "/v1/datasets/gsm8k/items/export?format=jsonl", nil); err != nil || string(got) != exported {
		t.Errorf("alone again it exports %d bytes, not %d (%v)", len(got), len(exported), err)
	}
	if status, got, err := n.Do(t.Context(), s.client, http.MethodGet, "/v1/prompts/carried", nil); err != nil || status != http.StatusOK {
		t.Errorf("a prompt of another node is not carried: %d %v %s", status, err, got)
	}
	if code := terminate(t, n); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	if out, code := brokleSays(t, "verify", "--data", back); code != 0 || !strings.Contains(out, "3 datasets of") {
		t.Errorf("verify: %d %s", code, out)
	}
}
