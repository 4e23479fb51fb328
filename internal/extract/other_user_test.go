package extract

import (
	"encoding/json"
	"testing"
	"testing/quick"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// userByTheLibrary is the user of a payload as encoding/json finds it.
func userByTheLibrary(payload []byte) string {
	var p struct {
		UserID json.RawMessage `json:"user_id"`
	}
	if json.Unmarshal(payload, &p) != nil || string(p.UserID) == "null" {
		return ""
	}
	if id, quoted := rawjson.Unquote(p.UserID); quoted {
		return id
	}
	return string(p.UserID)
}

// Whom an event of no entity names decides what is erased with a user: of valid JSON it is what encoding/json finds, without an allocation.
func TestOtherUserIsThatOfTheLibrary(t *testing.T) {
	for _, payload := range []string{
		`{}`, `{"user_id":"u"}`, `{"a":1, "user_id" : "u" }`, `{"user_id":7}`, `{"user_id":null}`, `{"user_id":""}`, `{"user_id":true}`,
		`{"user_id":{"a": [1]}}`, `{"User_ID":"u"}`, `{"uſer_id":"u"}`, `{"user_id":"a","user_id":"b"}`, `{"user_id":"a","USER_ID":null}`,
		`{"USER_ID":"a","user_id":"b"}`, `{"user\u005fid":"u"}`, `{"user_id":"\u00fc\ud800"}`, `{"a":{"user_id":"u"}}`, `{"user_id":"ü"}`,
		`[]`, `["user_id"]`, `"user_id"`, `null`, `{"user_id":"u"`, ``,
	} {
		if got, want := otherUser([]byte(payload)), userByTheLibrary([]byte(payload)); got != want {
			t.Errorf("%s: %q, want %q", payload, got, want)
		}
	}
	if err := quick.Check(func(before, user string, n int) bool {
		payload, err := json.Marshal(map[string]any{"a": before, before: n, "user_id": user})
		return err != nil || otherUser(payload) == userByTheLibrary(payload)
	}, nil); err != nil {
		t.Error(err)
	}
	payload := []byte(`{"name":"n","input":{"text":"a text"},"user_id":"u1"}`)
	if n := testing.AllocsPerRun(100, func() { otherUser(payload) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkOtherUser(b *testing.B) {
	payload := []byte(`{"name":"n","input":{"text":"a text of some length, as they are"},"user_id":"u1"}`)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			otherUser(payload)
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			userByTheLibrary(payload)
		}
	})
}
