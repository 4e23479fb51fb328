package server

import (
	"encoding/json"
	"strconv"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// sub appends a message at a number.
func sub(to []byte, num protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, num, protowire.BytesType), message)
}

// spanMessage is a span in protobuf with these ids and this name; more is further fields of it.
func spanMessage(trace, span []byte, name string, more ...byte) []byte {
	b := sub(sub(sub(nil, 1, trace), 2, span), 5, []byte(name))
	b = protowire.AppendFixed64(protowire.AppendTag(b, 7, protowire.Fixed64Type), 1_700_000_000_000_000_000)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 8, protowire.Fixed64Type), 1_700_000_001_000_000_000)
	return append(b, more...)
}

// aSpan is the n-th good span of one trace.
func aSpan(n int, more ...byte) []byte {
	return spanMessage([]byte("0123456789abcdef"), []byte{0, 0, 0, 1, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, "span "+strconv.Itoa(n), more...)
}

// spansOf is a request of these spans under one resource and one scope.
func spansOf(spans ...[]byte) []byte {
	scope := sub(nil, 1, sub(nil, 1, []byte("test")))
	for _, s := range spans {
		scope = sub(scope, 2, s)
	}
	return sub(nil, 1, sub(nil, 2, scope))
}

// logsOf is a request of log records with these bodies.
func logsOf(bodies ...string) []byte {
	var scope []byte
	for _, body := range bodies {
		scope = sub(scope, 2, sub(nil, 5, sub(nil, 1, []byte(body))))
	}
	return sub(nil, 1, sub(nil, 2, scope))
}

// partialOf is the partial success of an answer in protobuf: how many were rejected, and why the first.
func partialOf(tb testing.TB, answer []byte) (count int, text string) {
	tb.Helper()
	fields := func(b []byte, each func(num protowire.Number, n uint64, bytes []byte)) {
		for len(b) > 0 {
			num, typ, n := protowire.ConsumeTag(b)
			if n < 0 {
				tb.Fatalf("%x is no protobuf", answer)
			}
			b = b[n:]
			var v uint64
			var bytes []byte
			if typ == protowire.VarintType {
				v, n = protowire.ConsumeVarint(b)
			} else {
				bytes, n = protowire.ConsumeBytes(b)
			}
			if n < 0 {
				tb.Fatalf("%x is no protobuf", answer)
			}
			b = b[n:]
			each(num, v, bytes)
		}
	}
	fields(answer, func(num protowire.Number, _ uint64, inner []byte) {
		fields(inner, func(num protowire.Number, n uint64, bytes []byte) {
			if num == 1 {
				count = int(n)
			} else {
				text = string(bytes)
			}
		})
	})
	return count, text
}

// partialOfJSON is that of an answer in JSON.
func partialOfJSON(tb testing.TB, answer []byte) (count int, text string) {
	tb.Helper()
	var v struct {
		PartialSuccess struct {
			RejectedSpans, RejectedLogRecords, RejectedDataPoints string
			ErrorMessage                                          string
		}
	}
	if err := json.Unmarshal(answer, &v); err != nil {
		tb.Fatalf("%s: %v", answer, err)
	}
	p := v.PartialSuccess
	count, _ = strconv.Atoi(p.RejectedSpans + p.RejectedLogRecords + p.RejectedDataPoints)
	return count, p.ErrorMessage
}
