package saved

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

const maxCategories = 100

// Definition says how people give a score: which values it may have, and what they mean. Scores that programs send are taken whatever it says.
type Definition struct {
	Head
	DataType    string   `json:"data_type"`             // NUMERIC, BOOLEAN or CATEGORICAL
	Min         *float64 `json:"min,omitempty"`         // of NUMERIC: the lowest value
	Max         *float64 `json:"max,omitempty"`         // of NUMERIC: the highest value
	Categories  []string `json:"categories,omitempty"`  // of CATEGORICAL: 1 to 100, in the order in which they are shown
	Description string   `json:"description,omitempty"` // what the values mean; at most 2000 characters
}

func (d *Definition) check() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch d.DataType {
	case entity.Numeric, entity.Boolean, entity.Categorical:
	default:
		wrong("data_type: it is %s, %s or %s", entity.Numeric, entity.Boolean, entity.Categorical)
	}
	if d.DataType != entity.Numeric && (d.Min != nil || d.Max != nil) {
		wrong("min, max: only %s has them", entity.Numeric)
	}
	if d.Min != nil && d.Max != nil && *d.Min >= *d.Max {
		wrong("min: it is below max")
	}
	for _, bound := range []*float64{d.Min, d.Max} {
		if bound != nil && (math.IsNaN(*bound) || math.IsInf(*bound, 0)) {
			wrong("min, max: they are numbers")
		}
	}
	errs = append(errs, d.categoryFaults()...)
	if utf8.RuneCountInString(d.Description) > maxDescription || !utf8.ValidString(d.Description) {
		wrong("description: it has at most %d characters", maxDescription)
	}
	return errs
}

func (d *Definition) categoryFaults() []error {
	if d.DataType != entity.Categorical {
		if len(d.Categories) > 0 {
			return []error{fmt.Errorf("categories: only %s has them", entity.Categorical)}
		}
		return nil
	}
	if len(d.Categories) == 0 || len(d.Categories) > maxCategories {
		return []error{fmt.Errorf("categories: there are 1 to %d", maxCategories)}
	}
	var errs []error
	for i, c := range d.Categories {
		if c == "" || utf8.RuneCountInString(c) > maxName || !printable(c) {
			errs = append(errs, fmt.Errorf("categories, %d: it has 1 to %d characters, and no control characters", i+1, maxName))
		} else if slices.Contains(d.Categories[:i], c) {
			errs = append(errs, errors.New("categories: each is there once"))
		}
	}
	return errs
}
