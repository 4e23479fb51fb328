package price

import "strings"

// standard is the service tier as entries name it: "" for every name of the standard one.
func standard(tier string) string {
	if tier == "" {
		return ""
	}
	for _, name := range [...]string{"default", "standard", "auto", "on_demand", "on-demand", "standard_only"} {
		if sameTier(tier, name) {
			return ""
		}
	}
	return tier
}

// sameTier compares names of tiers, which vendors write in either case.
func sameTier(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
