package mediafiles

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Put implements store.Media. It syncs a file and its directory for each medium that is new.
func (s *Store) Put(project string, all []store.MediumOf) (done func(), err error) {
	newest := map[string]store.MediumOf{}
	for _, m := range all {
		if had, again := newest[m.Hash]; !again || had.At.Before(m.At) {
			newest[m.Hash] = m
		}
	}
	var held []key
	var once sync.Once
	done = func() { once.Do(func() { s.release(held) }) }
	for hash, m := range newest {
		k := key{project, hash}
		h := s.hold(k)
		held = append(held, k)
		if err := s.put(h, k, m); err != nil {
			done()
			return nil, fmt.Errorf("%w: store medium: %w", store.ErrUnavailable, errors.Join(err))
		}
	}
	return done, nil
}

// hold keeps a medium from being removed, and tells those who look whether it may be.
func (s *Store) hold(k key) *holding {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		w.put[k] = true
	}
	h := s.held[k]
	if h == nil {
		h = &holding{}
		s.held[k] = h
	}
	h.n++
	return h
}

func (s *Store) release(held []key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range held {
		if s.held[k].n--; s.held[k].n == 0 {
			delete(s.held, k)
		}
	}
}

func (s *Store) put(h *holding, k key, m store.MediumOf) error {
	h.mu.Lock() // another one may be at it: then it is durable when that is through
	defer h.mu.Unlock()
	name, until, err := s.find(k)
	if err != nil {
		return err
	}
	shard := s.shardOf(k)
	if name != "" {
		s.count(func(c *store.MediaStats) { c.Again++ })
		if !until.Before(m.At) {
			return nil
		}
		if err := s.fs.Rename(s.fs.PathJoin(shard, name), s.fs.PathJoin(shard, nameFor(m))); err != nil {
			return err
		}
		return durable.SyncDirIn(s.fs, shard)
	}
	if err := s.makeDir(s.fs.PathDir(shard)); err != nil {
		return err
	}
	if err := s.makeDir(shard); err != nil {
		return err
	}
	if err := s.write(s.fs.PathJoin(shard, nameFor(m)), m); err != nil {
		return err
	}
	s.count(func(c *store.MediaStats) { c.Stored++; c.Bytes += m.Size })
	return nil
}

// nameFor is the name of a medium that an event needs now: it holds for those of the next moment, too.
func nameFor(m store.MediumOf) string {
	return nameOf(m.Hash, m.At.Add(store.MediaGrain).Truncate(time.Second))
}

// write makes a file durable under its name, or leaves nothing.
func (s *Store) write(path string, m store.MediumOf) error {
	s.mu.Lock()
	s.temps++
	tmp := s.path(tmpDir, strconv.Itoa(s.temps))
	s.mu.Unlock()
	f, err := s.fs.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if _, err = m.WriteTo(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, s.fs.Remove(tmp))
	}
	if err := s.fs.Rename(tmp, path); err != nil {
		return errors.Join(err, s.fs.Remove(tmp))
	}
	if err := durable.SyncDirIn(s.fs, s.fs.PathDir(path)); err != nil {
		return errors.Join(err, s.fs.Remove(path)) // the next one must not take it for durable
	}
	return nil
}

func (s *Store) count(f func(*store.MediaStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}
