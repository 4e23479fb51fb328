package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
)

const (
	idsPerBlock = 100
	idsAsked    = 200_000 // at each size, of new ids and of known ones
)

// idSizes are the numbers of ids at which the index is measured.
var idSizes = []int{1_000_000, 10_000_000, 50_000_000}

// clientID is the nth id of a client whose ids sort by time, as ULIDs do: a rising
// head, and a tail that looks random.
func clientID(n int) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := []byte("01J00000000000000000000000")
	for i, v := 9, uint64(n)/50; v > 0; i, v = i-1, v/32 { // fifty a millisecond
		id[i] = digits[v%32]
	}
	v := (uint64(n) + 1) * 0x9E3779B97F4A7C15
	for i := 10; i < 26; i++ {
		id[i] = digits[v>>59]
		v = v*6364136223846793005 + 1442695040888963407
	}
	return string(id)
}

// measureIDs fills one id index and says what looking up and adding an id costs
// as it grows.
func measureIDs(ctx context.Context, o options, to *report) error {
	x, err := idindex.Open(filepath.Join(o.dir, "ids"), idindex.Options{Names: hasID})
	if err != nil {
		return err
	}
	defer func() { _ = x.Close() }() // removed with its directory
	to.line("## Deduplication as it grows\n")
	to.line("One id index with its defaults, processor time per id (all threads, merges included) and elapsed time in brackets, µs. Ids are made as they are asked for; a known id is compared with the one at its Seq. To be: a new id and adding it together ≤ 1 µs of processor time")
	to.line("at 50 M and within 20 %% of that at 1 M, a known one ≤ 5 µs, ≤ 24 B on disk for each.\n")
	to.line("| ids kept | looking up a new id | looking up a known id | adding one | new and added | disk, B/id | resident, MB |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	now, n := time.Now(), 0
	var seq entity.Seq
	for _, size := range idSizes {
		if size > o.ids {
			break
		}
		cpu, begin, from := processCPU(), time.Now(), n
		for n < size {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := addIDs(x, n, &seq, now); err != nil {
				return err
			}
			n += idsPerBlock
		}
		if err := x.Sweep(now); err != nil { // what is left to merge is a cost of adding
			return err
		}
		added := perID(processCPU()-cpu, time.Since(begin), size-from)
		fresh, err := askIDs(x, now, false, func(i int) int { return size + i })
		if err != nil {
			return err
		}
		known, err := askIDs(x, now, true, func(i int) int { return i * 7919 % size })
		if err != nil {
			return err
		}
		disk, _ := diskUse(filepath.Join(o.dir, "ids"), size)
		resident := procStatus(os.Getpid(), "VmRSS:") / 1024
		to.line("| %d M | %s | %s | %s | %.2f | %.1f | %.0f |", size/1_000_000, fresh, known, added, fresh.cpu+added.cpu, disk, resident)
		fmt.Printf("%d ids: new %s, known %s, adding %s µs, %.1f B/id, %.0f MB\n", size, fresh, known, added, disk, resident)
	}
	to.line("")
	return nil
}

// hasID stands in for the Log, which says what id is at a Seq.
func hasID(_ idindex.Kind, at entity.Seq, _, id string) (bool, error) {
	return clientID(int(at)-1) == id, nil
}

func addIDs(x *idindex.Index, n int, seq *entity.Seq, now time.Time) error {
	ids, seqs := make([]string, idsPerBlock), make([]entity.Seq, idsPerBlock)
	for i := range ids {
		ids[i], seqs[i] = clientID(n+i), *seq+entity.Seq(i)+1
	}
	c := idindex.Change{Project: "default", BatchID: "B" + strconv.Itoa(n), Block: *seq + 1, At: now, TTL: 24 * time.Hour, IDs: ids, Seqs: seqs}
	*seq += idsPerBlock
	return x.Apply([]idindex.Change{c}, *seq)
}

// askIDs looks ids up, a block at a time, and checks that they are known or not.
func askIDs(x *idindex.Index, now time.Time, known bool, which func(i int) int) (spent, error) {
	ids, out := make([]string, idsPerBlock), make([]idindex.Entry, idsPerBlock)
	cpu, begin := processCPU(), time.Now()
	for at := 0; at < idsAsked; at += idsPerBlock {
		for i := range ids {
			ids[i] = clientID(which(at + i))
		}
		if err := x.Seen("default", ids, now, out); err != nil {
			return spent{}, err
		}
		for i := range out {
			if (out[i].Seq != 0) != known {
				return spent{}, fmt.Errorf("id %s: known is %t, want %t", ids[i], out[i].Seq != 0, known)
			}
		}
	}
	return perID(processCPU()-cpu, time.Since(begin), idsAsked), nil
}

// spent is what an id costs, in µs.
type spent struct{ cpu, took float64 }

func perID(cpu, took time.Duration, n int) spent {
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(n) }
	return spent{us(cpu), us(took)}
}

func (s spent) String() string { return fmt.Sprintf("%.2f (%.2f)", s.cpu, s.took) }

// processCPU is what this process has used so far, on all processors.
func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
