package pricing

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
)

// Options say where the journal is and what the program that opens it has.
type Options struct {
	Dir  string // of the journal; made when it is absent
	Cost Choice // the setting; "" is what the journal says last
	// Head is the last event of the log, behind which something new holds.
	Head func() entity.Seq
	// Place has what is in Dir, by the names of the files, where it is not there alone: among nodes that share it. Default: the files.
	Place func(name string) document.Place
	// Heads is Head of all nodes, among several. Default: there is one.
	Heads func() (Reach, error)
	// Born is the node whose event a Seq is, and the event in its log, among several. Default: the same event, and whose Numbers say.
	Born func(entity.Seq) (node uint16, own entity.Seq)
	// Numbers are those that the node had among others before it was alone, or has, as far as it knows. Default: none.
	Numbers func() Numbers
	// Others is how far the logs of other nodes were when this one heard of them last. Default: nobody knows.
	Others func() map[uint16]entity.Seq
	Now    func() time.Time
	Logger *slog.Logger
}

// Pricing is an entity.Pricer by a journal. It is safe for concurrent use.
type Pricing struct {
	o Options
	// mu is held for reading while a call is priced, and for writing from asking for the head of the log until what
	// holds behind it is in force: no call that is heard of later is priced without it.
	mu sync.RWMutex
	is *force
	// settled is the same while nobody holds mu for writing, else nil: who prices a call takes no lock then.
	settled atomic.Pointer[force]

	raw     []byte  // the journal that is in force; mu guards it
	changes []entry // what was taken over since Behind; mu guards it
	begun   bool    // there was no journal before
}

var _ entity.Pricer = (*Pricing)(nil)

// Open reads the journal, or begins one: then the built-in book and the setting hold for all calls. Where the program has another
// book or setting than the journal says last, these hold for calls that start from now on.
func Open(o Options) (*Pricing, error) {
	p, err := open(o)
	if err != nil {
		return nil, fmt.Errorf("open prices: %w", err)
	}
	return p, nil
}

func open(o Options) (*Pricing, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	raw, err := o.place(JournalFile).Read()
	if err != nil {
		return nil, err
	}
	p := &Pricing{o: o, begun: raw == nil}
	now := o.Now().UTC().Truncate(time.Microsecond)
	from := entry{At: now}
	j := &journal{Version: JournalVersion}
	if !p.begun {
		if j, err = parseJournal(raw); err != nil {
			return nil, err
		}
		from.From, from.Reach = now, o.ownReach(j)
	}
	builtin := price.Builtin()
	changed, err := j.follow(&o, builtin, from)
	if err != nil {
		return nil, err
	}
	if p.is, err = newForce(*j, builtin, o.text); err != nil {
		return nil, err
	}
	p.is.born, p.raw = o.bornBy(j), raw
	p.settled.Store(p.is)
	if !changed {
		return p, nil
	}
	if p.raw, err = o.place(JournalFile).Change(func([]byte) ([]byte, error) { return j.encode() }); err != nil {
		return nil, err
	}
	if p.begun {
		return p, durable.SyncDir(filepath.Dir(o.Dir))
	}
	o.Logger.Info("another price book or setting holds for calls from now on", "book", builtin.Version(), "cost", p.is.choices[len(p.is.choices)-1].is)
	return p, nil
}

// follow adds what the program has and the journal does not say last. Among nodes the book of an older release stays one of before.
func (j *journal) follow(o *Options, builtin *price.Book, from entry) (changed bool, err error) {
	book, choice := j.last()
	hash, err := o.keep([]byte(builtin.Text())) // mends it, too
	if err != nil {
		return false, err
	}
	if hash != book && (o.Place == nil || !j.names(hash)) {
		e := from
		e.Book = hash
		j.Entries, changed = append(j.Entries, e), true
	}
	if is := cmp.Or(o.Cost, choice, PreferReported); is != choice {
		e := from
		e.Cost = is
		j.Entries, changed = append(j.Entries, e), true
	}
	return changed, nil
}

// last is the last book and the last setting; "" before the first.
func (j *journal) last() (book string, choice Choice) {
	for _, e := range j.Entries {
		book, choice = cmp.Or(e.Book, book), cmp.Or(e.Cost, choice)
	}
	return book, choice
}

// Read is what the journal in dir says, which must not change; nil when there is none. The error is ErrNewer, or what is damaged.
func Read(dir string) (*Pricing, error) {
	p := &Pricing{o: Options{Dir: dir}}
	raw, err := p.o.place(JournalFile).Read()
	if err != nil || raw == nil {
		return nil, err
	}
	j, err := parseJournal(raw)
	if err != nil {
		return nil, err
	}
	if p.is, err = newForce(*j, nil, p.o.text); err == nil {
		err = p.is.check(math.MaxInt)
	}
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	p.settled.Store(p.is)
	return p, nil
}

// lock begins a change of what is in force, and unlock ends it: in between, who prices a call waits.
func (p *Pricing) lock() {
	p.mu.Lock()
	p.settled.Store(nil)
}

func (p *Pricing) unlock() {
	p.settled.Store(p.is)
	p.mu.Unlock()
}

// Begun says that Open began the journal: what was priced before, if anything, was priced by another.
func (p *Pricing) Begun() bool { return p.begun }

// File is a file of the journal's directory.
type File struct {
	Name string
	Raw  []byte
}

// Files are the journal and what it names, as they are at one moment.
func (p *Pricing) Files() ([]File, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	names := []string{JournalFile}
	for _, e := range p.is.journal.Entries {
		if hash := e.Book + e.Own; hash != "" && !slices.Contains(names, TextName(hash)) {
			names = append(names, TextName(hash))
		}
	}
	files := make([]File, len(names))
	for i, name := range names {
		raw, err := os.ReadFile(filepath.Join(p.o.Dir, name))
		if err == nil && name == JournalFile {
			raw, err = p.o.takenAway(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("read prices: %w", err)
		}
		files[i] = File{name, raw}
	}
	return files, nil
}

// takenAway is a journal as it is kept beside a copy of the log, which has no number among others.
func (o *Options) takenAway(raw []byte) ([]byte, error) {
	j, err := parseJournal(raw)
	if err != nil {
		return nil, err
	}
	if j.Numbers = o.numbers(j); len(j.Numbers) == 0 {
		return raw, nil
	}
	return j.encode()
}

// Describe says in a line what is in force.
func (p *Pricing) Describe() string {
	is := p.inForce()
	return fmt.Sprintf("%d entries; the last book is of %s; %d projects have own prices; %d repricings",
		len(is.journal.Entries), is.books[len(is.books)-1].is.Version(), len(is.own), is.countRepricings())
}
