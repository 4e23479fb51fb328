package signin

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// fileVersion is the version of the form of the document.
const fileVersion = 1

// entry is a sign-in or a link. It belongs to a key and ends with it at the latest.
type entry struct {
	Hash  string    `json:"hash"` // hex SHA-256 of the token
	KeyID string    `json:"key_id"`
	Ends  time.Time `json:"ends"`
	Link  bool      `json:"link,omitempty"`
	// Over says that it has ended, or was used, before Ends. Until then it stays, so that nobody who knows it from before brings it back.
	Over bool `json:"over,omitempty"`
}

func (e *entry) lives(now time.Time) bool { return !e.Over && now.Before(e.Ends) }

// kept is entries by their hashes. It is replaced, never changed.
type kept map[string]entry

// with is the entries of both: over when one says so, and until the later end. Those whose time is over are left out, and those over the bound that end first.
func (k kept) with(more kept, now time.Time) kept {
	all := kept{}
	for _, from := range []kept{k, more} {
		for hash, e := range from {
			if !now.Before(e.Ends) {
				continue
			}
			if had, ok := all[hash]; ok {
				e.Over = e.Over || had.Over
				if had.Ends.After(e.Ends) {
					e.Ends = had.Ends
				}
			}
			all[hash] = e
		}
	}
	for _, link := range []bool{false, true} {
		all.bound(link)
	}
	return all
}

func (k kept) bound(link bool) {
	if len(k) <= maxSignIns {
		return
	}
	var of []entry
	for _, e := range k {
		if e.Link == link {
			of = append(of, e)
		}
	}
	slices.SortFunc(of, func(a, b entry) int { return b.Ends.Compare(a.Ends) })
	for _, e := range of[min(len(of), maxSignIns):] {
		delete(k, e.Hash)
	}
}

type file struct {
	Version int     `json:"version"`
	SignIns []entry `json:"sign_ins"`
}

// encode is the text of the entries, the same for the same.
func (k kept) encode() ([]byte, error) {
	f := file{Version: fileVersion, SignIns: []entry{}}
	for _, hash := range slices.Sorted(maps.Keys(k)) {
		f.SignIns = append(f.SignIns, k[hash])
	}
	raw, err := json.MarshalIndent(f, "", " ")
	return append(raw, '\n'), err
}

// parse reads a text. What cannot be read holds nobody up: it signs people out.
func parse(text []byte, logger *slog.Logger) kept {
	all := kept{}
	if text == nil {
		return all
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil || f.Version != fileVersion {
		logger.Warn("the sign-ins to the page cannot be read: who was signed in signs in again", "error", err, "version", f.Version)
		return all
	}
	for _, e := range f.SignIns {
		all[e.Hash] = e
	}
	return all
}

// Join makes one text of the sign-ins of a node and of those that all nodes share.
func Join(own, shared []byte) ([]byte, error) {
	quiet := slog.New(slog.DiscardHandler)
	return parse(own, quiet).with(parse(shared, quiet), time.Time{}).encode()
}

// Run keeps sign-ins in step with the document until ctx ends; then it writes what is left and returns nil.
func (d *Desk) Run(ctx context.Context) error {
	s := d.signIns
	if s.place == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.place.Changed():
			s.reload()
		case <-tick.C:
			s.saveLate()
		case <-ctx.Done():
			s.saveLate()
			return nil
		}
	}
}

// saveLate writes what was not written at once.
func (s *signIns) saveLate() {
	s.mu.Lock()
	unsaved := s.unsaved
	s.mu.Unlock()
	if unsaved {
		s.save()
	}
}
