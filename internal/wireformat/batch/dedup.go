package batch

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// readDedup reads how the batch wants to be deduplicated.
func readDedup(v *jsonbody.Value) (store.Dedup, error) {
	d := wire.DefaultDeduplication()
	if v.Given() && v.Kind() != '{' {
		return store.Dedup{}, &ingest.RequestError{Code: wireformat.CodeInvalidDeduplication, Message: "deduplication must be an object"}
	}
	if !v.Given() {
		return dedupOf(d), nil
	}
	members := rawjson.MembersOf(v.Raw)
	for {
		key, value, ok := members.Next()
		if !ok {
			return dedupOf(d), nil
		}
		var err error
		switch string(key) {
		case "enabled":
			d.Enabled, err = flag("deduplication.enabled", value, true, wireformat.CodeInvalidDeduplication)
		case "ttl":
			d.TTL, err = ttl(value)
		case "use_redis_cache":
			d.UseRedisCache, err = flag("deduplication.use_redis_cache", value, true, wireformat.CodeInvalidDeduplication)
		case "fail_on_duplicate":
			d.FailOnDuplicate, err = flag("deduplication.fail_on_duplicate", value, false, wireformat.CodeInvalidDeduplication)
		}
		if err != nil {
			return store.Dedup{}, err
		}
	}
}

func dedupOf(d wire.Deduplication) store.Dedup {
	return store.Dedup{Enabled: d.Enabled, TTL: time.Duration(d.TTL) * time.Second,
		FailOnDuplicate: d.FailOnDuplicate, LocalOnly: !d.UseRedisCache}
}

func ttl(raw []byte) (int, error) {
	if raw[0] == 'n' {
		return wire.DefaultDedupTTL, nil
	}
	n, ok := extract.WholeNumber(raw)
	if !ok || n < wire.MinDedupTTL || n > wire.MaxDedupTTL {
		return 0, &ingest.RequestError{Code: wireformat.CodeInvalidDeduplication,
			Message: "deduplication.ttl must be a whole number of seconds from 60 to 86400"}
	}
	return int(n), nil
}

func flag(field string, raw []byte, otherwise bool, code string) (bool, error) {
	switch string(raw) {
	case "", "null":
		return otherwise, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, &ingest.RequestError{Code: code, Message: field + " must be true or false"}
}
