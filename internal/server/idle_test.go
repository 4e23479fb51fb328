//go:build unix

package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manyFiles makes sure that this process may have n open files, or skips.
func manyFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur >= n {
		return
	}
	raised := syscall.Rlimit{Cur: n, Max: max(n, limit.Max)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		t.Skipf("skipped: this needs %d open files, the system allows %d: %v", n, limit.Max, err)
	}
}

// held is what the process holds for what it did: heap and stacks, in bytes.
func held() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// idleEnv makes this test binary the client of TestTenThousandIdleConnections: a
// process may have too few files for both ends.
const idleEnv = "BROKLE_TEST_IDLE_CLIENT_OF"

const idleConnections = 10_000

// Property 28: 10 000 connections that do nothing cost little memory and no batch.
func TestTenThousandIdleConnections(t *testing.T) {
	manyFiles(t, idleConnections+2000)
	if addr := os.Getenv(idleEnv); addr != "" {
		beIdle(t, addr)
		return
	}
	h := open(t, setup{options: func(o *Options) { o.ReadHeaderTimeout, o.IdleTimeout = time.Minute, time.Minute }})
	h.post(event("warm", "event_create", `{}`))
	before := held()
	client := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTenThousandIdleConnections$", "-test.v")
	client.Env = append(os.Environ(), idleEnv+"="+h.addr)
	stop, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for said.Scan() && said.Text() != idleReady {
		if strings.Contains(said.Text(), "skipped") {
			t.Skip(said.Text())
		}
	}
	if said.Text() != idleReady {
		t.Fatalf("the client did not open its connections: %v", client.Wait())
	}
	each := (int64(held()) - int64(before)) / idleConnections
	t.Logf("%d idle connections hold %d bytes of heap and stack each", idleConnections, each)
	if each > 24<<10 {
		t.Errorf("an idle connection holds %d bytes", each)
	}
	const batches = 50
	began := time.Now()
	for i := range batches {
		if res := h.post(event(fmt.Sprint("among-idle-", i), "event_create", `{}`)); res.ProcessedEvents != 1 {
			t.Fatalf("%+v", res)
		}
	}
	took := time.Since(began)
	t.Logf("%d batches, one after the other, took %v", batches, took)
	if took > 20*time.Second {
		t.Errorf("%d batches took %v among idle connections", batches, took)
	}
	if got := h.stored(); got != batches+1 {
		t.Errorf("%d events are stored, %d were accepted", got, batches+1)
	}
	if err := stop.Close(); err != nil {
		t.Error(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := client.Wait(); err != nil {
		t.Errorf("the client: %v", err)
	}
}

const idleReady = "all connections are open"

// beIdle opens the connections, every other one with an answer behind it, and
// keeps them until its input ends. All must be there still.
func beIdle(t *testing.T, addr string) {
	conns := make([]net.Conn, idleConnections)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns[i] = c
		if i%2 == 1 {
			askHealth(t, c)
		}
	}
	fmt.Println("\n" + idleReady)
	_, _ = io.Copy(io.Discard, os.Stdin)
	for i := 0; i < len(conns); i += 100 {
		askHealth(t, conns[i])
	}
	for _, c := range conns {
		_ = c.Close()
	}
}

func askHealth(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
}

// Property 28: clients that send a byte now and then, in the headers or in the
// body, are told to go when their time is up, however long they keep on.
func TestOneByteAtATime(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.BodyTimeout, o.ReadHeaderTimeout = time.Second, time.Second }})
	whole := string(h.raw(append([]byte(strings.Repeat(" ", 5000)), batch(event("trickle", "event_create", `{}`))...)))
	head := strings.Index(whole, "\r\n\r\n") + 4
	type ending struct {
		what   string
		status int // 0: hung up without an answer
		took   time.Duration
	}
	endings := make(chan ending)
	const each = 20
	trickle := func(what string, at int) {
		c := h.dial()
		began := time.Now()
		_, _ = io.WriteString(c, whole[:at])
		stop := make(chan struct{})
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for i := at; i < len(whole); i++ {
				select {
				case <-tick.C:
				case <-stop:
					return
				}
				if _, err := c.Write([]byte{whole[i]}); err != nil {
					return
				}
			}
		}()
		e := ending{what: what}
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			e.status = res.StatusCode
		}
		e.took = time.Since(began)
		close(stop)
		<-sent
		endings <- e
	}
	for range each {
		go trickle("headers", 20)
		go trickle("body", head+100)
	}
	posted := 0
	for got := 0; got < 2*each; {
		select {
		case e := <-endings:
			got++
			if e.took > 15*time.Second {
				t.Errorf("%s by the byte: ended after %v", e.what, e.took)
			}
			// net/http answers headers that are too slow with 400, 408 or not at all.
			if want := map[string][]int{"headers": {0, 400, 408}, "body": {408}}[e.what]; !slices.Contains(want, e.status) {
				t.Errorf("%s by the byte: status %d", e.what, e.status)
			}
		default:
			posted++
			if res := h.post(event(fmt.Sprint("meanwhile-", posted), "event_create", `{}`)); res.ProcessedEvents != 1 {
				t.Fatalf("%+v", res)
			}
		}
	}
	if posted < 10 {
		t.Errorf("%d batches went in meanwhile", posted)
	}
	if used := h.srv.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in flight", used)
	}
	if got := h.stored(); got != int64(posted) {
		t.Errorf("%d are stored, %d were accepted", got, posted)
	}
}

// A client that asks for much and reads nothing is cut off by the write timeout.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.WriteTimeout = time.Second }})
	for i := range 8 {
		h.post(event(fmt.Sprint("large-", i), "event_create", `{"text":"`+strings.Repeat("x", 1<<20-100)+`"}`))
	}
	c := h.dial()
	_ = c.SetReadBuffer(4 << 10)
	if _, err := fmt.Fprintf(c, "GET /v1/telemetry/events?limit=1000 HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", h.key); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	h.until("the answer was given up", func() bool { // it is counted when its writing ends
		return strings.Contains(string(h.get(h.ops+"/metrics").body), `brokle_http_requests_total{method="GET",route="/v1/telemetry/events",status="200"}`)
	})
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("the answer was written within %v: this proves nothing", took)
	}
}
