package price

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// set reads one member of an own price.
func (o *Own) set(key string, value any) error {
	number, isNumber := value.(json.Number)
	text, isText := value.(string)
	if k, ok := ownRates(key); ok {
		if isNumber {
			text = number.String()
		}
		if !isNumber && !isText {
			return fmt.Errorf("%w, not %s", errAmount, kindOfToken(value))
		}
		return o.Entry.set(k.String(), text)
	}
	switch key {
	case "above":
		if !isNumber || o.Entry.set(key, number.String()) != nil {
			return errors.New("want a whole number of tokens above 0")
		}
		return nil
	case "project", "model", "provider", "tier", "from", "until", "hours", "days":
		if !isText {
			return fmt.Errorf("want a text, not %s", kindOfToken(value))
		}
	default:
		return fmt.Errorf("there is no such key: want model, provider, project, from, until, tier, above, hours, days or a price (%s)", strings.Join(rateKeys[:], ", "))
	}
	switch key {
	case "project":
		o.Project = text
	case "model":
		o.Name = foldName(text)
		o.Entry.Model = o.Name
		return checkName(o.Name)
	case "provider":
		return o.setProvider(text)
	case "tier":
		return o.Entry.set(key, strings.ToLower(text))
	default:
		return o.Entry.set(key, text)
	}
	return nil
}

// foldName is a name as calls are compared with it; a regular expression stays as it is.
func foldName(name string) string {
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, string(signPattern)) {
		return name
	}
	return strings.ToLower(name)
}

func (o *Own) setProvider(text string) error {
	p, named := canonical(text)
	if named && p == anywhere {
		return fmt.Errorf("%q is no provider that the price book knows: want one of %s; or leave it out, for all", text, strings.Join(knownProviders(), ", "))
	}
	if named {
		o.Entry.Provider = p
	}
	return nil
}

// knownProviders are the names of providers, as the book has them.
func knownProviders() []string {
	all := slices.Collect(maps.Values(providers))
	slices.Sort(all)
	return slices.Compact(all)
}

// rateKeys are the keys of prices, in full words, by Kind.
var rateKeys = [kinds]string{
	"input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input", "output", "reasoning", "audio_output", "image_output",
}

// ownRates is the kind of tokens of which a key has the price.
func ownRates(key string) (Kind, bool) {
	i := slices.Index(rateKeys[:], key)
	return Kind(max(i, 0)), i >= 0
}
