package llb

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// Locals merges the local sources of several definitions, such as the build context.
// BuildKit's converter limits the sources of each definition to the paths that it uses
// (filterPaths in dockerfile2llb/convert.go), so that the daemon transfers files anew
// for each definition. A nil Locals changes nothing.
type Locals struct {
	sources map[string]*local
	order   []*local
}

// local is one local source.
type local struct {
	op    *pb.Op
	meta  *pb.OpMetadata
	paths map[string]bool
	whole bool // every path
}

// Add adds the local sources of a definition.
func (l *Locals) Add(def *pb.Definition) error {
	for _, dt := range def.GetDef() {
		op, source, err := localSource(dt)
		if err != nil {
			return err
		}
		if source == nil {
			continue
		}
		if err := l.add(op, source, def.Metadata[string(digest.FromBytes(dt))]); err != nil {
			return err
		}
	}
	return nil
}

func (l *Locals) add(op *pb.Op, source *pb.SourceOp, meta *pb.OpMetadata) error {
	key, err := localKey(source)
	if err != nil {
		return err
	}
	src := l.sources[key]
	if src == nil {
		src = &local{op: op, meta: meta, paths: map[string]bool{}}
		if l.sources == nil {
			l.sources = map[string]*local{}
		}
		l.sources[key] = src
		l.order = append(l.order, src)
	}
	attr, ok := source.Attrs[pb.AttrFollowPaths]
	if !ok {
		src.whole = true
		return nil
	}
	var paths []string
	if err := json.Unmarshal([]byte(attr), &paths); err != nil {
		return fmt.Errorf("reading the paths of %s: %w", source.Identifier, err)
	}
	for _, p := range paths {
		src.paths[p] = true
	}
	return nil
}

// Definitions returns a definition of each local source with the paths of all
// definitions.
func (l *Locals) Definitions() ([]*pb.Definition, error) {
	var defs []*pb.Definition
	for _, src := range l.order {
		op := src.op.CloneVT()
		if err := src.widen(op.GetSource()); err != nil {
			return nil, err
		}
		dt, err := marshal(op)
		if err != nil {
			return nil, err
		}
		dgst := string(digest.FromBytes(dt))
		last, err := marshal(&pb.Op{Inputs: []*pb.Input{{Digest: dgst}}})
		if err != nil {
			return nil, err
		}
		defs = append(defs, &pb.Definition{
			Def:      [][]byte{dt, last},
			Metadata: map[string]*pb.OpMetadata{dgst: src.meta},
		})
	}
	return defs, nil
}

// Apply returns def with the paths of all definitions in each local source, so that
// their sources are the same vertex. The files that def copies from it stay the same.
func (l *Locals) Apply(def *pb.Definition) (*pb.Definition, error) {
	if l == nil || len(l.order) == 0 {
		return def, nil
	}
	out := &pb.Definition{Metadata: map[string]*pb.OpMetadata{}}
	renamed := map[string]string{}
	for _, dt := range def.GetDef() {
		old := string(digest.FromBytes(dt))
		dt, err := l.apply(dt, renamed)
		if err != nil {
			return nil, err
		}
		dgst := string(digest.FromBytes(dt))
		renamed[old] = dgst
		if _, ok := out.Metadata[dgst]; ok {
			continue // equal to an earlier operation now
		}
		out.Def = append(out.Def, dt)
		if meta, ok := def.Metadata[old]; ok {
			out.Metadata[dgst] = meta
		}
	}
	out.Source = renameLocations(def.Source, renamed)
	return out, nil
}

// apply returns one operation with its local source widened and its inputs
// renamed.
func (l *Locals) apply(dt []byte, renamed map[string]string) ([]byte, error) {
	var op pb.Op
	if err := op.UnmarshalVT(dt); err != nil {
		return nil, err
	}
	changed := false
	for _, in := range op.Inputs {
		if to := renamed[in.Digest]; to != in.Digest {
			in.Digest, changed = to, true
		}
	}
	if source := op.GetSource(); isLocal(source) {
		key, err := localKey(source)
		if err != nil {
			return nil, err
		}
		if src := l.sources[key]; src != nil {
			changed = true
			if err := src.widen(source); err != nil {
				return nil, err
			}
		}
	}
	if !changed {
		return dt, nil
	}
	return marshal(&op)
}

// widen sets the paths of a source to those of all definitions.
func (s *local) widen(source *pb.SourceOp) error {
	if s.whole {
		delete(source.Attrs, pb.AttrFollowPaths)
		return nil
	}
	paths, err := json.Marshal(slices.Sorted(maps.Keys(s.paths)))
	if err != nil {
		return err
	}
	source.Attrs[pb.AttrFollowPaths] = string(paths)
	return nil
}

// renameLocations returns the source locations of a definition under the new
// digests of its operations.
func renameLocations(source *pb.Source, renamed map[string]string) *pb.Source {
	if source == nil {
		return nil
	}
	out := &pb.Source{Infos: source.Infos, Locations: make(map[string]*pb.Locations, len(source.Locations))}
	for old, locations := range source.Locations {
		to, ok := renamed[old]
		if !ok {
			to = old
		}
		out.Locations[to] = locations
	}
	return out
}

func isLocal(source *pb.SourceOp) bool {
	return strings.HasPrefix(source.GetIdentifier(), "local://")
}

// localSource returns an operation and its local source, or nil if it has none.
func localSource(dt []byte) (*pb.Op, *pb.SourceOp, error) {
	var op pb.Op
	if err := op.UnmarshalVT(dt); err != nil {
		return nil, nil, err
	}
	source := op.GetSource()
	if !isLocal(source) {
		return nil, nil, nil
	}
	return &op, source, nil
}

// localKey returns the identity of a source without its paths.
func localKey(source *pb.SourceOp) (string, error) {
	attrs := maps.Clone(source.Attrs)
	delete(attrs, pb.AttrFollowPaths)
	key, err := json.Marshal([]any{source.Identifier, attrs})
	return string(key), err
}

// marshal marshals an operation as BuildKit's client/llb does.
func marshal(op *pb.Op) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(op)
}
