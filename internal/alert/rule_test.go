package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/egress"
)

// ruleOf is a rule with some members of its own.
func ruleOf(members string) string {
	text := `{"question":"metrics=error_rate","window":"5m","comparison":"above","warning":0.1,"alert":0.5` + members + `}`
	return text
}

// What is wrong with a rule is told, all of it, with the member that it is of.
func TestRuleFaults(t *testing.T) {
	t.Parallel()
	const hook = `{"kind":"webhook","url":"https://example.com/h","secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}`
	for _, c := range []struct {
		text string
		want []string // of each a line; none: it is taken
	}{
		{ruleOf(""), nil},
		{ruleOf(`,"destinations":[` + hook + `,{"kind":"slack","url":"http://example.com/h"},{"kind":"command","command":"pager"}],"lag":"0s","every":"30s","for":100,"no_data":"alert"`), nil},
		{`{"question":"of=observations&group_by=model&metrics=cost&filter=level:error","window":"30d","comparison":"below","warning":5,"alert":-1e3}`, nil},
		{`[]`, []string{"it is no JSON object of a rule"}},
		{ruleOf("") + `{}`, []string{"something follows the object"}},
		{ruleOf(`,"thresholds":1`), []string{`unknown field "thresholds"`}},
		{ruleOf(`,"name":"other"`), []string{`name: the path says "mine"`}},
		{`{}`, []string{"window: ", "comparison: ", "warning, alert: one of them"}},
		{ruleOf(`,"question":"metrics=nonsense"`), []string{`question: metrics: unknown metric "nonsense"`}},
		{ruleOf(`,"question":"metrics=count,cost"`), []string{"metrics"}},
		{ruleOf(`,"question":"from=2026-01-01"`), []string{"from"}},
		{ruleOf(`,"question":"filter=latency:>abc"`), []string{"question: "}},
		{ruleOf(`,"question":"nonsense=1"`), []string{"nonsense"}},
		{ruleOf(`,"question":"` + strings.Repeat("x", longestQuestion+1) + `"`), []string{"question: it has at most 8192 bytes"}},
		{ruleOf(`,"window":"59s"`), []string{"window: it is from 1m to 30d"}},
		{ruleOf(`,"window":"31d"`), []string{"window: "}},
		{ruleOf(`,"window":"5"`), []string{"window: "}},
		{ruleOf(`,"lag":"-1s","every":"29s"`), []string{"lag: ", "every: it is from 30s to 1d"}},
		{ruleOf(`,"for":101`), []string{"for: it is 1 to 100"}},
		{ruleOf(`,"for":-1`), []string{"for: "}},
		{ruleOf(`,"no_data":"never"`), []string{"no_data: it is ok, keep, warning or alert"}},
		{ruleOf(`,"no_data":"alert","question":"group_by=model"`), []string{"no_data: with group_by"}},
		{ruleOf(`,"warning":0.5`), []string{"warning: it is less than alert"}},
		{ruleOf(`,"comparison":"below"`), []string{"warning: it is more than alert"}},
		{ruleOf(`,"alert":1e999`), []string{"it is no JSON object"}},
		{ruleOf(`,"description":"` + strings.Repeat("x", longestText+1) + `"`), []string{"description: "}},
		{ruleOf(`,"destinations":[` + strings.Repeat(hook+",", 5) + hook + `]`), []string{"destinations: there are at most 5", "destinations, 2: it is there twice"}},
		{ruleOf(`,"destinations":[{"kind":"mail"}]`), []string{"destinations, 1: kind: "}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"ftp://example.com"}]`), []string{"destinations, 1: url: it is an http://"}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"https://u:p@example.com"}]`), []string{"no name and no password"}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"https://example.com/********"}]`), []string{"it is masked"}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"https://example.com/x","secret":"whsec_x"}]`), []string{"only the kind webhook"}},
		{ruleOf(`,"destinations":[{"kind":"webhook","url":"https://example.com/x","secret":"whsec_short"}]`), []string{"secret: it is whsec_ and 24 to 64 bytes"}},
		{ruleOf(`,"destinations":[{"kind":"webhook","url":"https://example.com/x","secret":"********"}]`), []string{"secret: "}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"http://127.0.0.1:1/x"}]`), []string{"--alert-private"}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"http://localhost./x"}]`), []string{"--alert-private"}},
		{ruleOf(`,"destinations":[{"kind":"slack","url":"http://[::ffff:10.0.0.1]/x"}]`), []string{"--alert-private"}},
		{ruleOf(`,"destinations":[{"kind":"command","command":"other"}]`), []string{"no command of this name (--alert-command); it has pager"}},
		{ruleOf(`,"destinations":[{"kind":"command","command":"pager","url":"https://example.com"}]`), []string{"the kind command has none"}},
	} {
		n := alone(t, Options{Commands: map[string][]string{"pager": {"true"}}})
		row, err := n.Put("p", "mine", "key", []byte(c.text))
		if c.want == nil {
			if err != nil || row.Name != "mine" {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.text, err, want)
			}
		}
		if len(n.List("p")) != 0 {
			t.Errorf("%s is kept", c.text)
		}
	}
}

func TestNamesOfRules(t *testing.T) {
	t.Parallel()
	n := alone(t, Options{})
	for _, name := range []string{"", ".", "..", "-a", "A", "a b", "a/b", "é", strings.Repeat("a", 65)} {
		if _, err := n.Put("p", name, "key", []byte(ruleOf(""))); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "name: ") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a", "0.x", "error-rate_p95", strings.Repeat("a", 64)} {
		if _, err := n.Put("p", name, "key", []byte(ruleOf(""))); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A project has a bounded number of rules, whatever others have.
func TestRulesAreBounded(t *testing.T) {
	t.Parallel()
	n := alone(t, Options{})
	for i := range MaxRules {
		if _, err := n.Put("p", fmt.Sprint("r", i), "key", []byte(ruleOf(""))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Put("p", "more", "key", []byte(ruleOf(""))); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "as many as there may be") {
		t.Error(err)
	}
	if _, err := n.Put("p", "r7", "key", []byte(ruleOf(""))); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if _, err := n.Put("q", "more", "key", []byte(ruleOf(""))); err != nil {
		t.Errorf("another project's: %v", err)
	}
	if n.Delete("p", "r7") != nil || !errors.Is(n.Delete("p", "r7"), ErrUnknown) || len(n.List("p")) != MaxRules-1 {
		t.Error("delete")
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "1d": day, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := parseSpan(text); err != nil || got != want || spanOf(spanText(got)) != want {
			t.Errorf("%s: %v %v, %s", text, got, err, spanText(got))
		}
	}
	for _, text := range []string{"", "d", "-1d", "1dx", "1.5d", "99999999d", "x", "1d1d"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "2606:4700::1111": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false, "100.64.0.1": false, "192.0.0.8": false,
		"224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "::ffff:127.0.0.1": false, "::ffff:1.1.1.1": true,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001::1": false, "fec0::1": false, "::7f00:1": false,
	} {
		if got := egress.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// FuzzRule: whatever is put is refused with a reason, or is kept, read again as it is, and shown without its secrets.
func FuzzRule(f *testing.F) {
	f.Add(ruleOf(""))
	f.Add(ruleOf(`,"destinations":[{"kind":"webhook","url":"https://example.com/secret-path","secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}]`))
	f.Add(`{"question":"of=scores&metrics=%22score_avg:a,b%22&group_by=name","window":"1d12h","comparison":"below","alert":-0,"for":3,"no_data":"ok"}`)
	f.Add(`{"name":"mine","disabled":true}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		n := alone(t, Options{})
		row, err := n.Put("p", "mine", "key", []byte(text))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		raw, _ := n.o.Place.Read()
		all, err := parse("it", raw)
		if err != nil || len(all) != 1 {
			t.Fatalf("%v: %s", err, raw)
		}
		again, err := encode(all)
		if err != nil || string(again) != string(raw) {
			t.Fatalf("%v\n%s\n%s", err, raw, again)
		}
		shown, _ := json.Marshal(n.List("p"))
		for _, d := range all[0].Destinations {
			if d.Secret != "" && strings.Contains(string(shown), d.Secret) {
				t.Fatalf("it shows %s", d.Secret)
			}
		}
		row.Groups, row.At = nil, nil
		back, _ := json.Marshal(row.Rule)
		if _, err := n.Put("p", "mine", "key", back); err != nil {
			t.Fatalf("what is shown cannot be put: %v\n%s", err, back)
		}
	})
}
