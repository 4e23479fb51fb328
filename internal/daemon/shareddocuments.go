package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// place is where a document is: in a file of the data directory, or, among nodes, with that as its copy. others says that people change the file, too.
func (s *stores) place(cfg Config, name string, others bool, join document.Join) document.Place {
	file := document.File{Path: filepath.Join(cfg.DataDir, filepath.FromSlash(name)), Others: others}
	if s.documents == nil {
		return &file
	}
	return s.documents.Place(name, file, join)
}

// pricePlaces is where the journal of prices is, and the texts that it names; nil: in files alone.
func (s *stores) pricePlaces(cfg Config) func(string) document.Place {
	if s.documents == nil {
		return nil
	}
	texts := func(name string) document.Place {
		return s.place(cfg, datadir.PricesDir+"/"+name, false, func(own, _ []byte) ([]byte, error) { return own, nil }) // its name says what it is
	}
	// The texts come before the journal that names them.
	join := func(own, shared []byte) ([]byte, error) {
		hashes, err := pricing.Texts(own)
		for i := 0; err == nil && i < len(hashes); i++ {
			_, err = texts(pricing.TextName(hashes[i])).Change(func(old []byte) ([]byte, error) {
				if old == nil {
					return nil, fmt.Errorf("%s, which the journal of prices names, is not there", pricing.TextName(hashes[i]))
				}
				return old, nil
			})
		}
		if err != nil {
			return nil, err
		}
		is, had, err := s.noteNumber()
		if err != nil {
			return nil, err
		}
		return pricing.Join(own, shared, is, had)
	}
	return func(name string) document.Place {
		if name == pricing.JournalFile {
			return s.place(cfg, datadir.PricesDir+"/"+name, false, join)
		}
		return texts(name)
	}
}

// headsTime bounds the question how far the other nodes are.
const headsTime = 5 * time.Second

// heads says how far the logs of all nodes are; nil: this one is alone.
func (s *stores) heads() func() (pricing.Reach, error) {
	if s.documents == nil {
		return nil
	}
	return func() (pricing.Reach, error) {
		ctx, cancel := context.WithTimeout(context.Background(), headsTime)
		defer cancel()
		w := s.numbers.Load()
		states, err := w.Nodes(ctx)
		reach := pricing.Reach{Others: map[uint16]entity.Seq{}}
		for _, n := range states {
			reach.Others[n.Node] = max(n.Head, n.Cursor)
		}
		reach.Others[w.Node()] = s.log.Head()
		reach.After = reach.Others[0]
		delete(reach.Others, 0)
		return reach, err
	}
}

// followPrices takes over what other nodes say of prices. What of this node's events was folded before it knew that they hold for it is folded again.
func (n *node) followPrices(ctx context.Context) error {
	select {
	case <-n.shared.Ready():
	case <-ctx.Done():
		return nil
	}
	after, some := entity.Seq(0), false
	told := ""
	clock.Every(ctx, document.Every, func() {
		err := n.prices.Follow()
		if behind, more := n.prices.Behind(n.shared.Node()); more {
			if !some || behind < after {
				after = behind
			}
			some = true
		}
		if err == nil && some {
			if err = n.shared.Resettle(ctx, after); err == nil {
				some = false
			}
		}
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told && !isUnavailable(err):
			told = err.Error()
			n.logger.Warn("what another node said of prices does not hold here yet; it is tried again", "error", err)
		}
	})
	return nil
}

func isUnavailable(err error) bool { return errors.Is(err, store.ErrUnavailable) }
