package daemon

import (
	"testing"
	"time"
)

func TestParseAge(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "30d": 30 * day, "1d12h": 36 * time.Hour, "720h": 720 * time.Hour, "90m": 90 * time.Minute, "36525d": maxAge,
	} {
		got, err := ParseAge(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%q: %v, %v, want %v", text, time.Duration(got), err, want)
		}
		if again, err := ParseAge(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q and read as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "d", "30", "-1d", "1d-1h", "-3h", "1.5d", "1d2d", "40000d", "99999999999d", "month"} {
		if got, err := ParseAge(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestRetentionOf(t *testing.T) {
	t.Parallel()
	r, err := Config{Retention: Age(30 * day), RetentionProjects: "shop=7d, lab=0"}.retention()
	if err != nil || r.Of("shop") != 7*day || r.Of("lab") != 0 || r.Of("other") != 30*day || r.Shortest() != 7*day {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"shop", "shop=", "Shop=7d", "shop=7d,shop=8d", "shop=10s", "=7d", "shop=7d,,lab=1d"} {
		if err := (Config{RetentionProjects: text}).Validate(); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	for age, ok := range map[time.Duration]bool{0: true, time.Minute: true, time.Second: false, maxAge + time.Hour: false} {
		if err := (Config{Retention: Age(age)}).Validate(); (err == nil) != ok {
			t.Errorf("retention %v: %v", age, err)
		}
	}
}
