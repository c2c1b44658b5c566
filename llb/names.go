package llb

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/solver/pb"
)

// customName is the key of a vertex's name (client/llb.WithCustomName).
const customName = "llb.customname"

// alreadyNamed is the key that marks a vertex whose name is already the user's.
const alreadyNamed = "stagebuild.named"

// stepPrefix matches the start of a step's name, with or without the platform:
// "[linux/amd64 app 2/3] " (prefixCommand in BuildKit's dockerfile2llb/convert.go).
var stepPrefix = regexp.MustCompile(`^(\[(?:\S+/\S+ )?)([^\s/]+)( +\d+/\d+\] )`)

// Names are the user's names for the stages and references of a lowered file.
type Names struct {
	// Stages are the names of stages to show, by their names in the lowered file.
	Stages map[string]string
	// References are the references that the user wrote, by those in the lowered file.
	References map[string]string
}

// apply renames the steps of a definition, except those that an included conversion has
// renamed: its "stage-3" is another stage. The description of a vertex is not part of
// its digest.
func (n Names) apply(def *pb.Definition) {
	if len(n.Stages)+len(n.References) == 0 {
		return
	}
	references := n.references()
	for _, meta := range def.Metadata {
		name, named := meta.Description[customName], meta.Description[alreadyNamed]
		if named != "" || name == "" && meta.ProgressGroup == nil {
			continue
		}
		description := map[string]string{alreadyNamed: "true"}
		maps.Copy(description, meta.Description)
		if name != "" {
			description[customName] = n.step(references.Replace(name))
		}
		meta.Description = description
		if group := meta.ProgressGroup; group != nil {
			meta.ProgressGroup = group.CloneVT()
			meta.ProgressGroup.Name = n.step(references.Replace(group.Name))
		}
	}
}

// references returns a replacer of references. It prefers the longest one, because one
// can be the start of another.
func (n Names) references() *strings.Replacer {
	byLength := func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }
	var pairs []string
	for _, lowered := range slices.SortedFunc(maps.Keys(n.References), byLength) {
		pairs = append(pairs, lowered, n.References[lowered])
	}
	return strings.NewReplacer(pairs...)
}

// step returns the name of a step with the stage's name replaced.
func (n Names) step(step string) string {
	m := stepPrefix.FindStringSubmatch(step)
	if m == nil {
		return step
	}
	name, ok := n.Stages[m[2]]
	if !ok {
		return step
	}
	return m[1] + name + m[3] + step[len(m[0]):]
}
