package prompt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Move puts a label on a version of a prompt, and takes it from the one that had it.
func (p *Prompts) Move(of, name, label string, number int) (wire.PromptVersion, error) {
	var out wire.PromptVersion
	err := p.edit(of, name, label, func(k *kept) error {
		v := k.find(number)
		if v == nil {
			return fmt.Errorf("version %d of the prompt %w", number, ErrUnknown)
		}
		if k.Labels[label] != number {
			k.label(label, number)
			k.UpdatedAt = p.now()
		}
		out = k.shown(of, v)
		return nil
	})
	return out, err
}

// Unlabel takes a label from the version that has it.
func (p *Prompts) Unlabel(of, name, label string) error {
	return p.edit(of, name, label, func(k *kept) error {
		if k.Labels[label] == 0 {
			return fmt.Errorf("label %s of the prompt %w", label, ErrUnknown)
		}
		delete(k.Labels, label)
		k.UpdatedAt = p.now()
		return nil
	})
}

func (p *Prompts) edit(of, name, label string, edit func(*kept) error) error {
	return putting(p.of(of).change(func(f *file) error {
		k, err := f.prompt(name)
		if err != nil {
			return err
		}
		if errs := labelFaults(label); errs != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, errs[0])
		}
		return edit(k)
	}))
}

// Delete removes a version of a prompt, or with number 0 the prompt. Labels of what is removed are gone. The numbers are never given again.
func (p *Prompts) Delete(of, name string, number int) error {
	return putting(p.of(of).change(func(f *file) error {
		k, err := f.prompt(name)
		if err != nil {
			return err
		}
		if number == 0 {
			*k = kept{Name: k.Name, Last: k.Last, CreatedAt: k.CreatedAt, UpdatedAt: p.now()}
			return nil
		}
		if k.find(number) == nil {
			return fmt.Errorf("version %d of the prompt %w", number, ErrUnknown)
		}
		k.Versions = slices.DeleteFunc(k.Versions, func(v version) bool { return v.Number == number })
		for label, on := range k.Labels {
			if on == number {
				delete(k.Labels, label)
			}
		}
		if len(k.Versions) == 0 {
			k.Type, k.Description, k.Tags, k.Labels = "", "", nil, nil
		}
		k.UpdatedAt = p.now()
		return nil
	}))
}

// sameJSON says that two objects are the same but for space.
func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if len(a) == 0 || len(b) == 0 || json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return len(a) == len(b)
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}
