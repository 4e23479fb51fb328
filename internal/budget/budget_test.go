package budget

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	list, err := Parse([]byte(`[
		{"name":"all","period":"month","warn":8.5,"stop":"10"},
		{"name":"u.1","period":"day","tz":"Europe/Kyiv","user_id":"u-1","model":"gpt-4o","environment":"prod","stop":0.000001}]`))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if a := list[0]; *a.Warn != 8.5 || *a.Stop != 10 || a.Period != Month || a.Scope() != "" {
		t.Errorf("%+v", a)
	}
	if b := list[1]; b.Warn != nil || *b.Stop != 0.000001 || b.Zone != "Europe/Kyiv" || b.Scope() != "user u-1, model gpt-4o, environment prod" {
		t.Errorf("%+v", b)
	}
	if none, err := Parse([]byte("[]")); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

// All that is wrong is told at once, each with the budget and the member.
func TestParseTellsAll(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`[{"name":"A b","period":"week","stop":1},{"name":"ok","period":"day","warn":2,"stop":1,"key":"k","limit":3}]`: {
			"budget 1, name: must be", "budget 1, period: must be day or month",
			"budget 2 (ok), warn: must not be above stop", "budget 2 (ok), key: a budget of a key has key_id", `budget 2 (ok), "limit": is unknown; known are name, period`,
		},
		`[{"name":"x","period":"day"}]`:                                               {"budget 1 (x), warn, stop: one of them is needed"},
		`[{"name":"x","period":"day","stop":1},{"name":"x","period":"day","stop":1}]`: {"budget 2 (x), name: is another's"},
		`[{"name":"x","period":"day","stop":1e3}]`:                                    {"no exponent"},
		`[{"name":"x","period":"day","stop":0}]`:                                      {"more than 0"},
		`[{"name":"x","period":"day","stop":-1}]`:                                     {"more than 0"},
		`[{"name":"x","period":"day","stop":0.0000001}]`:                              {"at most 6 decimals"},
		`[{"name":"x","period":"day","stop":9000000}]`:                                {},
		`[{"name":"x","period":"day","stop":10000000}]`:                               {"below 9,000,000"},
		`[{"name":"x","period":"day","stop":null}]`:                                   {"US dollars"},
		`[{"name":"x","period":"day","stop":true}]`:                                   {"US dollars"},
		`[{"name":"x","period":"day","stop":1,"user_id":7}]`:                          {"user_id: must be a text"},
		`[{"name":"x","period":"day","stop":1,"user_id":""}]`:                         {"user_id: must be a text"},
		`[{"name":"x","period":"day","stop":1,"tz":"Mars"}]`:                          {"tz: must be the IANA name"},
		`[{"name":"x","period":"day","stop":1,"stop":2}]`:                             {"has a member twice"},
		`[null]`: {"budget 1: must be an object"},
		`{}`:     {"must be a JSON array"},
		`[`:      {"must be a JSON array"},
		`["x"]`:  {"must be a JSON array"},
		``:       {"must be a JSON array"},
		"[" + strings.Repeat(`{"name":"a","period":"day","stop":1},`, MaxBudgets) + `{"name":"b","period":"day","stop":1}]`: {"there are 51, a project has at most 50"},
	} {
		_, err := Parse([]byte(body))
		if len(want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", body, err)
			}
			continue
		}
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%.80s: %v", body, err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%.80s: %v, want %s", body, err, w)
			}
		}
	}
}

// Periods begin at midnight of their zone, also where the clock is changed, and one ends where the next begins.
func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ period, zone, now, from, to string }{
		{Day, "", "2026-11-29T21:30:00Z", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"},
		{Day, "", "2026-11-29T00:00:00Z", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"},
		{Day, "", "2026-11-28T23:59:59.999999Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
		{Month, "", "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{Month, "", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{Day, "Asia/Tokyo", "2026-11-29T21:30:00Z", "2026-11-29T15:00:00Z", "2026-11-30T15:00:00Z"},
		{Month, "Asia/Tokyo", "2026-11-30T15:00:00Z", "2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z"},
		{Day, "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},      // 23 hours
		{Day, "Europe/Berlin", "2026-10-25T23:30:00+01:00", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{Month, "Europe/Berlin", "2026-10-31T23:30:00Z", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"},
		{Day, "Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"}, // no midnight: it begins at 01:00
		{Day, "Pacific/Apia", "2011-12-30T05:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"}, // the 29th; there was no 30th
		{Day, "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"}, // the 31st
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		s, err := (&Budget{Period: c.period, Zone: c.zone}).spanOf(now)
		if got := s.from.Format(time.RFC3339) + " " + s.to.Format(time.RFC3339); err != nil || got != c.from+" "+c.to {
			t.Errorf("%s of %s in %s: %s, %v; want %s %s", c.period, c.now, c.zone, got, err, c.from, c.to)
		}
	}
}

// Through some years, every moment is in its period, and periods meet.
func TestPeriodsMeet(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "Australia/Lord_Howe"} {
		for _, period := range []string{Day, Month} {
			b := Budget{Period: period, Zone: zone}
			at := time.Date(2010, 1, 1, 0, 30, 0, 0, time.UTC)
			last, err := b.spanOf(at)
			for n := 0; err == nil && at.Year() < 2012; n++ {
				var is span
				if is, err = b.spanOf(at); err != nil {
					break
				}
				if at.Before(is.from) || !at.Before(is.to) || is != last && !is.from.Equal(last.to) {
					t.Errorf("%s, %s: %v is in %v to %v, behind one to %v", zone, period, at, is.from, is.to, last.to)
					break
				}
				last, at = is, at.Add(11*time.Hour)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
}
