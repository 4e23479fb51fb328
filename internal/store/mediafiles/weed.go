package mediafiles

import (
	"context"
	"errors"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// watch sees what is put while somebody looks at what may be removed.
type watch struct{ put map[key]bool }

// Weed implements store.Media. What it has removed is gone from the disk when it returns.
func (s *Store) Weed(ctx context.Context, project string, hashes []string, referred func(context.Context, []string) (map[string]bool, error)) (removed int, err error) {
	w, free := s.watch(project, hashes)
	defer s.unwatch(w)
	if len(free) == 0 {
		return 0, nil
	}
	stay, err := referred(ctx, free)
	if err != nil {
		return 0, fmt.Errorf("weed media: %w", err)
	}
	shards := map[string]bool{}
	for _, hash := range free {
		if stay[hash] {
			continue
		}
		k := key{project, hash}
		gone, failed := s.remove(w, k)
		if gone {
			removed++
			shards[s.shardOf(k)] = true
		}
		err = errors.Join(err, failed)
	}
	for shard := range shards {
		err = errors.Join(err, durable.SyncDirIn(s.fs, shard))
	}
	s.count(func(c *store.MediaStats) { c.Removed += int64(removed) })
	if err != nil {
		return removed, fmt.Errorf("weed media: %w", err)
	}
	return removed, nil
}

// watch begins to look; free are those of the media that nobody holds.
func (s *Store) watch(project string, hashes []string) (w *watch, free []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w = &watch{put: map[key]bool{}}
	s.watches[w] = true
	for _, hash := range hashes {
		if s.held[key{project, hash}] == nil {
			free = append(free, hash)
		}
	}
	return w, free
}

func (s *Store) unwatch(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watches, w)
}

// remove removes a medium, unless it was put since the watch began.
func (s *Store) remove(w *watch, k key) (gone bool, err error) {
	h, mine := s.holdFree(w, k)
	if !mine {
		return false, nil
	}
	defer s.release([]key{k})
	h.mu.Lock() // who puts it from now on waits, and finds that it is gone
	defer h.mu.Unlock()
	if s.wasPut(w, k) {
		return false, nil
	}
	name, _, err := s.find(k)
	if err != nil || name == "" {
		return false, err
	}
	if err := s.fs.Remove(s.fs.PathJoin(s.shardOf(k), name)); err != nil {
		return false, err
	}
	return true, nil
}

// holdFree holds a medium that nobody else holds and nobody has put.
func (s *Store) holdFree(w *watch, k key) (h *holding, free bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.put[k] || s.held[k] != nil {
		return nil, false
	}
	h = &holding{n: 1}
	s.held[k] = h
	return h, true
}

func (s *Store) wasPut(w *watch, k key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.put[k]
}
