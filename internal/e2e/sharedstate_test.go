package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// as sends a request as the page does, with a cookie, or as the holder of a key. It returns the cookie that the answer sets.
func as(t *testing.T, n *rig.Node, method, path, key, cookie, body string) (status int, answer []byte, set string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, n.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: "brokle_session", Value: cookie})
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		set = c.Value
	}
	return res.StatusCode, answer, set
}

// signIn signs in to a node's page, with a key or a link.
func signIn(t *testing.T, n *rig.Node, what map[string]string) (cookie string, status int) {
	t.Helper()
	status, answer, cookie := as(t, n, http.MethodPost, "/v1/session", "", "", string(raw(t, what)))
	if status == http.StatusOK && cookie == "" {
		t.Fatalf("no cookie with %s", answer)
	}
	return cookie, status
}

// linkOf makes a link that signs in once.
func linkOf(t *testing.T, n *rig.Node) (token string) {
	t.Helper()
	status, answer, _ := as(t, n, http.MethodPost, "/v1/session/link", rig.Key, "", "")
	var link struct{ Path string }
	if err := json.Unmarshal(answer, &link); err != nil || status != http.StatusCreated {
		t.Fatalf("a link: %d %s", status, answer)
	}
	_, token, _ = strings.Cut(link.Path, "token=")
	return token
}

// Who is signed in to the page stays so over a restart and a SIGKILL; a link that was made before works after it, once.
func TestSignInOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := startNode(t, dir)
	cookie, status := signIn(t, n, map[string]string{"key": rig.Key})
	if status != http.StatusOK {
		t.Fatal(status)
	}
	link := linkOf(t, n)
	n.Kill()
	n = startNode(t, dir)
	if status, answer, _ := as(t, n, http.MethodGet, "/v1/traces", "", cookie, ""); status != http.StatusOK {
		t.Errorf("after SIGKILL: %d %s", status, answer)
	}
	if _, status := signIn(t, n, map[string]string{"token": link}); status != http.StatusOK {
		t.Errorf("the link: %d", status)
	}
	if code := terminate(t, n); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	n = startNode(t, dir)
	if _, status := signIn(t, n, map[string]string{"token": link}); status != http.StatusUnauthorized {
		t.Errorf("the link a second time: %d", status)
	}
	if status, _, _ := as(t, n, http.MethodDelete, "/v1/session", "", cookie, ""); status != http.StatusNoContent {
		t.Errorf("sign out: %d", status)
	}
	n.Kill()
	n = startNode(t, dir)
	if status, _, _ := as(t, n, http.MethodGet, "/v1/traces", "", cookie, ""); status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", status)
	}
}

// soon is how long a node may take to know what another one was told.
const soon = 30 * time.Second

// alerts counts what a webhook is sent.
type alerts struct {
	*httptest.Server
	mu  sync.Mutex // guards ids
	ids []string
}

func newAlerts(t *testing.T) *alerts {
	a := &alerts{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ ID string }
		_ = json.NewDecoder(r.Body).Decode(&m)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ids = append(a.ids, m.ID)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *alerts) got() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.ids...)
}

// What is kept beside the data is of all nodes: whichever is asked, killed, or cut off.
func TestNodesShareTheirState(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs two nodes, a Redis and a ClickHouse")
	}
	told := newAlerts(t)
	s := startSharing(t, "--budget-interval", "5s", "--alert-webhook", told.URL, "--auth-failures", "10000", "--judge-private")
	for i := range s.nodes {
		redistest.Eventually(t, soon, func() bool {
			_, answer, _ := as(t, s.node(i), http.MethodGet, "/readyz", "", "", "")
			return bytes.Contains(answer, []byte("shared: ok"))
		})
	}
	s.shareKeys(t)
	cookie := s.shareSignIns(t)
	s.shareBudgets(t, told)
	s.sharePrices(t)
	s.sharePrompts(t)
	s.shareJudges(t)
	s.cutOff(t, cookie)
	s.eraseWhatWasNotInserted(t)
	for i := range s.nodes { // a rolling restart signs nobody out
		if code := terminate(t, s.node(i)); code != 0 {
			t.Errorf("node %d ends with %d", i, code)
		}
		s.start(t, i)
		for k := range s.nodes {
			redistest.Eventually(t, soon, func() bool {
				status, _, _ := as(t, s.node(k), http.MethodGet, "/v1/session", "", cookie, "")
				return status == http.StatusOK
			})
		}
	}
	if got := told.got(); len(got) != 1 {
		t.Errorf("alerts in the end: %q", got)
	}
}

// shareKeys makes keys on both nodes at once, uses each on the other, and revokes it there.
func (s *sharing) shareKeys(t *testing.T) {
	t.Helper()
	const each = 4
	var mu sync.Mutex
	made := map[string]string{} // id to secret
	var work sync.WaitGroup
	for i := range s.nodes {
		work.Go(func() {
			for k := range each {
				status, answer, _ := as(t, s.node(i), http.MethodPost, "/v1/keys", rig.Key, "", fmt.Sprintf(`{"name":"n%d-%d","scopes":["read"]}`, i, k))
				var key struct{ ID, Key string }
				if err := json.Unmarshal(answer, &key); err != nil || status != http.StatusCreated {
					t.Errorf("a key: %d %s", status, answer)
					return
				}
				mu.Lock()
				made[key.ID] = key.Key
				mu.Unlock()
			}
		})
	}
	work.Wait()
	is := func(key string, want int) {
		t.Helper()
		for i := range s.nodes {
			redistest.Eventually(t, soon, func() bool {
				status, _, _ := as(t, s.node(i), http.MethodGet, "/v1/traces", key, "", "")
				return status == want
			})
		}
	}
	for _, secret := range made {
		is(secret, http.StatusOK)
	}
	i := 0
	for id, secret := range made {
		began := time.Now()
		if status, answer, _ := as(t, s.node(i), http.MethodDelete, "/v1/keys/"+id, rig.Key, "", ""); status != http.StatusNoContent {
			t.Errorf("revoke: %d %s", status, answer)
		}
		is(secret, http.StatusUnauthorized)
		if i++; i == len(s.nodes) {
			t.Logf("a revoked key was refused by all after %v", time.Since(began))
			break
		}
	}
	// Of a key that every node was started with there is one.
	var keys struct{ Data []struct{ ID string } }
	s.node(1).GetJSON(t, "/v1/keys", &keys)
	if len(keys.Data) != 2*each+1 {
		t.Errorf("%d keys", len(keys.Data))
	}
}

// shareSignIns signs in on one node and is signed in on the other at once; a link works once on all.
func (s *sharing) shareSignIns(t *testing.T) (cookie string) {
	t.Helper()
	for i := range s.nodes {
		var status int
		if cookie, status = signIn(t, s.node(i), map[string]string{"key": rig.Key}); status != http.StatusOK {
			t.Fatalf("sign in: %d", status)
		}
		if status, answer, _ := as(t, s.node(i+1), http.MethodGet, "/v1/session", "", cookie, ""); status != http.StatusOK {
			t.Errorf("signed in on node %d, the other says %d %s", i, status, answer)
		}
		link := linkOf(t, s.node(i))
		if _, status := signIn(t, s.node(i+1), map[string]string{"token": link}); status != http.StatusOK {
			t.Errorf("the link of the other node: %d", status)
		}
		if _, status := signIn(t, s.node(i), map[string]string{"token": link}); status != http.StatusUnauthorized {
			t.Errorf("the link a second time, where it was made: %d", status)
		}
	}
	return cookie
}

// shareBudgets sets budgets on one node, spends on the other, and hears of it once.
func (s *sharing) shareBudgets(t *testing.T, told *alerts) {
	t.Helper()
	if status, answer, _ := as(t, s.node(0), http.MethodPut, "/v1/budgets", rig.Key, "", `[{"name":"all","period":"month","warn":0.3}]`); status/100 != 2 {
		t.Fatalf("budgets: %d %s", status, answer)
	}
	if err := s.deliver(t.Context(), chance.Of(t), 1, eventsOf(t, "spent")); err != nil {
		t.Fatal(err)
	}
	s.sent = append(s.sent, "spent")
	for i := range s.nodes {
		redistest.Eventually(t, time.Minute, func() bool {
			status, answer, _ := as(t, s.node(i), http.MethodGet, "/v1/budgets", rig.Key, "", "")
			return status == http.StatusOK && bytes.Contains(answer, []byte(`"reached":"warn"`)) && bytes.Contains(answer, []byte(`"delivery":"sent"`))
		})
	}
	if got := told.got(); len(got) != 1 {
		t.Errorf("the webhook was told %q", got)
	}
}

// sharePrices sets own prices on one node: what the other takes from then on costs that, whoever is asked.
func (s *sharing) sharePrices(t *testing.T) {
	t.Helper()
	for round := range 4 {
		at := time.Now().UTC()
		price := round + 1
		status, answer, _ := as(t, s.node(round), http.MethodPut, "/v1/prices?from="+at.Format("2006-01-02T15:04:05.000000Z"), rig.Key, "", fmt.Sprintf(`[{"model":"ours","input":%d,"output":%[1]d}]`, price))
		if status/100 != 2 {
			t.Fatalf("prices: %d %s", status, answer)
		}
		trace := fmt.Sprintf("priced-%d", round)
		events := []brokle.Event{{ID: trace + "-e", Type: brokle.ObservationCreate, Payload: raw(t, map[string]any{
			"id": trace + "-o", "trace_id": trace, "type": "generation", "name": "n", "model": "ours", "prompt_tokens": 1_000_000, "completion_tokens": 0,
			"start_time": time.Now().UTC().Format(time.RFC3339Nano),
		})}}
		if _, _, err := s.node(round+1).Post(t.Context(), s.client, &brokle.BatchRequest{Events: events}); err != nil {
			t.Fatal(err)
		}
		var last string
		for i := range s.nodes {
			n := s.node(round + 1 + i)
			redistest.Eventually(t, soon, func() bool {
				var page struct {
					Data []struct {
						TotalCost *float64 `json:"total_cost"`
					}
				}
				status, answer, _ := as(t, n, http.MethodGet, "/v1/observations?trace_id="+trace, rig.Key, "", "")
				last = string(answer)
				return status == http.StatusOK && json.Unmarshal(answer, &page) == nil && len(page.Data) == 1 && page.Data[0].TotalCost != nil && *page.Data[0].TotalCost == float64(price)
			})
		}
		if t.Failed() {
			t.Fatalf("a call of price %d: %s", price, last)
		}
	}
}

// cutOff has the shared place away: nodes go on with what they knew, say so, and change nothing.
func (s *sharing) cutOff(t *testing.T, cookie string) {
	t.Helper()
	s.server.Kill()
	for i := range s.nodes {
		redistest.Eventually(t, soon, func() bool {
			_, answer, _ := as(t, s.node(i), http.MethodGet, "/readyz", "", "", "")
			return bytes.Contains(answer, []byte("shared: degraded: "))
		})
		if status, answer, _ := as(t, s.node(i), http.MethodPost, "/v1/keys", rig.Key, "", `{"name":"n","scopes":["read"]}`); status != http.StatusServiceUnavailable {
			t.Errorf("a key while it is away: %d %s", status, answer)
		}
		if status, answer, _ := as(t, s.node(i), http.MethodGet, "/v1/session", "", cookie, ""); status != http.StatusOK {
			t.Errorf("who was signed in is not while it is away: %d %s", status, answer)
		}
	}
}

// eraseWhatWasNotInserted has a node take events that it cannot insert, and be killed; what is erased meanwhile is not there when it is back. ClickHouse is away when it begins.
func (s *sharing) eraseWhatWasNotInserted(t *testing.T) {
	t.Helper()
	rng := chance.Of(t)
	for _, trace := range []string{"goes", "stays"} {
		events := eventsOf(t, trace)
		if _, _, err := s.node(1).Post(t.Context(), s.client, &brokle.BatchRequest{Events: events[:2]}); err != nil {
			t.Fatal(err)
		}
		if err := s.deliver(t.Context(), rng, 0, events[2:]); err != nil {
			t.Fatal(err)
		}
	}
	s.node(1).Kill()
	s.server.Restart()
	has := func(i int, trace string) bool {
		var whole brokle.Trace
		status, answer, err := s.node(i).Do(context.WithoutCancel(t.Context()), s.client, http.MethodGet, "/v1/traces/"+trace, nil)
		return err == nil && status == http.StatusOK && json.Unmarshal(answer, &whole) == nil && len(whole.Observations) > 0
	}
	redistest.Eventually(t, time.Minute, func() bool { return has(0, "goes") && has(0, "stays") })
	redistest.Eventually(t, 2*time.Minute, func() bool {
		status, answer, err := s.node(0).Do(t.Context(), s.client, http.MethodDelete, "/v1/users/u-goes", nil)
		if err == nil && status == http.StatusNotFound { // the event that names the user is the other node's
			status, answer, err = s.node(0).Do(t.Context(), s.client, http.MethodDelete, "/v1/traces/goes", nil)
		}
		if err == nil && status/100 != 2 && status != http.StatusServiceUnavailable {
			t.Fatalf("erase: %d %s", status, answer)
		}
		return err == nil && status/100 == 2 // else the machine is slow, and what has begun goes on
	})
	s.start(t, 1)
	redistest.Eventually(t, time.Minute, func() bool { // what it had besides is there
		var whole brokle.Trace
		status, answer, err := s.node(0).Do(t.Context(), s.client, http.MethodGet, "/v1/traces/stays", nil)
		return err == nil && status == http.StatusOK && json.Unmarshal(answer, &whole) == nil && len(whole.Observations) == stepsOf && whole.Name == "shared"
	})
	for i := range s.nodes {
		if status, answer, err := s.node(i).Do(t.Context(), s.client, http.MethodGet, "/v1/traces/goes", nil); err != nil || status != http.StatusNotFound {
			t.Errorf("node %d has what was erased: %d %v %s", i, status, err, answer)
		}
	}
	if got := strings.TrimSpace(s.server.Do(t, "SELECT count() FROM brokle.events WHERE trace_id = 'goes' OR entity_id = 'goes'")); got != "0" {
		t.Errorf("the tables have %s events of it", got)
	}
	redistest.Eventually(t, time.Minute, func() bool { // what it was is forgotten, too
		return strings.TrimSpace(s.server.Do(t, "SELECT count() FROM brokle.erasures FINAL WHERE trace_id != '' OR user_id != ''")) == "0"
	})
}
