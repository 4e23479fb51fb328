package price

import (
	"encoding/json"
	"errors"
	"fmt"
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
			return errAmount
		}
		return o.Entry.set(k.String(), text)
	}
	if key == "above" {
		if !isNumber {
			return errors.New("want a number of tokens")
		}
		return o.Entry.set(key, number.String())
	}
	if !isText {
		return fmt.Errorf("want a text, or there is no such key: %q", key)
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
	case "tier", "from", "until", "hours", "days":
		return o.Entry.set(key, text)
	default:
		return errors.New("there is no such key")
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
		return fmt.Errorf("%q is no provider that the price book knows; leave it out for all", text)
	}
	if named {
		o.Entry.Provider = p
	}
	return nil
}

// ownRates are the keys of prices, in full words.
func ownRates(key string) (Kind, bool) {
	for k, word := range [kinds]string{
		"input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input", "output", "reasoning", "audio_output", "image_output",
	} {
		if word == key {
			return Kind(k), true
		}
	}
	return 0, false
}
