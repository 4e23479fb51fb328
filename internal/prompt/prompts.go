package prompt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Options of Prompts.
type Options struct {
	Place func(project string) document.Place // where a project's are kept; the same one for a project each time. Required.
	Now   func() time.Time                    // the clock. Default time.Now.
}

// Prompts are those of all projects. It is safe for concurrent use.
type Prompts struct {
	o Options

	mu       sync.Mutex // guards projects
	projects map[string]*project
}

// project is what is known of a project's.
type project struct {
	place document.Place
	fresh sync.Once  // the newest were asked for
	turn  sync.Mutex // one change at a time: a file has no order of its own

	mu   sync.Mutex // guards what follows
	raw  []byte     // of what file was made
	file file       // shared by who reads: never changed
}

// New keeps prompts.
func New(o Options) *Prompts {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Prompts{o: o, projects: map[string]*project{}}
}

// of is a project's. The first time the newest are asked for, and whoever comes meanwhile waits for them: another node may have made them.
func (p *Prompts) of(name string) *project {
	p.mu.Lock()
	is, known := p.projects[name]
	if !known {
		is = &project{place: p.o.Place(name)}
		p.projects[name] = is
	}
	p.mu.Unlock()
	is.fresh.Do(func() { _, _ = is.place.Fresh() }) // what is wrong is told by who reads
	return is
}

// read is the prompts as they are now, which are not to be changed.
func (p *project) read() (*file, error) {
	raw, err := p.place.Read()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.raw == nil || !bytes.Equal(p.raw, raw) {
		f, err := parse("the file of prompts", raw)
		if err != nil {
			return nil, err
		}
		p.raw, p.file = raw, f
	}
	f := p.file
	return &f, nil
}

// change has hold what edit makes of the prompts.
func (p *project) change(edit func(*file) error) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	_, err := p.place.Change(func(old []byte) ([]byte, error) {
		f, err := parse("what is kept of prompts", old)
		if err != nil {
			return nil, err
		}
		if err := edit(&f); err != nil {
			return nil, err
		}
		return f.encode()
	})
	return err
}

// List is the prompts of a project, by name.
func (p *Prompts) List(of string) ([]wire.PromptSummary, error) {
	f, err := p.of(of).read()
	if err != nil {
		return nil, err
	}
	all := []wire.PromptSummary{}
	for i := range f.Prompts {
		k := &f.Prompts[i]
		if n := len(k.Versions); n > 0 {
			all = append(all, k.summary(of, n))
		}
	}
	return all, nil
}

// summary is a prompt in a list, of so many versions.
func (k *kept) summary(project string, n int) wire.PromptSummary {
	s := wire.PromptSummary{
		ID: k.Name, ProjectID: project, Name: k.Name, Type: k.Type, Description: k.Description, Tags: append([]string{}, k.Tags...), LatestVersion: k.newest().Number, Versions: n,
		CreatedAt: k.CreatedAt, UpdatedAt: k.UpdatedAt, Labels: []wire.PromptLabel{{Name: wire.PromptLatest, Version: k.newest().Number}},
	}
	for label, number := range k.Labels {
		s.Labels = append(s.Labels, wire.PromptLabel{Name: label, Version: number})
	}
	slices.SortFunc(s.Labels, func(a, b wire.PromptLabel) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// Get is one version of a prompt: of a number, or of a label, not both; without either the newest. ErrUnknown says what there is not.
func (p *Prompts) Get(of, name string, number int, label string) (wire.PromptVersion, error) {
	f, err := p.of(of).read()
	if err != nil {
		return wire.PromptVersion{}, err
	}
	k, err := f.prompt(name)
	if err != nil {
		return wire.PromptVersion{}, err
	}
	switch v, err := k.choose(number, label); {
	case err != nil:
		return wire.PromptVersion{}, err
	default:
		return k.shown(of, v), nil
	}
}

// Versions are those of a prompt, the newest first.
func (p *Prompts) Versions(of, name string) ([]wire.PromptVersion, error) {
	f, err := p.of(of).read()
	if err != nil {
		return nil, err
	}
	k, err := f.prompt(name)
	if err != nil {
		return nil, err
	}
	var all []wire.PromptVersion
	for i := range slices.Backward(k.Versions) {
		all = append(all, k.shown(of, &k.Versions[i]))
	}
	return all, nil
}

// prompt is the one of a name.
func (f *file) prompt(name string) (*kept, error) {
	i, found := f.find(name)
	if !found || len(f.Prompts[i].Versions) == 0 {
		return nil, fmt.Errorf("prompt %w", ErrUnknown)
	}
	return &f.Prompts[i], nil
}

func (k *kept) newest() *version { return &k.Versions[len(k.Versions)-1] }

func (k *kept) choose(number int, label string) (*version, error) {
	switch {
	case number != 0:
		if v := k.find(number); v != nil {
			return v, nil
		}
		return nil, fmt.Errorf("version %d of the prompt %w", number, ErrUnknown)
	case label == "", label == wire.PromptLatest:
		return k.newest(), nil
	}
	if v := k.find(k.Labels[label]); v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("label %s of the prompt %w", label, ErrUnknown)
}

// shown is a version as answers have it.
func (k *kept) shown(project string, v *version) wire.PromptVersion {
	out := wire.PromptVersion{
		ID: fmt.Sprintf("%s@%d", k.Name, v.Number), ProjectID: project, Name: k.Name, Version: v.Number, Type: k.Type, Description: k.Description,
		Tags: append([]string{}, k.Tags...), Template: v.Template, Config: v.Config, Variables: v.Template.Variables(), Labels: []string{},
		CommitMessage: v.CommitMessage, CreatedBy: v.CreatedBy, CreatedAt: v.CreatedAt, UpdatedAt: k.UpdatedAt,
	}
	for label, number := range k.Labels {
		if number == v.Number {
			out.Labels = append(out.Labels, label)
		}
	}
	if v == k.newest() {
		out.Labels = append(out.Labels, wire.PromptLatest)
	}
	slices.Sort(out.Labels)
	return out
}

// Put makes a version of what raw, the JSON of a Text, says, and moves the labels that it names. What is the same as the newest version makes none: that one is returned,
// with the labels. by is the id of the key. ErrInvalid says what is wrong, a line each.
func (p *Prompts) Put(of, by string, raw []byte) (wire.PromptVersion, error) {
	t, err := read(raw)
	if err != nil {
		return wire.PromptVersion{}, err
	}
	now := p.now()
	var out wire.PromptVersion
	err = p.of(of).change(func(f *file) error {
		i, found := f.find(t.Name)
		if !found {
			if len(f.Prompts) >= maxPrompts {
				return fmt.Errorf("%w: the project has had %d prompts, which is as many as there may be", ErrInvalid, maxPrompts)
			}
			f.Prompts = slices.Insert(f.Prompts, i, kept{Name: t.Name, CreatedAt: now})
		}
		k := &f.Prompts[i]
		if err := k.add(&t, by, now); err != nil {
			return err
		}
		for _, label := range t.Labels {
			k.label(label, k.newest().Number)
		}
		k.UpdatedAt = now
		out = k.shown(of, k.newest())
		return nil
	})
	return out, putting(err)
}

// add makes a version, unless the newest says the same.
func (k *kept) add(t *Text, by string, now time.Time) error {
	switch {
	case len(k.Versions) == 0:
		k.Type = t.Type
	case k.Type != t.Type:
		return fmt.Errorf("%w: type: the prompt is a %s, and stays one", ErrInvalid, k.Type)
	case len(k.Versions) >= maxVersions:
		return fmt.Errorf("%w: the prompt has %d versions, which is as many as there may be: delete some", ErrInvalid, maxVersions)
	}
	if t.Description != nil {
		k.Description = *t.Description
	}
	if t.Tags != nil {
		k.Tags = *t.Tags
	}
	if len(k.Versions) > 0 && k.newest().says(t) {
		return nil
	}
	k.Last++
	k.Versions = append(k.Versions, version{k.Last, t.Template, t.Config, t.CommitMessage, by, now})
	return nil
}

// says tells that a version is what t would be.
func (v *version) says(t *Text) bool {
	return v.Template.Content == t.Template.Content && slices.Equal(v.Template.Messages, t.Template.Messages) && sameJSON(v.Config, t.Config)
}

func (k *kept) label(label string, number int) {
	if k.Labels == nil {
		k.Labels = map[string]int{}
	}
	k.Labels[label] = number
}

func (p *Prompts) now() time.Time { return p.o.Now().UTC().Truncate(time.Microsecond) }

func putting(err error) error {
	if err == nil || errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnknown) {
		return err
	}
	return fmt.Errorf("change prompts: %w", err)
}

// Know asks for the prompts of a project, so that a node that shares them has them, too.
func (p *Prompts) Know(of string) { p.of(of) }
