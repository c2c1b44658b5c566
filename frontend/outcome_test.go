package frontend_test

import (
	"slices"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"
)

// outcome has everything that a client sees of a request.
type outcome struct {
	// Definitions are the digests of the solved LLB. They are sorted, because platforms
	// are solved concurrently.
	Definitions []digest.Digest
	// Refs are the digests of the results by platform, or by "" for a single result.
	Refs         map[string]digest.Digest
	Metadata     map[string]string
	Attestations map[string][]string
	Warnings     []warning
	Error        string
	// Sources are the places in the Dockerfile that the error refers to.
	Sources []place
}

// place is one errdefs.Source.
type place struct {
	File   string
	Data   string
	Ranges []string
}

// outcome returns the outcome of a request, from its result and the records of the gateway.
func (g *gateway) outcome(res *client.Result, err error) outcome {
	o := outcome{Warnings: g.warnings}
	for _, def := range g.definitions {
		o.Definitions = append(o.Definitions, digest.FromString(def))
	}
	slices.Sort(o.Definitions)
	if err != nil {
		o.Error = err.Error()
		for _, s := range errdefs.Sources(err) {
			o.Sources = append(o.Sources, place{File: s.Info.Filename, Data: string(s.Info.Data), Ranges: rangesOf(s.Ranges)})
		}
	}
	if res == nil {
		return o
	}
	o.Refs, o.Metadata, o.Attestations = map[string]digest.Digest{}, map[string]string{}, map[string][]string{}
	if res.Ref != nil {
		o.Refs[""] = res.Ref.(reference).definition
	}
	for id, ref := range res.Refs {
		o.Refs[id] = ref.(reference).definition
	}
	for key, value := range res.Metadata {
		o.Metadata[key] = string(value)
	}
	for id, list := range res.Attestations {
		for _, a := range list {
			o.Attestations[id] = append(o.Attestations[id], a.Path+" "+a.Ref.(reference).definition.String())
		}
	}
	return o
}
