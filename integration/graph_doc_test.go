package integration

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/integration/harness"
)

var images = flag.Bool("images", false, "make the pictures in docs/images anew")

// TestGraphCommands runs the commands of the page on drawings.
func TestGraphCommands(t *testing.T) {
	env, _ := productEnv(t)
	own := platforms.Format(platforms.DefaultSpec())
	(&documentRun{
		env: env, name: "docs/graph.md", dir: t.TempDir(),
		replace: []string{"on linux/amd64", "on " + own, "alpine::linux/amd64", "alpine::" + own},
	}).run(t)
}

// TestGraphImages holds the pictures in docs/images to the page that shows them. With
// -images it makes them, from the drawings of the page's Dockerfile, of a large one and
// of the examples.
func TestGraphImages(t *testing.T) {
	if *images {
		env, _ := productEnv(t)
		makeImages(t, env)
	}
	page, err := os.ReadFile("../docs/graph.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, m := range regexp.MustCompile(`!\[[^]]+\]\(images/([^)]+)\)`).FindAllSubmatch(page, -1) {
		shown = append(shown, string(m[1]))
	}
	var there []string
	files, err := filepath.Glob("../docs/images/graph*.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		there = append(there, filepath.Base(file))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	slices.Sort(shown)
	if !slices.Equal(shown, there) {
		t.Errorf("the page shows %v, and docs/images has %v", shown, there)
	}
}

func makeImages(t *testing.T, env *harness.Env) {
	t.Helper()
	blocks, _ := readDocument(t, "docs/graph.md")
	i := slices.IndexFunc(blocks, func(b block) bool { name, _ := b.argument("write"); return name == "Dockerfile" })
	dir := writeContext(t, map[string]string{"Dockerfile": blocks[i].text})
	b := startBrowser(t, env)
	size := func(width, height int64, scale float64) {
		call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale})
	}
	draw := func(name, ext string, scale float64, flags ...string) {
		file := filepath.Join(dir, "stages"+ext)
		cmd := env.Command(t.Context(), "docker-stagebuild", append([]string{"graph", "-o", file}, flags...)...)
		cmd.Dir = dir // so that the page calls the file as a reader's would
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		size(1500, 720, scale)
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate("file://"+file))
		if ext == ".html" {
			b.do(t, chromedp.Click(nodeIn("stage:5")))
		} else {
			of := ask[[]int64](t, b, `["width", "height"].map(name => +document.documentElement.getAttribute(name))`)
			size(of[0], of[1], scale)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("../docs/images", name), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	large, err := filepath.Abs("../plugin/draw/testdata/large/services.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	draw("graph.png", ".svg", 1)
	draw("graph-all.png", ".svg", 1, "--all", "--platform=linux/arm64")
	draw("graph-page.png", ".html", 1)
	draw("graph-services.png", ".svg", 0.5, "-f", large)
	for name, flags := range exampleDrawings() {
		folder, err := filepath.Abs("../examples/" + name)
		if err != nil {
			t.Fatal(err)
		}
		draw("graph-"+name+".png", ".svg", 1, append(flags, folder)...)
	}
}

// exampleDrawings are the examples whose pictures the page shows, each with flags.
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
