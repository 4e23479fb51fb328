package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	values := map[string]any{"name": "Ada", "n": 3, "x": 0.5, "yes": true, "list": []string{"a", "b"}, "d": 2 * time.Second, "more": 1, "braces": "{{n}}", "nothing": nil}
	for _, tc := range []struct{ template, want, missing string }{
		{"Hello {{name}}!", "Hello Ada!", ""},
		{"{{ name }}{{n}} {{x}} {{yes}} {{list}} {{d}}", `Ada3 0.5 true ["a","b"] 2s`, ""},
		{"{{braces}}", "{{n}}", ""}, // a value is no template
		{"{{{name}}}", "{Ada}", ""},
		{"a {{ b c }} {{1}} {{}} {{ {{name}} }} {{", "a {{ b c }} {{1}} {{}} {{ Ada }} {{", ""},
		{"größe {{name}} {name}", "größe Ada {name}", ""},
		{"{{b}} {{a}} {{b}} {{nothing}} {{name}}", "", "b, a, nothing"},
		{"", "", ""},
	} {
		p := PromptVersion{Name: "p", Version: 2, Type: PromptText, Template: PromptTemplate{Content: tc.template}}
		got, err := p.CompileText(values)
		var missing *MissingVariablesError
		if tc.missing != "" && (!errors.As(err, &missing) || strings.Join(missing.Variables, ", ") != tc.missing || !strings.Contains(err.Error(), "prompt p, version 2: no value for "+tc.missing)) {
			t.Errorf("%q: %v, want %q missing", tc.template, err, tc.missing)
		}
		if tc.missing == "" && (err != nil || got != tc.want) {
			t.Errorf("%q: %q, %v, want %q", tc.template, got, err, tc.want)
		}
	}
	chat := PromptVersion{Name: "c", Type: PromptChat, Template: PromptTemplate{Messages: []PromptMessage{{Role: "system", Content: "You are {{who}}."}, {Role: "user", Content: "{{q}} {{who}}", Name: "u"}}}}
	if got := chat.Template.Variables(); !reflect.DeepEqual(got, []string{"who", "q"}) {
		t.Errorf("variables: %v", got)
	}
	got, err := chat.CompileMessages(map[string]any{"who": "kind", "q": "Why?"})
	want := []PromptMessage{{Role: "system", Content: "You are kind."}, {Role: "user", Content: "Why? kind", Name: "u"}}
	if err != nil || !reflect.DeepEqual(got, want) || chat.Template.Messages[0].Content != "You are {{who}}." {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := chat.CompileText(nil); err == nil {
		t.Error("a chat is no text")
	}
	text := PromptVersion{Template: PromptTemplate{Content: "Why?"}}
	if got, err := text.CompileMessages(nil); err != nil || !reflect.DeepEqual(got, []PromptMessage{{Role: "user", Content: "Why?"}}) {
		t.Errorf("%+v, %v", got, err)
	}
	bad := PromptVersion{Name: "p", Template: PromptTemplate{Content: "{{f}}"}}
	if _, err := bad.CompileText(map[string]any{"f": func() {}}); err == nil || !strings.Contains(err.Error(), "the value of f") {
		t.Errorf("a function: %v", err)
	}
}
