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

// alreadyNamed is the key that says of a vertex that its name is the user's.
const alreadyNamed = "stagebuild.named"

// stepPrefix is how BuildKit's converter names the steps of a stage, with or
// without its platform: "[linux/amd64 app 2/3] " (prefixCommand in
// dockerfile2llb/convert.go).
var stepPrefix = regexp.MustCompile(`^(\[(?:\S+/\S+ )?)([^\s/]+)( +\d+/\d+\] )`)

// Names are what a user knows the parts of a lowered file by.
type Names struct {
	// Stages are the names of stages in steps, by those in the lowered file.
	Stages map[string]string
	// References are those that the user wrote, by the ones in the lowered file.
	References map[string]string
}

// apply names the steps of a definition, but for those that a conversion it takes in
// has named: there "stage-3" is another. Names of vertices, and what else describes
// them, are no part of their digests.
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

// references replaces the longest name that is there: one may begin as another.
func (n Names) references() *strings.Replacer {
	byLength := func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }
	var pairs []string
	for _, lowered := range slices.SortedFunc(maps.Keys(n.References), byLength) {
		pairs = append(pairs, lowered, n.References[lowered])
	}
	return strings.NewReplacer(pairs...)
}

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
