package modelcall

import (
	"bytes"
	"encoding/json"
)

// dataBody is an answer of OpenAI's embeddings or images.
type dataBody struct {
	ID    string                     `json:"id"`
	Model string                     `json:"model"`
	Data  []json.RawMessage          `json:"data"`
	Usage map[string]json.RawMessage `json:"usage"`
	Error json.RawMessage            `json:"error"`
}

// embeddingsWhole keeps how many vectors came and of how many dimensions, not the vectors.
func embeddingsWhole(a *answer, body []byte) {
	var d dataBody
	if json.Unmarshal(body, &d) != nil {
		return
	}
	a.told(d.ID, d.Model, "")
	a.counts(d.Usage)
	a.fail(d.Error)
	if len(d.Data) == 0 {
		return
	}
	a.done = true
	var one struct {
		Embedding json.RawMessage `json:"embedding"`
	}
	_ = json.Unmarshal(d.Data[0], &one)
	a.output = sizes(len(d.Data), one.Embedding)
}

// sizes is what is kept of vectors, of which one is given: a list of numbers, or text in base64.
func sizes(vectors int, one json.RawMessage) map[string]any {
	out := map[string]any{"embeddings": vectors}
	if len(one) > 2 && one[0] == '[' {
		out["dimensions"] = bytes.Count(one, []byte{','}) + 1
	}
	return out
}

// imagesWhole keeps addresses and prompts, not the images.
func imagesWhole(a *answer, body []byte) {
	var d dataBody
	if json.Unmarshal(body, &d) != nil {
		return
	}
	a.told(d.ID, d.Model, "")
	a.counts(d.Usage)
	a.fail(d.Error)
	if len(d.Data) > 0 {
		a.done = true
		if b, err := encode(d.Data); err == nil {
			a.output = shorten(b)
		}
	}
}

func imagesPiece(a *answer, data []byte) {
	var e struct {
		Type  string                     `json:"type"`
		Usage map[string]json.RawMessage `json:"usage"`
		Error json.RawMessage            `json:"error"`
	}
	if json.Unmarshal(data, &e) != nil {
		return
	}
	a.first = true
	a.counts(e.Usage)
	a.fail(e.Error)
	if e.Type == "image_generation.completed" {
		a.done, a.image = true, shorten(bytes.Clone(data))
	}
}

func imagesBuilt(a *answer) any {
	if a.image == nil {
		return nil
	}
	return a.image
}
