package server

import (
	"bytes"
	"net"
	"net/http"
	"testing"
	"time"
)

// Clients that have sent a part of a large body, and then next to nothing, do not keep a
// healthy batch out: they lose what they hold when it is needed, and those that keep up do not.
func TestSlowSendersGiveWay(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.MaxBodyBytes, o.MaxInFlightBytes = 10<<20, 80<<20 }})
	body := append(bytes.Repeat([]byte(" "), 8<<20), batch(event("healthy", "event_create", `{}`))...)
	whole := h.raw(body)
	const clients = 60
	var slow []net.Conn
	for range clients {
		c := h.dial()
		if _, err := c.Write(whole[:1<<20]); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	h.until("they hold all there is", func() bool { return h.srv.inFlight.used.Load() > 70<<20 })
	began := time.Now()
	stop := make(chan struct{})
	trickled := make(chan struct{})
	go func() { // a few bytes now and then are no progress
		defer close(trickled)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, c := range slow {
				_, _ = c.Write([]byte("    "))
			}
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	h.until("the healthy batch is taken", func() bool {
		rep := h.send("POST", "/v1/telemetry/batch", body)
		if rep.status != http.StatusOK && rep.status != http.StatusServiceUnavailable {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
		return rep.status == http.StatusOK
	})
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it was kept out for %v", took)
	}
	close(stop)
	<-trickled
	for _, c := range slow {
		_ = c.Close()
	}
	h.until("nothing is held", func() bool { return h.srv.inFlight.used.Load() == 0 })
	if got := h.stored(); got != 1 {
		t.Errorf("%d events are stored", got)
	}
}

// A body that holds much must keep its rate over every window, whatever it has earned before.
func TestLargeBodyMayNotStall(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.BodyTimeout = 500 * time.Millisecond }})
	whole := h.raw(bytes.Repeat([]byte(" "), 8<<20))
	c := h.dial()
	if _, err := c.Write(whole[:4<<20]); err != nil { // worth 256 seconds
		t.Fatal(err)
	}
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(20 * time.Second))
	answer := make([]byte, 1024)
	n, err := c.Read(answer)
	if err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 408 ")) {
		t.Fatalf("after %v: %q %v", time.Since(began), answer[:n], err)
	}
}
