package server

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// operatorProject is the project whose admin keys may make backups. A backup holds
// every project, so that an admin of any other one must not get it. A server's first key is of this
// project, and only the holder of its admin keys, or of the data directory, makes more of them.
const operatorProject = "default"

// getBackup is GET /v1/backup: everything that is the truth, as one archive.
func getBackup(_ context.Context, s *Server, c *call) (*answer, error) {
	switch {
	case c.caller.SignIn != "":
		return nil, problemf(http.StatusForbidden, codeForbidden, "a session makes no backups: send the key")
	case c.caller.Project != operatorProject:
		return nil, problemf(http.StatusForbidden, codeForbidden,
			"a backup holds every project: it takes an admin key of the project %q", operatorProject)
	case s.o.Backup == nil:
		return nil, problemf(http.StatusNotFound, codeNotFound, "this server makes no backups")
	case s.stopping.Err() != nil:
		return nil, s.unavailable(nil)
	}
	header := http.Header{"Content-Type": {"application/x-tar"}, "Content-Disposition": {`attachment; filename="brokle-backup.tar"`}}
	out := &answer{status: http.StatusOK, header: header, stream: func() {}}
	if c.r.Method == http.MethodHead {
		return out, nil
	}
	select {
	case s.backingUp <- struct{}{}:
		out.stream = func() { s.backup(c) }
		return out, nil
	default:
		p := s.unavailable(nil)
		p.code, p.message = codeOverloaded, "another backup is under way"
		return nil, p
	}
}

// backup sends the archive. When it cannot go on, it breaks the connection: the client
// sees that the end is missing.
func (s *Server) backup(c *call) {
	defer func() { <-s.backingUp }()
	began := time.Now()
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)() // a shutdown does not wait for it
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Time{})
	w := &patient{ctx: ctx, w: c.w, control: control, each: s.o.WriteTimeout}
	defer w.giveBack() // whom the next line stops may have begun
	defer context.AfterFunc(ctx, w.hurry)()
	erasures, err := s.o.Eraser.Witness()
	if err == nil {
		defer erasures.Close()
		err = s.o.Backup(ctx, w, erasures.Journal)
	}
	if err != nil {
		s.o.Logger.Warn("a backup was not completed", "by", c.caller.KeyID, "bytes", w.sent, "error", err)
		panic(http.ErrAbortHandler)
	}
	s.o.Logger.Info("a backup was sent", "by", c.caller.KeyID, "bytes", w.sent, "took", time.Since(began))
}

// patient writes to a client that may be slow for as long as it takes something.
type patient struct {
	ctx     context.Context
	w       http.ResponseWriter
	control *http.ResponseController
	each    time.Duration // a write may take so long
	sent    int64

	mu   sync.Mutex // orders deadlines: none is set behind hurry's
	over bool       // the handler returns: the connection is no longer ours
}

func (p *patient) Write(b []byte) (int, error) {
	p.mu.Lock()
	if err := p.ctx.Err(); err != nil {
		p.mu.Unlock()
		return 0, err
	}
	_ = p.control.SetWriteDeadline(time.Now().Add(p.each))
	p.mu.Unlock()
	n, err := p.w.Write(b)
	p.sent += int64(n)
	return n, err
}

// hurry ends a write that is under way.
func (p *patient) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		_ = p.control.SetWriteDeadline(time.Now())
	}
}

// giveBack is the end of the answer: net/http may not be asked for a deadline after it.
func (p *patient) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}
