package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// promptsCommand shows prompts, makes versions of them, and moves labels.
func promptsCommand(std streams) *cli.Command {
	named := func(what string, n int, do func(ctx context.Context, c *cli.Command, std streams, args []string) error) cli.ActionFunc {
		return func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != n {
				return &usageError{c.FullName(), fmt.Errorf("needs %s; got %d arguments", what, c.Args().Len())}
			}
			return explain(do(ctx, c, std, c.Args().Slice()), c)
		}
	}
	version := func(says string) cli.Flag {
		return &cli.IntFlag{Name: "version", Usage: says, Sources: env("prompts", "version")}
	}
	return &cli.Command{
		Name:  "prompts",
		Usage: "prompts with versions and labels, for applications that ask for them",
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "the prompts of the project",
				Flags: append(clientFlags(), jsonFlag("prompts")), Action: named("no argument", 0, listPrompts),
			},
			{
				Name: "get", Usage: "print a version; the newest, unless another one is named", ArgsUsage: "NAME",
				Flags: append(clientFlags(), jsonFlag("prompts-get"), version("the number of the version"),
					&cli.StringFlag{Name: "label", Usage: "a label that the version has", Sources: env("prompts", "label")}),
				Action: named("the name of a prompt", 1, getPrompt),
			},
			{
				Name: "versions", Usage: "the versions of one, the newest first", ArgsUsage: "NAME",
				Flags: append(clientFlags(), jsonFlag("prompts-versions")), Action: named("the name of a prompt", 1, listPromptVersions),
			},
			{
				Name: "push", Usage: "make a version from a file (- is standard input): the text of a prompt, or the JSON that get --json prints; needs a key with the scope admin", ArgsUsage: "FILE",
				Flags: append(clientFlags(),
					&cli.StringFlag{Name: "name", Usage: "the prompt's name (default: what the JSON says, or the name of the file without its ending)", Sources: env("prompts", "name")},
					&cli.StringSliceFlag{Name: "label", Usage: "a label that is moved to the version; may be repeated", Sources: env("prompts", "labels")},
					&cli.StringFlag{Name: "message", Usage: "why there is this version", Sources: env("prompts", "message")}),
				Action: named("a file", 1, pushPrompt),
			},
			{
				Name: "label", Usage: "put a label on a version, and take it from the one that has it; needs a key with the scope admin", ArgsUsage: "NAME LABEL VERSION",
				Flags: clientFlags(), Action: named("a name, a label and the number of a version", 3, labelPrompt),
			},
			{
				Name: "unlabel", Usage: "take a label from the version that has it; needs a key with the scope admin", ArgsUsage: "NAME LABEL",
				Flags: clientFlags(), Action: named("a name and a label", 2, unlabelPrompt),
			},
			{
				Name: "delete", Usage: "remove a prompt, or one version; its numbers are not given again; needs a key with the scope admin", ArgsUsage: "NAME",
				Flags: append(clientFlags(), version("remove this version only")), Action: named("the name of a prompt", 1, deletePrompt),
			},
		},
	}
}

func promptPath(name string) string { return "/v1/prompts/" + url.PathEscape(name) }

// listPrompts prints a row for each prompt.
func listPrompts(ctx context.Context, c *cli.Command, std streams, _ []string) error {
	var list struct {
		Data []struct {
			Name        string    `json:"name"`
			Type        string    `json:"type"`
			Description string    `json:"description"`
			Versions    int64     `json:"versions"`
			UpdatedAt   time.Time `json:"updated_at"`
			Labels      []struct {
				Name    string `json:"name"`
				Version int    `json:"version"`
			} `json:"labels"`
		} `json:"data"`
	}
	var raw json.RawMessage
	if err := call(ctx, c, http.MethodGet, "/v1/prompts", &raw); err != nil {
		return err
	}
	if c.Bool("json") {
		return printData(std.out, raw)
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	t := newTable(std.out, "!PROMPT", "TYPE", ">VERSIONS", "!LABELS", "UPDATED (UTC)", "DESCRIPTION").fit()
	for _, p := range list.Data {
		var labels []string
		for _, l := range p.Labels {
			labels = append(labels, fmt.Sprintf("%s:%d", l.Name, l.Version))
		}
		t.row(p.Name, p.Type, number(p.Versions), strings.Join(labels, " "), p.UpdatedAt.UTC().Format(time.DateTime), cmp.Or(oneLine(p.Description), "-"))
	}
	return t.end(std.out, len(list.Data), nil)
}

// printData prints the rows of a list as they came.
func printData(out io.Writer, raw json.RawMessage) error {
	var list struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	return printJSON(out, list.Data)
}

// onePrompt is the answer about a version.
type onePrompt struct {
	Data json.RawMessage `json:"data"`
}

func getPrompt(ctx context.Context, c *cli.Command, std streams, args []string) error {
	params := url.Values{}
	if n := c.Int("version"); n != 0 {
		params.Set("version", strconv.Itoa(n))
	}
	if label := c.String("label"); label != "" {
		params.Set("label", label)
	}
	var answer onePrompt
	if err := call(ctx, c, http.MethodGet, promptPath(args[0])+"?"+params.Encode(), &answer); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, answer.Data)
	}
	var p brokle.PromptVersion
	if err := json.Unmarshal(answer.Data, &p); err != nil {
		return err
	}
	return printTemplate(std.out, &p)
}

// printTemplate prints a text as it is, and of a chat each message below its role.
func printTemplate(out io.Writer, p *brokle.PromptVersion) error {
	text := p.Template.Content
	for i, m := range p.Template.Messages {
		if i > 0 {
			text += "\n"
		}
		text += "[" + m.Role + "]\n" + strings.TrimSuffix(m.Content, "\n") + "\n"
	}
	_, err := io.WriteString(out, strings.TrimSuffix(text, "\n")+"\n")
	return err
}

func listPromptVersions(ctx context.Context, c *cli.Command, std streams, args []string) error {
	var raw json.RawMessage
	if err := call(ctx, c, http.MethodGet, promptPath(args[0])+"/versions", &raw); err != nil {
		return err
	}
	if c.Bool("json") {
		return printData(std.out, raw)
	}
	var list struct {
		Data []brokle.PromptVersion `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	t := newTable(std.out, ">!VERSION", "!LABELS", "MADE (UTC)", "BY", "VARIABLES", "MESSAGE").fit()
	for _, v := range list.Data {
		t.row(strconv.Itoa(v.Version), cmp.Or(strings.Join(v.Labels, " "), "-"), v.CreatedAt.UTC().Format(time.DateTime), v.CreatedBy, cmp.Or(strings.Join(v.Variables, " "), "-"), cmp.Or(oneLine(v.CommitMessage), "-"))
	}
	return t.end(std.out, len(list.Data), nil)
}

// pushed is what push sends: of what get prints, what makes a version.
type pushed struct {
	Name          string                `json:"name"`
	Type          string                `json:"type,omitempty"`
	Template      brokle.PromptTemplate `json:"template"`
	Config        json.RawMessage       `json:"config,omitempty"`
	Labels        []string              `json:"labels,omitempty"`
	Description   *string               `json:"description,omitempty"`
	Tags          *[]string             `json:"tags,omitempty"`
	CommitMessage string                `json:"commit_message,omitempty"`
}

func pushPrompt(ctx context.Context, c *cli.Command, std streams, args []string) error {
	text, err := readInput(std, args[0])
	if err != nil {
		return err
	}
	var send pushed
	if json.Unmarshal(text, &send) != nil || send.Template.Content == "" && len(send.Template.Messages) == 0 {
		send = pushed{Template: brokle.PromptTemplate{Content: strings.TrimSuffix(string(text), "\n")}}
		if args[0] != "-" {
			base := filepath.Base(args[0])
			send.Name = strings.TrimSuffix(base, filepath.Ext(base))
		}
	}
	send.Labels = c.StringSlice("label")
	send.Name, send.CommitMessage = cmp.Or(c.String("name"), send.Name), c.String("message")
	if send.Name == "" {
		return errors.New("standard input does not say the prompt's name: --name does")
	}
	var p brokle.PromptVersion
	if err := sendPrompt(ctx, c, http.MethodPost, "/v1/prompts", send, &p); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s is version %d, with the labels %s\n", p.Name, p.Version, strings.Join(p.Labels, ", "))
	return err
}

// sendPrompt sends what changes prompts, and reads the version of the answer.
func sendPrompt(ctx context.Context, c *cli.Command, method, path string, what any, p *brokle.PromptVersion) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := request(ctx, c, method, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	one := struct{ Data *brokle.PromptVersion }{p}
	err = json.NewDecoder(io.LimitReader(answer, callAnswer)).Decode(&one)
	return errors.Join(err, answer.Close())
}

func labelPrompt(ctx context.Context, c *cli.Command, std streams, args []string) error {
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return &usageError{c.FullName(), errors.New("the number of a version is a whole number, such as 3")}
	}
	var p brokle.PromptVersion
	what := struct {
		Label   string `json:"label"`
		Version int    `json:"version"`
	}{args[1], n}
	if err := sendPrompt(ctx, c, http.MethodPut, promptPath(args[0])+"/labels", what, &p); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s is on version %d of %s\n", args[1], p.Version, p.Name)
	return err
}

func unlabelPrompt(ctx context.Context, c *cli.Command, std streams, args []string) error {
	return remove(ctx, c, std, promptPath(args[0])+"/labels?label="+url.QueryEscape(args[1]), args[1]+" is on no version of "+args[0]+" any more")
}

func deletePrompt(ctx context.Context, c *cli.Command, std streams, args []string) error {
	path, says := promptPath(args[0]), args[0]+" is removed"
	if n := c.Int("version"); n != 0 {
		path, says = fmt.Sprintf("%s?version=%d", path, n), fmt.Sprintf("version %d of %s is removed", n, args[0])
	}
	return remove(ctx, c, std, path, says)
}

// remove sends a DELETE, and says what it did.
func remove(ctx context.Context, c *cli.Command, std streams, path, says string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := ask(ctx, c, http.MethodDelete, path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(std.out, says)
	return errors.Join(err, answer.Close())
}
