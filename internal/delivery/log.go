package delivery

import (
	"log/slog"
	"sync"
	"time"
)

// limitedLog warns at most once in logEvery for each kind of trouble. It is silent without a logger.
type limitedLog struct {
	l *slog.Logger

	mu   sync.Mutex // guards last
	last map[string]*warned
}

type warned struct {
	at      time.Time
	skipped int
}

const logEvery = 10 * time.Second

func newLimitedLog(l *slog.Logger) *limitedLog {
	return &limitedLog{l: l, last: make(map[string]*warned)}
}

func (l *limitedLog) warn(kind, msg string, args ...any) {
	if l.l == nil {
		return
	}
	l.mu.Lock()
	w := l.last[kind]
	if w == nil {
		w = &warned{}
		l.last[kind] = w
	}
	now := time.Now()
	if !w.at.IsZero() && now.Sub(w.at) < logEvery {
		w.skipped++
		l.mu.Unlock()
		return
	}
	skipped := w.skipped
	w.at, w.skipped = now, 0
	l.mu.Unlock()
	if skipped > 0 {
		args = append(args, "skipped", skipped)
	}
	l.l.Warn("brokle: "+msg, args...)
}

func (l *limitedLog) debug(msg string, args ...any) {
	if l.l != nil {
		l.l.Debug("brokle: "+msg, args...)
	}
}
