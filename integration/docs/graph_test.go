package docs

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/browser"
	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

var images = flag.Bool("images", false, "create the pictures in docs/images")

// TestGraphCommands runs the commands in docs/graph.md.
func TestGraphCommands(t *testing.T) {
	env, _ := suite.Product(t)
	own := platforms.Format(platforms.DefaultSpec())
	(&document.Session{
		Env: env, Name: "docs/graph.md", Dir: t.TempDir(),
		Replace: []string{"on linux/amd64", "on " + own, "alpine::linux/amd64", "alpine::" + own},
	}).Run(t)
}

// imageSums holds the SHA-256 of the drawing behind each picture in docs/images, as drawn
// on linux/amd64.
const imageSums = "../../docs/images/graph.sha256"

// TestGraphImages checks that docs/graph.md shows all pictures in docs/images and that
// their drawings have not changed since. With -images it creates the pictures.
func TestGraphImages(t *testing.T) {
	env, _ := suite.Product(t)
	var sums strings.Builder
	var made []string
	drawn := drawings(t, env)
	for _, d := range drawn {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(d.data), d.name)
		made = append(made, d.name)
	}
	if *images {
		makeImages(t, env, drawn)
		testkit.WriteFile(t, imageSums, sums.String())
	}
	want, err := os.ReadFile(imageSums)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), sums.String()); diff != "" && platforms.Format(platforms.DefaultSpec()) == "linux/amd64" {
		t.Errorf("the drawings of the pictures in docs/images have changed; create them with -images (-pictures +now):\n%s", diff)
	}
	page, err := os.ReadFile("../../docs/graph.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown, existing []string
	for _, m := range regexp.MustCompile(`!\[[^]]+\]\(images/([^)]+)\)`).FindAllSubmatch(page, -1) {
		shown = append(shown, string(m[1]))
	}
	files, err := filepath.Glob("../../docs/images/graph*.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		existing = append(existing, filepath.Base(file))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	slices.Sort(shown)
	slices.Sort(made)
	if !slices.Equal(shown, existing) || !slices.Equal(made, existing) {
		t.Errorf("the page shows %v, docs/images has %v, and %v are created", shown, existing, made)
	}
}

// imageDrawing is the drawing behind a picture.
type imageDrawing struct {
	name  string // of the picture
	file  string // an SVG or a page
	data  []byte // content of file
	scale float64
}

// drawings draws the page's Dockerfile, a large one and the examples.
func drawings(t *testing.T, env *harness.Env) []imageDrawing {
	t.Helper()
	blocks, _ := document.Read(t, "docs/graph.md")
	i := slices.IndexFunc(blocks, func(b document.Block) bool { name, _ := b.Argument("write"); return name == "Dockerfile" })
	large, err := os.ReadFile("../../plugin/draw/testdata/large/services.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": blocks[i].Text, "services.Dockerfile": string(large)})
	out := t.TempDir()
	var list []imageDrawing
	// Draw in the Dockerfile's own directory, so that the picture shows the name that a
	// reader would see.
	draw := func(dir, name, ext string, scale float64, flags ...string) {
		d := imageDrawing{name: name + ".png", file: filepath.Join(out, name+ext), scale: scale}
		cmd := env.Command(t.Context(), "docker-stagebuild", append([]string{"graph", "-o", d.file}, flags...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if d.data, err = os.ReadFile(d.file); err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	draw(dir, "graph", ".svg", 1)
	draw(dir, "graph-all", ".svg", 1, "--all", "--platform=linux/arm64")
	draw(dir, "graph-page", ".html", 1)
	draw(dir, "graph-services", ".svg", 0.5, "-f", "services.Dockerfile")
	examples := exampleDrawings()
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		draw("../../examples/"+name, "graph-"+name, ".svg", 1, examples[name]...)
	}
	return list
}

// makeImages renders each drawing to a picture.
func makeImages(t *testing.T, env *harness.Env, drawn []imageDrawing) {
	t.Helper()
	b := browser.Start(t, env)
	size := func(width, height int64, scale float64) {
		browser.Call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale})
	}
	for _, d := range drawn {
		size(1500, 720, d.scale)
		b.Do(t, chromedp.Navigate("about:blank"), chromedp.Navigate("file://"+d.file))
		if filepath.Ext(d.file) == ".html" {
			b.Do(t, chromedp.Click(browser.NodeSelector("stage:5")))
		} else {
			of := browser.Evaluate[[]int64](t, b, `["width", "height"].map(name => +document.documentElement.getAttribute(name))`)
			size(of[0], of[1], d.scale)
		}
		testkit.WriteFile(t, filepath.Join("../../docs/images", d.name), string(b.Screenshot(t)))
	}
}

// exampleDrawings returns the examples whose pictures the page shows, with the flags of
// each.
func exampleDrawings() map[string][]string {
	return map[string][]string{
		"go-service":        {"--all"},
		"node-app":          nil,
		"universal":         nil,
		"gated-release":     nil,
		"debug-variant":     {"--build-arg=DEBUG=1", "--all"},
		"windows-and-linux": nil,
		"monorepo-matrix":   {"--stage=*"},
	}
}
