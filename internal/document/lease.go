package document

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// Lease says which one of several nodes does something, until when; it is kept in a Place. It is safe for concurrent use.
type Lease struct {
	place  Place
	node   string
	length time.Duration
	what   string // for the log
	now    func() time.Time
	logger *slog.Logger
	taken  chan struct{} // has room for one: this node has it now

	mu sync.Mutex // guards is
	is holder
}

// holder is who has a lease.
type holder struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// NewLease makes a lease that this node does not have. what says in the log what its holder does.
func NewLease(place Place, node, what string, length time.Duration, now func() time.Time, logger *slog.Logger) *Lease {
	return &Lease{place: place, node: node, what: what, length: length, now: now, logger: logger, taken: make(chan struct{}, 1)}
}

// Held says whether this node has it. One that is nil is of a node alone, which has it.
func (l *Lease) Held() bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.is.Node == l.node && l.now().Before(l.is.Until)
}

// Taken has room for one: this node has it since.
func (l *Lease) Taken() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.taken
}

// Run takes the lease when nobody has it, keeps it, and leaves it to others when ctx ends.
func (l *Lease) Run(ctx context.Context) {
	told := ""
	for {
		err := l.elect(false)
		switch {
		case err == nil:
			told = ""
		case err.Error() != told:
			told = err.Error()
			l.logger.Warn("which node "+l.what+" cannot be said; this one does not", "error", err)
		}
		if !clock.Pause(ctx, l.length/3, l.place.Changed()) {
			break
		}
	}
	if l.Held() {
		if err := l.elect(true); err != nil {
			l.logger.Warn("the other nodes could not be told that this one ends; one of them goes on when its lease is over", "what", l.what, "error", err)
		}
	}
}

// elect takes or keeps the lease, unless another node has it; leave has it end.
func (l *Lease) elect(leave bool) error {
	text, err := l.place.Read()
	if err != nil {
		return err
	}
	is, err := holderOf(text)
	if err != nil {
		return err
	}
	if now := l.now(); is.Node != l.node && now.Before(is.Until) {
		l.follow(is) // what is known is enough to leave it alone
		return nil
	}
	text, err = l.place.Change(func(old []byte) ([]byte, error) {
		is, err := holderOf(old)
		now := l.now().UTC().Truncate(time.Microsecond)
		switch {
		case err != nil:
			return nil, err
		case is.Node != l.node && now.Before(is.Until):
			return old, nil
		}
		next := holder{l.node, now.Add(l.length)}
		if leave {
			next.Until = now
		}
		raw, err := json.Marshal(next)
		return append(raw, '\n'), err
	})
	if err == nil {
		is, err = holderOf(text)
	}
	if err == nil {
		l.follow(is)
	}
	return err
}

func (l *Lease) follow(is holder) {
	had := l.Held()
	l.mu.Lock()
	l.is = is
	l.mu.Unlock()
	if !had && l.Held() {
		l.logger.Info("this node " + l.what)
		clock.Wake(l.taken)
	}
}

func holderOf(text []byte) (h holder, err error) {
	if len(text) == 0 {
		return h, nil
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("what is kept of who has a lease is damaged: %w", err)
	}
	return h, nil
}

// JoinLease is a lease among nodes: what a node's file says of it holds no more.
func JoinLease(_, shared []byte) ([]byte, error) {
	if shared == nil {
		return []byte("{}\n"), nil
	}
	return shared, nil
}
