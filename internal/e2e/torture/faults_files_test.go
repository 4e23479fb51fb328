package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// fileFaults damage what a node keeps, while it is down. What is derived from the
// Log must come back by itself, whatever became of its files.
func fileFaults() []*fault {
	return []*fault{
		{"id index: a file damaged or deleted", 6, (*world).damagedIndex},
		{"id index: all deleted", 2, func(w *world) error {
			w.down()
			return w.withoutIndex()
		}},
		{"warehouse: a file damaged or deleted", 6, func(w *world) error { return w.damaged(warehouseFiles) }},
		{"log: bytes behind what was synced", 6, func(w *world) error {
			w.down()
			if err := w.tearTail(); err != nil {
				return err
			}
			return w.startAndRead()
		}},
		{"log: a segment of a copy damaged or deleted", 6, damagedCopy},
	}
}

// down ends the server, mostly with SIGKILL.
func (w *world) down() {
	w.wait(w.between(20*time.Millisecond, 200*time.Millisecond))
	if w.rng.IntN(4) == 0 {
		if err := w.terminate(); err != nil {
			w.ledger.fault("%v", err)
		}
		return
	}
	w.kill()
}

// damagedIndex damages a file of the id index. What of it nobody has met by the end of the round would end the server
// in a later one, as it must, when runs are merged: it goes.
func (w *world) damagedIndex() error {
	if err := w.damaged(indexFiles); err != nil {
		return err
	}
	w.kill()
	return w.withoutIndex()
}

// withoutIndex deletes the id index while the server is down, and starts it.
func (w *world) withoutIndex() error {
	if err := os.RemoveAll(filepath.Join(w.data, "log", "index")); err != nil {
		return err
	}
	return w.startAndRead()
}

func indexFiles(data string) ([]string, error) {
	return filepath.Glob(filepath.Join(data, "log", "index", "*"))
}

func warehouseFiles(data string) ([]string, error) {
	return filepath.Glob(filepath.Join(data, "warehouse.duckdb*"))
}

// damaged ends the server, damages one of its files, and starts it.
func (w *world) damaged(list func(data string) ([]string, error)) error {
	w.down()
	files, err := list(w.data)
	if err != nil {
		return err
	}
	if len(files) == 0 { // the id index has none before its first table is full, or a stop
		w.ledger.note(map[string]any{"damage": "none: there is no file"})
		return w.startAndRead()
	}
	path := files[w.rng.IntN(len(files))]
	how, _, err := harm(w.rng, path)
	if err != nil {
		return err
	}
	w.ledger.note(map[string]any{"damage": how, "file": path})
	if err := w.startAndRead(); err != nil {
		return fmt.Errorf("after %s of %s: %w", how, path, err)
	}
	return nil
}

// startAndRead starts the server and reads everything that was acknowledged
// before, because the damage may lie in what nobody else reads in this round.
func (w *world) startAndRead() error {
	if err := w.start(); err != nil {
		return err
	}
	w.full = true
	return nil
}

// span is the bytes of a file that were destroyed, from ≤ b < to.
type span struct{ from, to int64 }

// harm does to a file what a bad disk or an interrupted copy does.
func harm(rng *rand.Rand, path string) (how string, gone []span, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, err
	}
	size := info.Size()
	end := span{size, 1 << 62}
	if info.IsDir() || size == 0 || rng.IntN(5) == 0 {
		return "deletion", []span{{0, 1 << 62}}, os.RemoveAll(path)
	}
	if rng.IntN(3) == 0 {
		to := rng.Int64N(size)
		return fmt.Sprintf("truncation to %d of %d bytes", to, size), []span{{to, end.to}}, os.Truncate(path, to)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = f.Close() }()
	if rng.IntN(3) == 0 { // a sector that reads as zeros
		at := rng.Int64N(size) &^ 4095
		b := make([]byte, min(4096, size-at))
		_, err = f.WriteAt(b, at)
		return fmt.Sprintf("zeros at %d of %d bytes", at, size), []span{{at, at + int64(len(b))}}, err
	}
	how = "bits flipped"
	for range 1 + rng.IntN(4) {
		at := rng.Int64N(size)
		var b [1]byte
		if _, err := f.ReadAt(b[:], at); err != nil {
			return "", nil, err
		}
		b[0] ^= 1 << rng.IntN(8)
		if _, err := f.WriteAt(b[:], at); err != nil {
			return "", nil, err
		}
		how += fmt.Sprintf(" at %d", at)
		gone = append(gone, span{at, at + 1})
	}
	return how + fmt.Sprintf(" of %d bytes", size), gone, nil
}

func segments(data string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(data, "log", "*.seg"))
	slices.Sort(files) // by Seq, which is their name
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no segment in %s", data)
	}
	return files, err
}

// tearTail puts behind the end of the newest segment what a crash can leave there:
// zeros, bytes of other files, the beginning of a block, a block of long ago.
func (w *world) tearTail() error {
	files, err := segments(w.data)
	if err != nil {
		return err
	}
	last := files[len(files)-1]
	old, err := os.ReadFile(last)
	if err != nil {
		return err
	}
	var b []byte
	how := [...]string{"zeros", "noise", "the beginning of a block", "old blocks again"}[w.rng.IntN(4)]
	switch how {
	case "zeros":
		b = make([]byte, 1+w.rng.IntN(8000))
	case "noise":
		for range 1 + w.rng.IntN(8000) {
			b = append(b, byte(w.rng.Uint32()))
		}
	case "the beginning of a block":
		b = slices.Clone(old[min(64, len(old)):])
		b = b[:w.rng.IntN(min(len(b), 300)+1)]
	case "old blocks again":
		b = slices.Clone(old[min(64, len(old)):])
	}
	f, err := os.OpenFile(last, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	w.ledger.note(map[string]any{"damage": how, "bytes": len(b), "file": last})
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// damagedCopy damages the truth itself, in a copy of the data directory, and
// requires exactly the rest of it, and that the server said what is gone.
func damagedCopy(w *world) error {
	w.down()
	side := w.data + "-copy"
	if err := os.CopyFS(side, os.DirFS(w.data)); err != nil {
		return err
	}
	if err := w.readDamaged(side); err != nil {
		return err // the copy stays, to be looked at
	}
	if err := os.RemoveAll(side); err != nil {
		return err
	}
	return w.start()
}

func (w *world) readDamaged(side string) error {
	files, blocks, err := w.liveSegments(side)
	if err != nil {
		return err
	}
	want := map[string]int{} // event id to how often it is in the log
	for _, b := range slices.Concat(blocks...) {
		for _, id := range b.ids {
			want[id]++
		}
	}
	place := w.rng.IntN(len(files))
	path := files[place]
	how, gone, err := harm(w.rng, path)
	if err != nil {
		return err
	}
	lost, redone := 0, map[string]bool{}
	for _, b := range blocks[place] {
		if slices.ContainsFunc(gone, func(s span) bool { return s.from < b.to && b.from < s.to }) {
			for _, id := range b.ids {
				want[id]--
				redone[id] = b.job
				lost++
			}
		}
	}
	c := &damagedLog{dir: side, segment: path, want: want, lost: lost, redone: redone, rebuilt: w.rng.IntN(3) > 0}
	var derived []string
	if c.rebuilt {
		if derived, err = warehouseFiles(side); err != nil {
			return err
		}
	}
	noIndex := w.rng.IntN(2) == 0
	if noIndex {
		derived = append(derived, filepath.Join(side, "log", "index"))
	}
	for _, p := range derived {
		if err := os.RemoveAll(p); err != nil {
			return err
		}
	}
	// What was cut off the very end, nobody knows of once the index is gone too.
	c.silent = place == len(files)-1 && noIndex && gone[0].to > 1<<61
	w.ledger.note(map[string]any{"damage of a copy": how, "file": path, "lost": lost, "derived files deleted": derived})
	if err := w.readRest(c); err != nil {
		return fmt.Errorf("after %s of %s, which held %d events; deleted: %v: %w", how, path, lost, derived, err)
	}
	return nil
}
