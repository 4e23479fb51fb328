package price

import (
	"regexp"
	"slices"
	"strings"
)

// wanted is where a name is looked for.
type wanted struct {
	places  []place
	sellers bool // at last, with the one seller that has it
}

// place is providers that are asked in turn, and how the name is spelled there.
type place struct {
	providers []string
	spellings []spelling
	rule      string // why there
	borrowed  bool   // another provider's prices stand in for those of the one that was called
}

// spelling is a way to write a name.
type spelling struct {
	text  string
	rule  string
	exact bool // no pattern of a book may match it
}

// spellings are the places and the ways to write a model's name, from as it is to the boldest. There is none for what names no model: a
// deployment, a tuned model without a public price.
func spellings(provider, name string) wanted {
	name = strings.ToLower(strings.TrimSpace(name))
	at, known := canonical(provider)
	name, at, opaque := fromPath(name, at)
	if opaque {
		return wanted{places: []place{{providers: []string{at, anywhere}, spellings: []spelling{{text: name, exact: true}}}}}
	}
	var w wanted
	for {
		w.add(at, name)
		rest, named, ok := cutProvider(name)
		if !ok || !mayForward(at) && named != at {
			break
		}
		name, at, known = rest, named, true
	}
	own := variants(at, name)
	for _, p := range fallbacks(at, known) {
		w.places = append(w.places, place{providers: []string{p}, spellings: own, rule: "the price of " + p, borrowed: !mayForward(at)})
	}
	w.sellers = at == anywhere && !known
	return w
}

func (w *wanted) add(at, name string) {
	why := ""
	if len(w.places) > 0 {
		why = "without the provider before it"
	}
	w.places = append(w.places, place{providers: []string{at}, spellings: variants(at, name), rule: why})
}

// fromPath takes the model out of the paths of Bedrock, Vertex and Gemini; opaque when only the account knows which it is.
func fromPath(name, at string) (string, string, bool) {
	last := name[strings.LastIndexByte(name, '/')+1:]
	switch {
	case strings.HasPrefix(name, "arn:aws"):
		opaque := !strings.Contains(name, ":foundation-model/") && !strings.Contains(name, ":inference-profile/")
		return last, "bedrock", opaque
	case strings.Contains(name, "publishers/") && strings.Contains(name, "/models/"):
		return last, "vertex", false
	case strings.HasPrefix(name, "projects/"), strings.HasPrefix(name, "tunedmodels/"):
		return name, at, true
	case strings.HasPrefix(name, "models/"):
		return last, at, false
	case !mayForward(at):
	case bedrockName.MatchString(name):
		return name, "bedrock", false
	case strings.HasPrefix(name, "accounts/fireworks/"):
		return name, "fireworks", false
	case strings.HasPrefix(name, "@cf/"):
		return name, "cloudflare", false
	}
	return name, at, false
}

// cutProvider takes a provider's name off: "azure/gpt-4o", "openai:gpt-4o".
func cutProvider(name string) (rest, provider string, ok bool) {
	i := strings.IndexAny(name, "/:")
	if i <= 0 || i == len(name)-1 {
		return "", "", false
	}
	at, ok := beforeNames[name[:i]]
	return name[i+1:], at, ok
}

// What is written into names: dates and builds, and Bedrock's regions, versions and sizes.
var (
	compactDate    = regexp.MustCompile(`-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$`)
	dated          = regexp.MustCompile(`[-@](20\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])|(0[1-9]|1[0-2])([0-2]\d|3[01])|2\d(0[1-9]|1[0-2])|0\d\d|default)$`)
	bedrockRegion  = regexp.MustCompile(`^(us-gov|us|eu|apac|global|jp|au|ca|sa|in)\.`)
	bedrockName    = regexp.MustCompile(`^((us-gov|us|eu|apac|global|jp|au|ca|sa|in)\.)?(ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|writer|zai)\.[a-z]`)
	bedrockVersion = regexp.MustCompile(`-v\d+(:\d+)?$`)
	contextSize    = regexp.MustCompile(`:\d+k$`)
)

// variants are the ways to write a name at a provider.
func variants(at, name string) []spelling {
	list := []spelling{{text: name}}
	if base, tail, ok := strings.Cut(name, ":"); ok && base == "ft" { // ft:MODEL:ACCOUNT:…
		model, _, _ := strings.Cut(tail, ":")
		list = append(list, spelling{text: "ft:" + model, rule: "as fine-tuned", exact: true})
		return withShorter(exactly(list), undated)
	}
	if strings.Contains(name, ".ft-") { // Azure's name of a tuned model, which has no public price
		return exactly(list)
	}
	if i := strings.IndexByte(name, '@'); i > 0 {
		list = append(list, spelling{text: strings.Replace(name, "@", "-", 1), rule: "Vertex's version after @"})
	}
	if s := compactDate.ReplaceAllString(name, "-$1-$2-$3"); s != name {
		list = append(list, spelling{text: s, rule: "with its date in dashes"})
	}
	if at == "azure" && strings.Contains(name, "gpt-35") {
		list = append(list, spelling{text: strings.Replace(name, "gpt-35", "gpt-3.5", 1), rule: "Azure's spelling of 3.5"})
	}
	if at == "bedrock" {
		list = bedrock(list)
	}
	list = withShorter(list, unrouted)
	return withShorter(withShorter(list, undated), undated)
}

func exactly(list []spelling) []spelling {
	for i := range list {
		list[i].exact = true
	}
	return list
}

// withShorter adds each spelling without its end.
func withShorter(list []spelling, cut func(string) (string, string)) []spelling {
	for _, s := range slices.Clone(list) {
		shorter, why := cut(s.text)
		if shorter == s.text || shorter == "" || slices.ContainsFunc(list, func(t spelling) bool { return t.text == shorter }) {
			continue
		}
		list = append(list, spelling{text: shorter, rule: rule(s.rule, why), exact: s.exact})
	}
	return list
}

// undated takes off a date, a build number or -latest.
func undated(name string) (string, string) {
	if s, ok := strings.CutSuffix(name, "-latest"); ok {
		return s, "without -latest"
	}
	if s := dated.ReplaceAllString(name, ""); s != name {
		return s, "without its date"
	}
	return name, ""
}

// unrouted takes off how OpenRouter chose who answers; never :free, which is a price.
func unrouted(name string) (string, string) {
	i := strings.LastIndexByte(name, ':')
	if i > 0 && slices.Contains([]string{"nitro", "floor", "online", "exacto", "beta", "thinking", "extended"}, name[i+1:]) {
		return name[:i], "without its routing"
	}
	return name, ""
}

// bedrock adds a name without region, route, size of context and vendor.
func bedrock(list []spelling) []spelling {
	name := list[0].text
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
		list = append(list, spelling{text: name, rule: "without its region"})
	}
	if s := contextSize.ReplaceAllString(name, ""); s != name {
		name = s
		list = append(list, spelling{text: name, rule: "without its size of context"})
	}
	if s := bedrockRegion.ReplaceAllString(name, ""); s != name {
		name = s
		list = append(list, spelling{text: name, rule: "without its region"})
	}
	if s, ok := strings.CutPrefix(bedrockVersion.ReplaceAllString(name, ""), "anthropic."); ok {
		list = append(list, spelling{text: s, rule: "without Bedrock's vendor and version"})
	} else if s := bedrockVersion.ReplaceAllString(name, ""); s != name {
		list = append(list, spelling{text: s, rule: "without Bedrock's version"})
	}
	return list
}
