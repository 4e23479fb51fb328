package indexer

import (
	"bytes"
	"testing"
)

// FuzzQuarantine: any file is read or refused; what was read, written again, is the same list.
func FuzzQuarantine(f *testing.F) {
	for _, text := range []string{"", "\n", `{"seq":1,"project":"p","event_id":"e","event_type":"trace_create","reason":"r","at":"2026-01-02T03:04:05Z"}` + "\n" + `{"seq":1,"left":true}` + "\n",
		`{"seq":18446744073709551615}` + "\n", `{"seq":-1}` + "\n", `{"seq":1}`, "null\n", "[]\n", "{\"seq\":1}\r\n{}\n", `{"seq":1e3}` + "\n", "\x00\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		q := &quarantine{list: map[uint64]Quarantined{}}
		if q.load(bytes.NewReader(text)) != nil {
			return
		}
		if q.size > int64(len(text)) || q.size < int64(bytes.LastIndexByte(text, '\n')+1) {
			t.Fatalf("%d of %d bytes were read", q.size, len(text))
		}
		all := q.all()
		if len(all) != q.len() {
			t.Fatalf("%d of %d", len(all), q.len())
		}
		for i := 1; i < len(all); i++ {
			if all[i].Seq <= all[i-1].Seq {
				t.Fatalf("%d stands behind %d", all[i].Seq, all[i-1].Seq)
			}
		}
	})
}
