package document

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// shared is a document of a Shared.
type shared struct {
	of      *Shared
	name    string
	file    File
	join    Join
	changed chan struct{}

	// turn is held by the one who talks to the Store.
	turn   sync.Mutex
	asked  time.Time // when the newest version was asked for last
	joined bool      // what the file had is in the Store

	mu      sync.Mutex // guards what follows
	read    bool       // text is the file's, or newer
	text    []byte
	version uint64
}

var _ Place = (*shared)(nil)

func (d *shared) Changed() <-chan struct{} { return d.changed }

// Read is the text that was taken last, or copied before this process began, and with it what another process has made of the file since: that is brought in for all nodes at the next look,
// and holds here before, also while the Store cannot be reached.
func (d *shared) Read() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.read {
		text, err := d.file.Read()
		if err == nil && d.of.shares() != nil {
			d.text, d.read = text, true
		}
		return text, err
	}
	if own := d.edited(); own != nil {
		if joined, err := d.join(own, d.text); err == nil { // else the next look says what is wrong
			return joined, nil
		}
	}
	return d.text, nil
}

// Fresh asks for the newest version. Who asks while another one does waits for one question more at most.
func (d *shared) Fresh() ([]byte, error) {
	err := d.refresh()
	text, unread := d.Read()
	return text, errors.Join(err, unread)
}

func (d *shared) refresh() error {
	came := time.Now()
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.of.shares() == nil || d.asked.After(came) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), freshTime)
	defer cancel()
	return d.take(ctx)
}

func (d *shared) Change(edit func([]byte) ([]byte, error)) ([]byte, error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.of.shares() == nil {
		return d.alone(edit)
	}
	ctx, cancel := context.WithTimeout(context.Background(), changeTime)
	defer cancel()
	for {
		if err := d.take(ctx); err != nil {
			return nil, unavailable(d.name, err)
		}
		old, version := d.known()
		text, err := edit(old)
		if err != nil || old != nil && bytes.Equal(old, text) {
			return text, err
		}
		won, err := d.of.shares().PutDocument(ctx, d.name, version+1, text)
		if err != nil {
			return nil, unavailable(d.name, err)
		}
		if won {
			return text, d.adopt(text, version+1)
		}
	}
}

// alone changes the file, before anything is shared. Who reads meanwhile may have found that it is by now, and what the file had.
func (d *shared) alone(edit func([]byte) ([]byte, error)) ([]byte, error) {
	text, err := d.file.Change(edit)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil && d.read {
		d.text = text
	}
	return text, err
}

// Leave changes the file as another process would: the next look that reaches the Store brings it in. The file must be one that others change.
func (d *shared) Leave(edit func([]byte) ([]byte, error)) error {
	text, err := d.Read()
	if err == nil {
		text, err = edit(text)
	}
	if err == nil {
		_, err = d.file.Change(func([]byte) ([]byte, error) { return text, nil })
	}
	return err
}

func (d *shared) known() ([]byte, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text, d.version
}

// follow takes the newest version, when it is not the one that is known, and what others made of the file.
func (d *shared) follow(ctx context.Context, newest uint64) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	_, version := d.known()
	if d.joined && newest == version && d.edited() == nil {
		return nil
	}
	return d.take(ctx)
}

// edited is the file where another process has changed it, else nil.
func (d *shared) edited() []byte {
	if !d.file.Others {
		return nil
	}
	own, err := d.file.Read()
	if err != nil || own == nil || d.of.copies.has(d.name, own) {
		return nil
	}
	return own
}

// take learns the newest version, and says so, whoever asked: who wants to change something may be refused, and take nothing of it. Before that the file is brought in, unless it is a copy.
// The turn is held.
func (d *shared) take(ctx context.Context) error {
	before, _ := d.known()
	defer func() {
		if now, _ := d.known(); !bytes.Equal(before, now) {
			clock.Wake(d.changed)
		}
	}()
	for {
		_, known := d.known()
		began := time.Now()
		text, version, err := d.of.shares().Document(ctx, d.name, known)
		if err != nil {
			return err
		}
		if version < known { // the tables are others, or were restored
			if text, version, err = d.of.shares().Document(ctx, d.name, 0); err != nil {
				return err
			}
			d.joined = false
			d.of.copies.drop(d.name)
		} else if version == known {
			text, _ = d.known()
		}
		d.asked = began
		if d.joined && d.edited() == nil {
			if version == known {
				return nil
			}
			return d.adopt(text, version)
		}
		done, err := d.bring(ctx, text, version)
		if err != nil || done {
			return err
		}
	}
}

// bring joins what the file has with a version; false: another version came meanwhile.
func (d *shared) bring(ctx context.Context, text []byte, version uint64) (done bool, err error) {
	own, err := d.file.Read()
	if err != nil {
		return false, err
	}
	joined := text
	if own != nil && (version == 0 || !d.of.copies.has(d.name, own)) {
		if joined, err = d.join(own, text); err != nil {
			return false, err
		}
	}
	if !bytes.Equal(joined, text) {
		won, err := d.of.shares().PutDocument(ctx, d.name, version+1, joined)
		if err != nil || !won {
			return false, err
		}
		version++
		d.of.logger.Info("what a file of this node had was brought in for all nodes", "document", d.name, "version", version)
	}
	d.joined = true
	if own != nil {
		d.of.copies.note(d.name, own) // it may be replaced now
	}
	return true, d.adopt(joined, version)
}

// adopt has a version hold here, and copies it. A copy that cannot be written is no reason not to: the error says so when somebody waits.
func (d *shared) adopt(text []byte, version uint64) error {
	d.mu.Lock()
	d.text, d.version, d.read = text, version, true
	d.mu.Unlock()
	if text == nil {
		return nil
	}
	err := d.file.locked(func() error {
		if d.edited() != nil {
			return nil // the next look brings that in, and copies then
		}
		if err := d.of.copies.expect(d.name, text); err != nil {
			return err
		}
		return d.file.write(text)
	})
	if err != nil {
		d.of.logger.Warn("the copy of what all nodes share cannot be written; without the shared place a start would know what the file has", "document", d.name, "error", err)
	}
	return nil
}
