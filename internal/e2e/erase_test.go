package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

const (
	eraseKills  = 3  // while an erasure is written down
	eraseRounds = 40 // at most, to get there
)

// A server killed in the middle of an erasure ends it at its next start: nothing of
// the user comes back, in no file, and everybody else's events are there, once.
func TestKilledWhileErasing(t *testing.T) {
	rng := chance.Of(t)
	dir := t.TempDir()
	n := startNode(t, dir)
	kept := postTraces(t, n, rng, "somebody else", 800)
	var caught int
	var took time.Duration // an erasure that nobody disturbs
	for round := 0; caught < eraseKills; round++ {
		if round == eraseRounds {
			t.Fatalf("of %d kills only %d came while an erasure was written down", round, caught)
		}
		user := fmt.Sprintf("Mneme-%d-%x", round, rng.Uint32())
		gone := postTraces(t, n, rng, user, 300)
		kept += postTraces(t, n, rng, "somebody else", 50)
		waitEvents(t, n, kept+gone)
		if took == 0 {
			begin := time.Now()
			if err := eraseUser(t, n, user); err != nil {
				t.Fatal(err)
			}
			took = time.Since(begin)
		} else {
			answer := make(chan error, 1)
			go func() { answer <- eraseUser(t, n, user) }()
			sleep(t, time.Duration(rng.Int64N(int64(took))))
			n.Kill()
			_, begun := os.Stat(filepath.Join(dir, "erasing.json"))
			err := <-answer
			n = startNode(t, dir)
			if begun == nil { // nobody has to ask again
				caught++
				waitGone(t, filepath.Join(dir, "erasing.json"))
			} else if err != nil { // as a client does that heard nothing
				if err := eraseUser(t, n, user); err != nil {
					t.Fatal(err)
				}
			}
		}
		waitEvents(t, n, kept)
		checkErased(t, n, user)
	}
	if code := terminate(t, n); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	checkFiles(t, dir, "Mneme-")
}

// postTraces sends traces of a user, whose texts name them, and says how many events that is.
func postTraces(t *testing.T, n *rig.Node, rng *rand.Rand, user string, traces int) int {
	t.Helper()
	for sent := 0; sent < traces; {
		req := &brokle.BatchRequest{}
		for ; sent < traces && len(req.Events) < 1000; sent++ {
			payload, err := json.Marshal(map[string]any{
				"id": fmt.Sprintf("trace_%016x", rng.Uint64()), "name": "chat", "user_id": user, "input": "text of " + user,
			})
			if err != nil {
				t.Fatal(err)
			}
			req.Events = append(req.Events, brokle.Event{ID: brokle.NewID(), Type: brokle.TraceCreate, Payload: payload})
		}
		answer, _, err := n.Post(t.Context(), http.DefaultClient, req)
		if err != nil || answer.ProcessedEvents != len(req.Events) {
			t.Fatal(answer, err)
		}
	}
	return traces
}

// eraseUser asks for it; that there is nothing any more is what was asked for, too.
func eraseUser(t *testing.T, n *rig.Node, user string) error {
	status, body, err := n.Do(t.Context(), http.DefaultClient, http.MethodDelete, "/v1/users/"+url.PathEscape(user), nil)
	if err == nil && status != http.StatusOK && status != http.StatusNotFound {
		err = fmt.Errorf("DELETE: %d %.300s", status, body)
	}
	return err
}

func waitGone(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(rig.Patience); ; sleep(t, 10*time.Millisecond) {
		if _, err := os.Stat(path); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", path)
		}
	}
}

func checkErased(t *testing.T, n *rig.Node, user string) {
	t.Helper()
	var page brokle.Page[brokle.TraceSummary]
	n.GetJSON(t, "/v1/traces?user_id="+url.QueryEscape(user), &page)
	if len(page.Data) != 0 {
		t.Fatalf("%d traces of %s came back", len(page.Data), user)
	}
}

// checkFiles looks for text in everything that the Log's segments hold, and lets verify look at the rest.
func checkFiles(t *testing.T, dir, text string) {
	t.Helper()
	if out, err := exec.Command(bin.Path, "verify", "--data", dir).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "log", "*.seg"))
	if err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	others := false
	for _, path := range segments {
		out, err := exec.Command(bin.Path, "log", "dump", "--payloads", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(out, []byte(text)); at >= 0 {
			t.Errorf("%s still says %.60q", filepath.Base(path), out[at:])
		}
		others = others || bytes.Contains(out, []byte("somebody else"))
	}
	if !others {
		t.Error("the dumps show no payloads at all")
	}
}
