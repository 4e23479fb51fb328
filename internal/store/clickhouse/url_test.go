package clickhouse

import (
	"slices"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		addresses                []string
		user, password, database string
		tls, skip                bool
		http                     bool
	}{
		"clickhouse://host/db":                                 {[]string{"host:9000"}, "default", "", "db", false, false, false},
		"clickhouse://u@host:9009/db":                          {[]string{"host:9009"}, "u", "", "db", false, false, false},
		"clickhouse://u:p%40%2F%3A@a:1,b,[::1],[::2]:7/d%20b":  {[]string{"a:1", "b:9000", "[::1]:9000", "[::2]:7"}, "u", "p@/:", "d b", false, false, false},
		"clickhouse://u:p:q@a/db?secure=false":                 {[]string{"a:9000"}, "u", "p:q", "db", false, false, false},
		"clickhouse://u:p@a,b:9999/db?secure=true":             {[]string{"a:9440", "b:9999"}, "u", "p", "db", true, false, false},
		"clickhouse://a/db?secure=1&skip_verify=true":          {[]string{"a:9440"}, "default", "", "db", true, true, false},
		"tcp://127.0.0.1:9000/brokle?secure=true&secure=false": {[]string{"127.0.0.1:9000"}, "default", "", "brokle", false, false, false},
		"http://u:p@a,b:81/db":                                 {[]string{"a:8123", "b:81"}, "u", "p", "db", false, false, true},
		"https://u:p%40@a,[::1]:7/db?skip_verify=true":         {[]string{"a:8443", "[::1]:7"}, "u", "p@", "db", true, true, true},
	} {
		o, err := ParseURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !slices.Equal(o.Addresses, want.addresses) || o.User != want.user || o.Password != want.password || o.Database != want.database ||
			o.HTTP != want.http || (o.TLS != nil) != want.tls || o.TLS != nil && o.TLS.InsecureSkipVerify != want.skip {
			t.Errorf("%s: %+v", text, o)
		}
	}
}

// Between semicolons are shards, between commas the servers of one.
func TestParseURLOfShards(t *testing.T) {
	t.Parallel()
	o, err := ParseURL("clickhouse://u:p@a,b:1;c;[::1]:2/db?cluster=main&secure=true")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.Addresses, []string{"a:9440", "b:1"}) || len(o.Further) != 2 || !slices.Equal(o.Further[0], []string{"c:9440"}) || !slices.Equal(o.Further[1], []string{"[::1]:2"}) || o.Cluster != "main" {
		t.Errorf("%+v", o)
	}
	if one := o.at(1); !slices.Equal(one.Addresses, []string{"c:9440"}) || one.Further != nil || one.Cluster != "" {
		t.Errorf("the second shard is %+v", one)
	}
}

// What is wrong is said, and no secret with it.
func TestParseURLRefuses(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"":                                                                        "clickhouse://",
		"host:9000/db":                                                            "clickhouse://",
		"clickhouse://u:hidden@a;b/db":                                            "cluster",
		"clickhouse://u:hidden@a/db?cluster=c":                                    "cluster",
		"clickhouse://u:hidden@a;b/db?cluster=":                                   "cluster must be a name",
		"clickhouse://u:hidden@a;/db?cluster=c":                                   "HOST",
		"http://u:hidden@host/":                                                   "http://user:password@host/database",
		"https://u:hidden@host/db?secure=true":                                    "https:// is HTTP with TLS",
		"http://u:hidden@host/db?skip_verify=true":                                "https://",
		"http://u:hidden@host/db?ca=/etc/ca.pem":                                  "secure=true",
		"mysql://u:hidden@host/db":                                                "clickhouse://",
		"clickhouse://u:hidden@host":                                              "database",
		"clickhouse://u:hidden@host/":                                             "database",
		"clickhouse://u:hidden@host/a/b":                                          "",
		"clickhouse://u:hidden@host/a%2fb":                                        "database",
		"clickhouse://u:hidden@/db":                                               "HOST",
		"clickhouse://u:hidden@host:0/db":                                         "HOST",
		"clickhouse://u:hidden@host:99999/db":                                     "HOST",
		"clickhouse://u:hidden@host:a/db":                                         "HOST",
		"clickhouse://u:hidden@a,,b/db":                                           "HOST",
		"clickhouse://u:hidden@a b/db":                                            "HOST",
		"clickhouse://u:hidden%zz@host/db":                                        "percent-encoded",
		"clickhouse://u:hidden@host/db?secure=on":                                 "true or false",
		"clickhouse://u:hidden@host/db?sekure=on":                                 "sekure",
		"clickhouse://u:hidden@host/db?a=%zz":                                     "percent-encoded",
		"clickhouse://u:hidden@host/db?skip_verify=true":                          "secure=true",
		"clickhouse://u:hidden@host/db?ca=/etc/ca.pem":                            "secure=true",
		"clickhouse://u:hidden@host/db?secure=true&ca=":                           "name a file",
		"clickhouse://u:hidden@host/db?secure=true&ca=/nowhere/hidden.pem":        "ca: no such file",
		"clickhouse://u:hidden@host/db?secure=true&ca=/dev/null":                  "no certificate",
		"clickhouse://u:hidden@host/db?secure=true&ca=/dev/null&skip_verify=true": "exclude",
	} {
		_, err := ParseURL(text)
		if err == nil {
			t.Errorf("%s is taken", text)
			continue
		}
		if strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
