package frontend_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// benchPlatforms are the target platforms of the benchmarks.
var benchPlatforms = strings.Fields("linux/amd64 linux/arm64 linux/arm/v7 linux/riscv64 linux/s390x linux/ppc64le windows/amd64 windows/arm64")

// benchFile returns a Dockerfile of n stages, each built from the one above. Without
// guards it is a plain Dockerfile with the same instructions.
func benchFile(n int, guards bool) []byte {
	guard := func(s string) string {
		if guards {
			return s
		}
		return ""
	}
	var b strings.Builder
	b.WriteString("# syntax=docker/dockerfile:1\nARG DEBUG=0\nARG VERSION=1.2.3\nFROM alpine AS s0\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "\n# Stage %d is like the others.\n", i)
		fmt.Fprintf(&b, "FROM %ss%d AS s%d\n", guard("--for=linux,windows "), i-1, i)
		fmt.Fprintf(&b, "ARG VERSION ARG%d=${VERSION}-%d\n", i, i)
		fmt.Fprintf(&b, "ENV PATH=/opt/%d:$PATH\n", i)
		fmt.Fprintf(&b, "RUN --mount=type=cache,target=/var/cache/apt %s\\\n    apt-get update && \\\n    # a comment inside\n    apt-get install -y gdb\n", guard("--if='DEBUG && TARGETARCH == \"arm64\"' "))
		fmt.Fprintf(&b, "COPY --link --from=s%d %s/etc/a /etc/b\n", i-1, guard("--for=linux/arm64 "))
		fmt.Fprintf(&b, "COPY <<EOF /etc/motd\nstage %d\nEOF\n", i)
	}
	return []byte(b.String())
}

var benchSizes = []int{10, 100, 1000, 5000}

// BenchmarkLower parses, plans and lowers a staged Dockerfile.
func BenchmarkLower(b *testing.B) {
	for _, stages := range benchSizes {
		for _, n := range []int{1, len(benchPlatforms)} {
			b.Run(fmt.Sprintf("stages=%d/platforms=%d", stages, n), func(b *testing.B) {
				data := benchFile(stages, true)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					lowerFor(b, data, benchPlatforms[:n])
				}
			})
		}
	}
}

func lowerFor(b *testing.B, data []byte, targets []string) {
	file, err := syntax.Parse(source.NewFile("Dockerfile", data))
	if err != nil {
		b.Fatal(err)
	}
	for _, target := range targets {
		env := plan.Env{Build: platforms.MustParse("linux/amd64")}
		set, err := plan.Resolve(file, env, plan.Request{Platforms: []guard.Platform{platforms.MustParse(target)}})
		if err != nil {
			b.Fatal(err)
		}
		plan.Lower(set.Targets[0].Plan)
	}
}

// BenchmarkParsePlain parses a plain Dockerfile, which is the only work that this frontend
// adds to BuildKit's for such a file.
func BenchmarkParsePlain(b *testing.B) {
	for _, stages := range benchSizes {
		b.Run(fmt.Sprintf("stages=%d", stages), func(b *testing.B) {
			data := benchFile(stages, false)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				file, err := syntax.Parse(source.NewFile("Dockerfile", data))
				if err != nil || file.IsStaged {
					b.Fatalf("staged: %t, error: %v", file.IsStaged, err)
				}
			}
		})
	}
}

// BenchmarkBuildKitConvert parses and converts the same plain Dockerfile with BuildKit's
// own converter, as every build does. The configs of base images need no request.
func BenchmarkBuildKitConvert(b *testing.B) {
	for _, stages := range []int{10, 100, 1000} { // BuildKit takes longer than linear time
		b.Run(fmt.Sprintf("stages=%d", stages), func(b *testing.B) {
			data := benchFile(stages, false)
			b.ReportAllocs()
			for b.Loop() {
				opt := dockerfile2llb.ConvertOpt{MetaResolver: newGateway(data, nil), TargetPlatform: new(platforms.MustParse("linux/amd64"))}
				res, err := dockerfile2llb.Dockerfile2LLB(b.Context(), data, opt)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := res.State.Marshal(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBuildKit parses the same plain Dockerfile with BuildKit's two parsers. It is
// the baseline of the other benchmarks.
func BenchmarkBuildKit(b *testing.B) {
	for _, stages := range benchSizes {
		b.Run(fmt.Sprintf("stages=%d", stages), func(b *testing.B) {
			data := benchFile(stages, false)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				tree, err := parser.Parse(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := instructions.Parse(tree.AST, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
