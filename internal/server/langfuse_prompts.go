package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// langfusePromptRoutes give Langfuse's clients the prompts of the project, and take versions of them.
func langfusePromptRoutes() []route {
	const path = langfuseBase + "v2/prompts"
	return []route{
		{method: http.MethodGet, path: path + "/{id}", scope: keyring.ScopeRead, params: []string{"version", "label", "resolve"}, light: true, problem: withMessage, handle: langfusePrompt},
		{method: http.MethodPost, path: path, scope: keyring.ScopeAdmin, light: true, problem: withMessage, handle: langfusePutPrompt},
	}
}

// theirPrompt is a version of a prompt in their words. Prompt is a text, or a list of theirMessages.
type theirPrompt struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Version        int             `json:"version"`
	Type           string          `json:"type"`
	Prompt         any             `json:"prompt"`
	Config         json.RawMessage `json:"config"`
	Labels         []string        `json:"labels"`
	Tags           []string        `json:"tags"`
	CommitMessage  *string         `json:"commitMessage"`
	ProjectID      string          `json:"projectId"`
	CreatedBy      string          `json:"createdBy"`
	CreatedAt      string          `json:"createdAt"`
	UpdatedAt      string          `json:"updatedAt"`
	IsActive       *bool           `json:"isActive"`
	ResolutionTree *string         `json:"resolutionGraph"` // null: no prompt is made of others here
}

type theirMessage struct {
	Type    string `json:"type,omitempty"`
	Role    string `json:"role"`
	Content string `json:"content"`
}

func theirPromptOf(p *wire.PromptVersion) *theirPrompt {
	out := &theirPrompt{
		ID: p.ID, Name: p.Name, Version: p.Version, Type: p.Type, Prompt: p.Template.Content, Config: orEmpty(p.Config), Labels: p.Labels, Tags: p.Tags,
		CommitMessage: given(p.CommitMessage), ProjectID: p.ProjectID, CreatedBy: p.CreatedBy,
		CreatedAt: p.CreatedAt.UTC().Format(timeLayout), UpdatedAt: p.UpdatedAt.UTC().Format(timeLayout),
	}
	if p.Type == wire.PromptChat {
		messages := make([]theirMessage, len(p.Template.Messages))
		for i, m := range p.Template.Messages {
			messages[i] = theirMessage{"chatmessage", m.Role, m.Content}
		}
		out.Prompt = messages
	}
	return out
}

// langfusePrompt is GET /api/public/v2/prompts/{id}.
func langfusePrompt(_ context.Context, s *Server, c *call) (*answer, error) {
	p, err := s.askedPrompt(c, wire.PromptProduction) // as their server does
	return ok(theirPromptOf(&p), err)
}

// langfusePutPrompt is POST /api/public/v2/prompts.
func langfusePutPrompt(_ context.Context, s *Server, c *call) (*answer, error) {
	text, err := s.readText(c, maxPromptBody, "prompts")
	if err != nil {
		return nil, err
	}
	var theirs struct {
		Name, Type    string
		Prompt        json.RawMessage
		Config        json.RawMessage
		Labels        []string
		Tags          *[]string
		CommitMessage string
	}
	ours := prompt.Text{}
	if err = json.Unmarshal(text, &theirs); err == nil {
		ours = prompt.Text{Name: theirs.Name, Type: theirs.Type, Config: theirs.Config, Labels: theirs.Labels, Tags: theirs.Tags, CommitMessage: theirs.CommitMessage}
		ours.Template, err = templateOf(theirs.Prompt)
	}
	if err != nil {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "the body must be an object whose prompt is a text or a list of messages with role and content; placeholders are not kept here")
	}
	if text, err = json.Marshal(ours); err != nil {
		return nil, err
	}
	p, err := s.madePrompt(c, text)
	if err != nil {
		return nil, err
	}
	return ok(theirPromptOf(p), nil)
}

// templateOf reads a text, or a list of messages of which none stands for others.
func templateOf(raw json.RawMessage) (t wire.PromptTemplate, err error) {
	if len(raw) == 0 || raw[0] != '[' {
		return t, json.Unmarshal(raw, &t.Content)
	}
	var messages []theirMessage
	if err := json.Unmarshal(raw, &messages); err != nil {
		return t, err
	}
	for _, m := range messages {
		if m.Type != "" && m.Type != "chatmessage" {
			return t, errPlaceholder
		}
		t.Messages = append(t.Messages, wire.PromptMessage{Role: m.Role, Content: m.Content})
	}
	return t, nil
}

var errPlaceholder = errors.New("a placeholder")
