package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"
)

type promptIn struct {
	Name    string `json:"name" jsonschema:"the name of the prompt"`
	Version int    `json:"version,omitempty" jsonschema:"the number of the version"`
	Label   string `json:"label,omitempty" jsonschema:"or a label, such as production; the newest version when both are absent"`
	Cursor  string `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

type newPromptIn struct {
	Name     string       `json:"name" jsonschema:"the name of the prompt; a new one is made when there is none"`
	Content  string       `json:"content,omitempty" jsonschema:"the text, with {{variables}}; or messages"`
	Messages []promptText `json:"messages,omitempty" jsonschema:"the messages of a prompt of the type chat"`
	Why      string       `json:"why,omitempty" jsonschema:"why there is this version"`
}

type promptText struct {
	Role    string `json:"role" jsonschema:"system, user or assistant"`
	Content string `json:"content" jsonschema:"the text, with {{variables}}"`
}

func promptTools() []tool {
	return []tool{
		typed(tool{name: "list_prompts", title: "List prompts", scope: "read", needs: []string{"GET /v1/prompts"}, says: "List the prompts that the project keeps, with their labels and newest versions."}, limited(mostRows),
			func(ctx context.Context, a *asking, in pageIn) (string, error) {
				return in.pages(ctx, a.backend, "/v1/prompts", "prompts")
			}),
		typed(tool{name: "get_prompt", title: "Read a prompt", scope: "read", needs: []string{"GET /v1/prompts/{name}"}, says: "Read one version of a prompt. Two versions are compared by reading both."},
			func(p map[string]*jsonschema.Schema) { p["version"].Minimum = ptr(1.0) }, getPrompt),
		typed(tool{
			name: "add_prompt_version", title: "Write a prompt", scope: "admin", write: true, needs: []string{"POST /v1/prompts"},
			says: "Write a new version of a prompt. It gets no label: applications that ask for one go on with what they have, until a person moves it.",
		}, func(p map[string]*jsonschema.Schema) { p["content"].MaxLength = ptr(longestPrompt) }, addPrompt),
	}
}

// longestPrompt is how many characters the text of a version may have here.
const longestPrompt = 256 << 10

func getPrompt(ctx context.Context, a *asking, in promptIn) (string, error) {
	values := url.Values{}
	if in.Version > 0 {
		values.Set("version", strconv.Itoa(in.Version))
	}
	if in.Label != "" {
		values.Set("label", in.Label)
	}
	q := Request{Method: http.MethodGet, Path: "/v1/prompts/" + url.PathEscape(in.Name), Query: values}
	return document(ctx, a.backend, q, "A version of a prompt.", in.tokens(), in.Cursor)
}

func addPrompt(ctx context.Context, a *asking, in newPromptIn) (string, error) {
	if (in.Content == "") == (len(in.Messages) == 0) {
		return "", errors.New("content: a version has either content or messages")
	}
	template := map[string]any{"content": in.Content}
	if in.Content == "" {
		template = map[string]any{"messages": in.Messages}
	}
	body := encode(map[string]any{"name": in.Name, "template": template, "commit_message": in.Why})
	var made struct {
		Data struct {
			Version int `json:"version"`
		} `json:"data"`
	}
	if err := ask(ctx, a.backend, Request{Method: http.MethodPost, Path: "/v1/prompts", Body: []byte(body)}, &made); err != nil {
		return "", err
	}
	return fmt.Sprintf("Stored as version %d.", made.Data.Version), nil
}
