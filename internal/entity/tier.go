package entity

import "strings"

// StandardTier is the service tier that a call has when it names no other.
const StandardTier = "standard"

// Tier is a provider's word for the service tier of a call in one vocabulary: batch, flex, priority, fast or standard; another is
// kept in small letters. "auto" leaves it to the provider. It is "" for a word that says nothing.
//
// The words are those of OpenAI (default), Anthropic (standard_only), Groq (on_demand), and Google (ON_DEMAND_FLEX of Vertex,
// SERVICE_TIER_FLEX of Gemini).
func Tier(text string) string {
	switch tier := strings.ToLower(strings.TrimSpace(text)); tier {
	case "default", "standard", "standard_only", "on_demand", "on-demand", "service_tier_standard":
		return StandardTier
	case "on_demand_flex", "service_tier_flex":
		return "flex"
	case "on_demand_priority", "service_tier_priority":
		return "priority"
	case "traffic_type_unspecified", "service_tier_unspecified", "unspecified":
		return ""
	default:
		return tier
	}
}

// CutTier takes off the tier that LangChain writes before a detail of a call that had one: of priority_cache_read it is priority, and
// the rest cache_read. What a tier alone names is no detail, and has no rest.
func CutTier(detail string) (tier, rest string) {
	for _, tier := range [...]string{"flex", "priority"} {
		if rest, ok := strings.CutPrefix(detail, tier); ok && rest == "" {
			return tier, ""
		} else if ok && rest[0] == '_' {
			return tier, rest[1:]
		}
	}
	return "", detail
}
