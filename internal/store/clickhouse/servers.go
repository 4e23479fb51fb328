package clickhouse

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// servers are those that hold the same data. One of them is asked, as long as it answers; one that is away, or refuses to write, is asked last, until it is found to be back.
type servers struct {
	addresses []string

	mu   sync.Mutex // guards what follows
	at   int        // of addresses: the one that answered last
	away []absence  // by address
}

func newServers(addresses []string) *servers {
	return &servers{addresses: addresses, away: make([]absence, len(addresses))}
}

// order is in which order they are asked: of those that are passed over, first the one that has been for longest.
func (s *servers) order() (order []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last []int
	for i := range s.addresses {
		n := (s.at + i) % len(s.addresses)
		if s.away[n].why == nil {
			order = append(order, n)
		} else {
			last = append(last, n)
		}
	}
	slices.SortStableFunc(last, func(a, b int) int { return s.away[a].since.Compare(s.away[b].since) })
	return append(order, last...)
}

// answered notes that a server is there, and that it is the one to ask.
func (s *servers) answered(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = n
	s.back(n)
}

// back has a server that answers be passed over no more, unless it refuses to write. The lock is held.
func (s *servers) back(n int) {
	if !time.Now().Before(s.away[n].until) {
		s.away[n] = absence{}
	}
}

// failed notes why a server is passed over from now on.
func (s *servers) failed(n int, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away[n] = absenceFor(why)
}

// looked notes what a server said when it was asked whether it is there, and returns why it was passed over before and is now.
func (s *servers) looked(n int, err error) (before, after error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.away[n].why
	if err == nil {
		s.back(n)
	} else {
		s.away[n] = absenceFor(err)
	}
	return before, s.away[n].why
}

// inUse is the one that is asked.
func (s *servers) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// gone is why none of them is there, nil when one is.
func (s *servers) gone() (why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.away {
		if why = a.why; why == nil || noWrites(why) != "" {
			return nil
		}
	}
	return why
}

// Away says which of several servers are passed over, by their places in the URL: who asks /readyz need not know their names. "": none.
func (s *servers) Away() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.addresses) < 2 {
		return ""
	}
	var all []string
	for i, a := range s.away {
		if a.why != nil {
			says := "is away: " + notConnected(a.why).Error()
			if why := noWrites(a.why); why != "" {
				says = "refuses to write: " + why
			}
			all = append(all, fmt.Sprintf("server %d of %d %s", i+1, len(s.addresses), says))
		}
	}
	return strings.Join(all, "; ")
}

// lookAround asks the servers that are not in use, or every one, whether they are there, and logs what has changed.
func (p *pool) lookAround(ctx context.Context, logger *slog.Logger, every bool) {
	for i, address := range p.servers.addresses {
		if i == p.servers.inUse() && !every {
			continue
		}
		err := p.knock(ctx, i)
		if ctx.Err() != nil {
			return
		}
		before, after := p.servers.looked(i, err)
		p.logServer(logger, i, address, before, after)
	}
}

// knock asks a server whether it is there.
func (p *pool) knock(ctx context.Context, server int) error {
	c, err := p.dial(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it said what it was asked
	return c.Ping(ctx)
}

func (p *pool) logServer(logger *slog.Logger, i int, address string, before, err error) {
	switch {
	case err != nil && !p.logged[i]:
		text := "a server of clickhouse is away; the others are asked"
		if noWrites(err) != "" {
			text = "a server of clickhouse refuses to write; the others are asked"
		}
		if len(p.servers.addresses) == 1 {
			text = "a shard of clickhouse is away; nothing that it has is answered or written"
		}
		logger.Warn(text, "server", address, "error", notConnected(err), "cause", err)
	case err == nil && (before != nil || p.logged[i]):
		logger.Info("a server of clickhouse is back", "server", address)
	}
	p.logged[i] = err != nil
}

// connectError says why there is no connection. /readyz shows it to whoever asks, so that it names no server; the log has what is below it.
type connectError struct {
	says  string
	cause error
}

func (e *connectError) Error() string   { return e.says }
func (e *connectError) Unwrap() []error { return []error{store.ErrUnavailable, e.cause} }

func notConnected(cause error) error {
	says := "clickhouse cannot be reached"
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	var status *statusError
	switch {
	case ch.IsErr(cause, proto.ErrAuthenticationFailed, proto.ErrUnknownUser, proto.ErrWrongPassword, proto.ErrRequiredPassword):
		says = "clickhouse refuses the user or the password"
	case noWrites(cause) != "":
		says = "clickhouse refuses to write: " + noWrites(cause)
	case ch.IsErr(cause, proto.ErrUnknownDatabase):
		says = "clickhouse has no database of that name"
	case ch.IsException(cause):
		says = "clickhouse refuses the connection"
	case errors.As(cause, &unknown):
		says = "clickhouse's certificate is signed by nobody who is trusted: name the file of who signed it in the URL, with ca="
	case errors.As(cause, &name):
		says = "clickhouse's certificate is not for the host that the URL names"
	case errors.As(cause, &invalid):
		says = "clickhouse's certificate is not valid: it has expired, or is for something else"
	case errors.As(cause, &plain):
		says = "clickhouse does not speak TLS at that port; 9440 is usual with secure=true, 8443 with https://"
	case errors.As(cause, &status):
		says = "clickhouse cannot be reached: " + status.Error()
	case errors.Is(cause, errNotClickHouse):
		says = errNotClickHouse.Error()
	case errors.Is(cause, errSilent):
		says = "clickhouse does not answer"
	}
	return &connectError{says, cause}
}

// causeOf is what is below an error, for the log.
func causeOf(err error) error {
	var is *connectError
	if errors.As(err, &is) {
		return is.cause
	}
	return err
}
