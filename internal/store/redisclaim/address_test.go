package redisclaim

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://h":                                        "redis h:6379",
		"redis://user:pass@h:7000/2":                       "redis h:7000",
		"rediss://h?skip_verify=true":                      "redis h:6379",
		"redis://[::1]:7000":                               "redis [::1]:7000",
		"unix:///run/redis.sock?db=1":                      "redis at /run/redis.sock",
		"redis://b:1,a:2,a:2":                              "redis cluster a:2,b:1",
		"redis://h:1?cluster=true":                         "redis cluster h:1",
		"redis-sentinel://u:p@a,b:27000/mymaster/4":        "redis master mymaster of sentinels a:26379,b:27000",
		"redis://a,b/4?master=mymaster":                    "redis master mymaster of sentinels a:26379,b:26379",
		"rediss-sentinel://a/mymaster?sentinel_password=x": "redis master mymaster of sentinels a:26379",
	} {
		a, err := ParseURL(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if a.String() != want {
			t.Errorf("%s is %s, want %s", url, a, want)
		}
		if tls := a.TLS != nil; tls != strings.HasPrefix(url, "rediss") {
			t.Errorf("%s: TLS %v", url, tls)
		}
	}
	a, err := ParseURL("redis-sentinel://u%20r:p%2Fw@h/m/4?sentinel_username=su&sentinel_password=sp")
	if err != nil || a.Username != "u r" || a.Password != "p/w" || a.DB != 4 || a.SentinelUsername != "su" || a.SentinelPassword != "sp" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestParseURLErrors(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "h:6379", "http://h", "redis://", "redis://h,", "redis://h:x", "redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://h?db=x",
		"redis://h?unknown=1", "redis://h?cluster=maybe", "redis://a,b/1", "redis://h/1?cluster=true", "unix://", "unix://h/p", "unix:///p?cluster=true",
		"redis-sentinel://h", "redis-sentinel://h/m/1/2", "redis://u:secret%zz@h", "redis://secret:secret@h:1:2",
	} {
		a, err := ParseURL(url)
		if err == nil {
			t.Errorf("%s was read as %+v", url, a)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
}

func TestOptionsValidate(t *testing.T) {
	t.Parallel()
	err := Options{URL: "x", Timeout: 1, Wait: 1 << 50, Probe: 1 << 50, Backlog: -1}.Validate()
	if err == nil {
		t.Fatal("all of it is wrong")
	}
	for _, name := range []string{"URL", "Timeout", "Wait", "Probe", "Backlog"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("no word on %s in: %v", name, err)
		}
	}
	if err := (Options{URL: "redis://h", Wait: -1}).Validate(); err != nil {
		t.Error(err)
	}
}
