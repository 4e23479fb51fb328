package redisclaim

import (
	"strings"
	"testing"
)

// FuzzParseURL: an address or an error, and no error repeats the password.
func FuzzParseURL(f *testing.F) {
	for _, url := range []string{"redis://localhost", "rediss://u:secret@h:1,i:2/3?skip_verify=true", "unix:///run/redis.sock?db=2", "redis-sentinel://h,i/master/1?sentinel_password=x",
		"redis://h?master=m", "redis://:@:0", "redis://[::1]:6379", "redis://h/x", "redis://u:%zz@h", "redis:// h", "://", "redis://h?db=99999999999999999999", "redis://h#f", "redis://\x00"} {
		f.Add(url)
	}
	const password = "Pa55w0rd-that-nobody-may-see"
	f.Fuzz(func(t *testing.T, url string) {
		if a, err := ParseURL(url); err == nil && len(a.Hosts) == 0 {
			t.Fatalf("%q is an address without a host: %+v", url, a)
		}
		scheme, rest, _ := strings.Cut(url, "://")
		if _, err := ParseURL(scheme + "://u:" + password + "@" + rest); err != nil && strings.Contains(err.Error(), password) {
			t.Fatalf("%q: the error has the password: %v", url, err)
		}
	})
}
