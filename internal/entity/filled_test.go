package entity_test

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
)

// filled reads what the records say.
func filled(recs []entity.Record) []entity.Record {
	extract.Fill(recs)
	return recs
}
