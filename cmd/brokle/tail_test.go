package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// sse serves connections one after the other: each gets its messages and is cut.
type sse struct {
	mu       sync.Mutex // guards asked
	asked    []string   // query and Last-Event-ID of each request
	messages [][]string
}

func (s *sse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, r.URL.Query().Encode()+" "+r.Header.Get("Last-Event-ID"))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprint(w, "retry: 1\n\n")
	if n < len(s.messages) {
		for _, m := range s.messages[n] {
			_, _ = fmt.Fprint(w, m)
		}
		return
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done() // nothing more comes
}

func message(id, event string) string {
	return "id: " + id + "\nevent: event\ndata: " + event + "\n\n"
}

func TestTail(t *testing.T) {
	t.Parallel()
	stream := &sse{messages: [][]string{
		{": heartbeat\n\n", message("1", `{"event_id":"a","event_type":"trace_create","timestamp":1700000000,"payload":{"id":"t1","name":"first \u001b[31m"},"environment":"default"}`)},
		{message("2", `{"event_id":"b","event_type":"observation_complete","timestamp":1700000001.5,"payload":{"id":"o1","trace_id":"t1","type":"tool","level":"ERROR","status_message":"no such order"}}`),
			message("3", `{"event_id":"c","event_type":"quality_score_create","timestamp":1700000002,"payload":{"id":"s1","name":"good","value":0.5}}`)},
		{message("4", `{"event_id":"d","event_type":"event_create","timestamp":1700000003,"payload":{"free":["form"]}}`)},
		{message("5", `{"event_id":"otlp_1","event_type":"observation_create","timestamp":1700000004,"payload":{"otlp":{"door":"otlp","span":{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"chat gpt","status":{"code":2,"message":"rate limited"}}}}}`),
			message("6", `{"event_id":"otlp_2","event_type":"event_create","timestamp":1700000005,"payload":{"otlp":{"door":"otlp","log":{"eventName":"gen_ai.choice"}}}}`)},
	}}
	srv := httptest.NewServer(stream)
	defer srv.Close()
	vars := []string{"BROKLE_HOST=" + srv.URL, "BROKLE_API_KEY=bk_0123456789abcdef"}
	r := command(t, "", vars, "tail", "--limit", "6", "--model", "m", "--event-type", "x", "--has-error=false").want(t, 0)
	const want = `2023-11-14 22:13:20.000  trace_create          first  [31m  id=t1
2023-11-14 22:13:21.500  observation_complete  tool  ERROR  no such order  id=o1  trace=t1
2023-11-14 22:13:22.000  quality_score_create  good  0.5  id=s1
2023-11-14 22:13:23.000  event_create          {"free":["form"]}
2023-11-14 22:13:24.000  observation_create    chat gpt  ERROR  rate limited  id=b7ad6b7169203331  trace=0af7651916cd43dd8448eb211c80319c
2023-11-14 22:13:25.000  event_create          gen_ai.choice
`
	if r.out != want {
		t.Errorf("got\n%s\nwant\n%s", r.out, want)
	}
	// It went on behind what it had shown, with the same filters.
	if got := strings.Join(stream.asked, "|"); got != "event_type=x&has_error=false&model=m |event_type=x&has_error=false&model=m 1|event_type=x&has_error=false&model=m 3|event_type=x&has_error=false&model=m 4" {
		t.Errorf("asked %s", got)
	}
}

func TestTailSinceAndJSON(t *testing.T) {
	t.Parallel()
	stream := &sse{messages: [][]string{{
		message("1", `{"event_id":"old","event_type":"event","timestamp":1700000000,"payload":{}}`),
		message("2", `{"event_id":"new","event_type":"event_create","timestamp":1700000009,"payload":{"a": "<b>"},"received_at":"2023-11-14T22:13:29.5Z","batch_id":"01B","environment":"qa"}`),
	}}}
	srv := httptest.NewServer(stream)
	defer srv.Close()
	vars := []string{"BROKLE_HOST=" + srv.URL, "BROKLE_API_KEY=bk_0123456789abcdef"}
	r := command(t, "", vars, "tail", "--since", "1700000005", "--limit", "1", "--json").want(t, 0)
	if r.out != `{"event_id":"new","event_type":"event_create","timestamp":"2023-11-14T22:13:29Z","received_at":"2023-11-14T22:13:29.5Z","batch_id":"01B","environment":"qa","payload":{"a":"<b>"}}`+"\n" {
		t.Errorf("--json: %s", r.out)
	}
	if stream.asked[0] != "last_event_id=0 " {
		t.Errorf("asked %q", stream.asked)
	}
	command(t, "", vars, "tail", "--since", "lately").want(t, 2, "--since", "RFC 3339")
	command(t, "", vars, "tail", "--limit", "-1").want(t, 2, "--limit is -1")
}

// Ctrl-C is how a tail ends: without an error.
func TestTailEndsOnInterrupt(t *testing.T) {
	t.Parallel()
	stream := &sse{messages: [][]string{{message("1", `{"event_id":"a","event_type":"event_create","timestamp":1,"payload":{}}`)}}}
	srv := httptest.NewServer(stream)
	defer srv.Close()
	cmd := exec.Command(bin, "tail", "--host", srv.URL, "--api-key", "bk_0123456789abcdef")
	cmd.Env = cleanEnv()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "event_create") {
		t.Errorf("%q %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestTailOfAServerWithoutStream(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	command(t, "", []string{"BROKLE_HOST=" + srv.URL, "BROKLE_API_KEY=bk_0123456789abcdef"}, "tail").want(t, 1, "does not stream", "Hint:")
}
