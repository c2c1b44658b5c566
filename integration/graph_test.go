package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/integration/harness"
)

// drawnFile has variants for platforms and for an arg, a needed stage, instructions that
// are not always there, and texts that would do harm in a page that does not escape.
const drawnFile = `# platforms=linux/amd64,linux/arm64
ARG DEBUG=0
# build </script><script>document.title="broken"</script> compiles
FROM scratch AS build
COPY a /"><img src=x onerror=document.title="broken">
FROM --for=linux/arm64 debian AS base
FROM --if='DEBUG == "full"' fedora AS base
FROM busybox AS base
FROM build AS test
FROM --needs=test base AS app
COPY --from=build /a /a
RUN --if=DEBUG != "0" true
RUN --for=linux/arm64 true \
  && true
FROM app AS docs
FROM app
`

// openPage opens the page of a folder's Dockerfile in a browser, and returns its address.
func openPage(t *testing.T, env *harness.Env, dir string) (b *browser, page string) {
	t.Helper()
	path := filepath.Join(dir, "stages.html")
	if _, err := env.Run(t.Context(), "docker-stagebuild", "graph", "-o", path, dir); err != nil {
		t.Fatal(err)
	}
	b, page = startBrowser(t, env), "file://"+path
	b.do(t, chromedp.Navigate(page))
	return b, page
}

// TestGraphPage opens a page in a browser, and uses it with keys and with the mouse.
func TestGraphPage(t *testing.T) {
	env, _ := productEnv(t)
	dockerfile := strings.Replace(drawnFile, `--if=DEBUG != "0"`, `--if='DEBUG != "0"'`, 1)
	dir := writeContext(t, map[string]string{"Dockerfile": dockerfile})
	b, page := openPage(t, env, dir)

	const both = "stage:0 stage:1 stage:3 stage:4 stage:5 stage:7 "
	if got := b.shown(t); !strings.HasPrefix(got, both) {
		t.Errorf("at first %s is shown", got)
	}
	t.Run("switches", func(t *testing.T) { checkSwitches(t, b, page) })
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(page))
	t.Run("keys", func(t *testing.T) { checkKeys(t, b) })
	t.Run("mouse", func(t *testing.T) { checkMouse(t, b) })
	t.Run("names", func(t *testing.T) { checkNames(t, b) })
	if got := ask[string](t, b, "document.title"); !strings.HasPrefix(got, "Stages of ") {
		t.Errorf("the page is called %q", got)
	}
	b.checkQuiet(t, page)
}

// checkSwitches chooses a platform and a build arg, and goes back to the choice by the
// page's address.
func checkSwitches(t *testing.T, b *browser, page string) {
	b.choose(t, "platform", "linux/arm64")
	if got := b.shown(t); strings.Contains(got, "stage:3") || !strings.Contains(got, "stage:1") {
		t.Errorf("for linux/arm64 %s is shown", got)
	}
	b.choose(t, "platform", "linux/amd64")
	b.choose(t, "arg.DEBUG", "full")
	if got := b.shown(t); strings.Contains(got, "stage:3") || !strings.Contains(got, "stage:2") {
		t.Errorf("with DEBUG=full %s is shown", got)
	}
	if got := ask[string](t, b, `document.getElementById("tree").textContent`); !strings.Contains(got, "FROM base:7") {
		t.Errorf("the text with DEBUG=full is\n%s", got)
	}
	if got := ask[string](t, b, `document.getElementById("status").textContent`); !strings.HasSuffix(got, "for linux/amd64") {
		t.Errorf("the status is %q", got)
	}
	address := ask[string](t, b, "location.href")
	before := b.shown(t)
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address))
	if got := b.shown(t); got != before {
		t.Errorf("at %s %s is shown, and not %s", strings.TrimPrefix(address, page), got, before)
	}
}

// TestGraphPageOfAnyArg opens a page in which the reader chooses args that are called as
// the page calls something of its own.
func TestGraphPageOfAnyArg(t *testing.T) {
	env, _ := productEnv(t)
	names := []string{"Platform", "choices", "length", "node", "platform"}
	dockerfile := "FROM scratch\n"
	for _, name := range names {
		dockerfile = "ARG " + name + "=a\n" + dockerfile + "LABEL --if='" + name + ` == "b"' ` + name + "=b\n"
	}
	dir := writeContext(t, map[string]string{"Dockerfile": "# platforms=linux/amd64,linux/arm64\n" + dockerfile})
	b, page := openPage(t, env, dir)
	const (
		chosen = `[...document.querySelectorAll("select")].map(s => s.options[s.selectedIndex].text).join(" ")`
		lines  = `[...document.querySelectorAll("#lines li")].map(l => l.children[1].tagName.toLowerCase() + " " + l.children[1].textContent).join("\n")`
	)
	for _, name := range names[1:] {
		b.choose(t, "arg."+name, "b")
	}
	b.choose(t, "platform", "linux/arm64")
	b.do(t, chromedp.Click(nodeIn("stage:0")))
	check := func(when string) {
		t.Helper()
		if got, want := ask[string](t, b, chosen), "a (default) b b b b linux/arm64"; got != want {
			t.Errorf("%s the choice is %q, and not %q", when, got, want)
		}
		got := ask[string](t, b, lines)
		for i, name := range names {
			element := "code"
			if i == 0 {
				element = "del"
			}
			if want := element + " LABEL --if='" + name + " "; !strings.Contains(got, want) {
				t.Errorf("%s the lines are\n%s\nwithout %q", when, got, want)
			}
		}
	}
	check("at first")
	address := ask[string](t, b, "location.href")
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address))
	check("at " + strings.TrimPrefix(address, page))
	b.checkQuiet(t, page)
}

// TestGraphPageShowsSomething goes through a page whose pictures have little in common, and
// one place for each stage: what the reader chooses is in sight, and fits.
func TestGraphPageShowsSomething(t *testing.T) {
	env, _ := productEnv(t)
	var dockerfile strings.Builder
	dockerfile.WriteString("# platforms=linux/amd64,linux/arm64\nARG SERVICE=s5\n")
	const services = 9
	for i := range services {
		fmt.Fprintf(&dockerfile, strings.ReplaceAll(`FROM GUARD golang AS s%[1]d-build
FROM GUARD s%[1]d-build AS s%[1]d-test
FROM GUARD debian AS s%[1]d-assets
COPY --from=s%[1]d-build /a /a
FROM GUARD --needs=s%[1]d-test alpine AS app
COPY --from=s%[1]d-assets /a /a
`, "GUARD", `--if='SERVICE == "s%[1]d"'`), i)
	}
	dir := writeContext(t, map[string]string{"Dockerfile": dockerfile.String()})
	b, page := openPage(t, env, dir)
	call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1000, Height: 450, DeviceScaleFactor: 1})
	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(page))
	// The nodes whose middle is in sight, and those that are so as a whole.
	const seen = `(() => {
		const room = document.getElementById("pictures").getBoundingClientRect();
		const boxes = [...document.querySelectorAll(".picture:not([hidden]) .node")].map(n => n.getBoundingClientRect());
		const middle = r => { const [x, y] = [(r.left + r.right) / 2, (r.top + r.bottom) / 2]; return x > room.left && x < room.right && y > room.top && y < room.bottom; };
		const whole = r => r.left >= room.left && r.right <= room.right && r.top >= room.top && r.bottom <= room.bottom;
		return [boxes.length, boxes.filter(middle).length, boxes.filter(whole).length];
	})()`
	check := func(when string) {
		t.Helper()
		if got := ask[[]int](t, b, seen); got[0] < 7 || got[1] == 0 {
			t.Errorf("%s, of %d nodes %d are in sight", when, got[0], got[1])
		}
	}
	check("at first")
	for i := range services {
		if i != 5 {
			b.choose(t, "arg.SERVICE", fmt.Sprint("s", i))
			check(fmt.Sprint("with s", i))
		}
	}
	const zoom = `document.querySelector("[data-zoom=reset]").textContent`
	var zooms []string
	for range 3 {
		b.do(t, chromedp.Click(chromedp.CSS("[data-zoom=fit]")))
		if got := ask[[]int](t, b, seen); got[2] != got[0] {
			t.Errorf("of %d nodes %d fit", got[0], got[2])
		}
		zooms = append(zooms, ask[string](t, b, zoom))
	}
	if zooms[0] != zooms[1] || zooms[1] != zooms[2] {
		t.Errorf("what fits is %v large", zooms)
	}
	b.checkQuiet(t, page)
}

// checkKeys goes to the picture, through it, and to the lines of a stage.
func checkKeys(t *testing.T, b *browser) {
	for range 20 {
		if b.press(t, kb.Tab); strings.HasPrefix(b.focused(t), "stage:") {
			break
		}
	}
	if got := b.focused(t); got != "stage:0" {
		t.Fatalf("Tab leads to %s", got)
	}
	b.press(t, kb.ArrowRight)
	right := b.focused(t)
	if right == "stage:0" || !strings.Contains(right, ":") {
		t.Errorf("the arrow to the right leads to %s", right)
	}
	if left := ask[bool](t, b, `(x => x("stage:0") < x("`+right+`"))(id => document.querySelector('.picture:not([hidden]) [data-node="' + id + '"]').getBoundingClientRect().x)`); !left {
		t.Errorf("%s is not to the right of stage:0", right)
	}
	b.press(t, kb.Enter)
	if got := ask[string](t, b, `document.getElementById("panel-title").textContent`); !ask[bool](t, b, `document.getElementById("panel").open`) || got == "" {
		t.Errorf("Enter opens %q", got)
	}
	if got := b.focused(t); got != "panel" {
		t.Errorf("the keyboard is at %s when the lines are shown", got)
	}
	b.press(t, kb.Escape)
	if got := b.focused(t); ask[bool](t, b, `document.getElementById("panel").open`) || got != right {
		t.Errorf("Escape leads to %s", got)
	}
	const width = `+document.querySelector(".picture:not([hidden]) svg").getAttribute("width")`
	before := ask[float64](t, b, width)
	b.press(t, "+")
	if got := ask[float64](t, b, width); got <= before {
		t.Errorf("+ makes %v of %v", got, before)
	}
	b.press(t, "-")
	b.press(t, "-")
	if got := ask[float64](t, b, width); got >= before {
		t.Errorf("- makes %v of %v", got, before)
	}
	b.press(t, "0")
	if got := ask[float64](t, b, width); got != before {
		t.Errorf("0 makes %v of %v", got, before)
	}
}

// checkMouse clicks a stage, and reads its lines.
func checkMouse(t *testing.T, b *browser) {
	const lines = `[...document.querySelectorAll("#lines li")].map(l => [...l.children].map(c => c.tagName.toLowerCase() + " " + c.textContent).join("|")).join("\n")`
	b.do(t, chromedp.Click(nodeIn("stage:5")))
	if got, want := ask[string](t, b, lines), `span 10|code FROM --needs=test base AS app
span 11|code COPY --from=build /a /a
span 12|del RUN --if='DEBUG != "0"' true|span dropped for linux/amd64, linux/arm64: --if=DEBUG != "0" is false with DEBUG = "0"
span 13|code RUN --for=linux/arm64 true \
span 14|code   && true|span dropped for linux/amd64: --for=linux/arm64 does not match linux/amd64`; got != want {
		t.Errorf("the lines are\n%s\nand not\n%s", got, want)
	}
	// Another choice changes what is said.
	b.choose(t, "platform", "linux/amd64")
	if got := ask[string](t, b, lines); !strings.Contains(got, `span 14|del   && true|`) {
		t.Errorf("the lines for linux/amd64 are\n%s", got)
	}
	b.do(t, chromedp.Click(nodeIn("stage:0")))
	if got := ask[string](t, b, lines); !strings.Contains(got, `code COPY a /"><img src=x`) {
		t.Errorf("the lines are\n%s", got)
	}
	b.do(t, chromedp.Click(chromedp.CSS("#close")), chromedp.Click(chromedp.CSS("[data-zoom=in]")))
	const zoom = `document.querySelector("[data-zoom=reset]").textContent`
	if got := ask[string](t, b, zoom); got != "125%" {
		t.Errorf("the zoom is %s", got)
	}
	const ctrl = 2
	call(t, b, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseWheel", X: 300, Y: 300, DeltaX: 1, DeltaY: 100, Modifiers: ctrl})
	eventually(t, func() error {
		if got := ask[string](t, b, zoom); got == "125%" {
			return errors.New("the wheel does not zoom")
		}
		return nil
	})
}

// checkNames asks for what a screen reader gets: whatever can be used has a name.
func checkNames(t *testing.T, b *browser) {
	b.do(t, chromedp.Click(nodeIn("stage:5")))
	nodes := call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
	found := map[string]bool{}
	text := func(v *accessibility.Value) string {
		var s string
		if v != nil {
			_ = json.Unmarshal(v.Value, &s) // other values are no texts
		}
		return s
	}
	for _, n := range nodes {
		// The space before a select is part of its name, unless a line ends there.
		role, name := text(n.Role), strings.TrimSpace(text(n.Name))
		if n.Ignored {
			continue
		}
		switch role {
		case "button", "combobox", "dialog", "group", "form":
			if name == "" {
				t.Errorf("a %s has no name: %+v", role, n)
			}
		}
		found[role+" "+name] = true
	}
	for _, want := range []string{
		"combobox Platform", "combobox DEBUG", "button Zoom in", "button Close", "dialog app", "group Stages",
		"button stage app, FROM base", "button stage base:8, FROM busybox", "button image busybox",
	} {
		if !found[want] {
			t.Errorf("there is no %s among %v", want, found)
		}
	}
}

// TestGraphFormatsAreRead draws large files and a small one for other programs, and has
// these read them: each node and edge is there.
func TestGraphFormatsAreRead(t *testing.T) {
	env, _ := productEnv(t)
	dot, err := env.Graphviz(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	script, err := env.NpmFile(t.Context(), "mermaid@12.3.0", "dist/mermaid.min.js")
	if err != nil {
		t.Fatal(err)
	}
	dir := writeContext(t, map[string]string{
		"Dockerfile":   strings.Replace(drawnFile, `--if=DEBUG != "0"`, `--if='DEBUG != "#lt;`+"`"+`"'`, 1),
		"mermaid.html": `<!DOCTYPE html><meta charset="utf-8"><script src="mermaid.js"></script><body>`,
	})
	if err := os.Symlink(script, filepath.Join(dir, "mermaid.js")); err != nil {
		t.Fatal(err)
	}
	b := startBrowser(t, env)
	b.do(t, chromedp.Navigate("file://"+filepath.Join(dir, "mermaid.html")))
	large, err := filepath.Glob("../plugin/draw/testdata/large/*.Dockerfile")
	if err != nil || len(large) == 0 {
		t.Fatalf("no large files: %v", err)
	}
	for _, file := range append(large, filepath.Join(dir, "Dockerfile")) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var g graph.Graph
			if err := json.Unmarshal([]byte(drawAs(t, env, "json", file)), &g); err != nil {
				t.Fatal(err)
			}
			checkDot(t, env, dot, drawAs(t, env, "dot", file), &g)
			checkMermaid(t, b, drawAs(t, env, "mermaid", file), &g)
		})
	}
}

func drawAs(t *testing.T, env *harness.Env, format, file string) string {
	t.Helper()
	out, err := env.Run(t.Context(), "docker-stagebuild", "graph", "--all", "--format", format, "-f", file)
	if err != nil {
		t.Fatal(err)
	}
	return out.Stdout
}

// endsOf returns between which nodes there are edges.
func endsOf(g *graph.Graph) map[[2]string]bool {
	list := map[[2]string]bool{}
	for _, e := range g.Edges {
		list[[2]string{e.Uses, e.Stage}] = true
	}
	return list
}

// checkDot has Graphviz say what it has read.
func checkDot(t *testing.T, env *harness.Env, dot, drawing string, g *graph.Graph) {
	t.Helper()
	cmd := env.Command(t.Context(), dot, "-Tdot_json")
	cmd.Stdin = strings.NewReader(drawing)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dot: %v", err)
	}
	var read struct {
		Objects []struct{ Name, Label string }
		Edges   []struct{ Tail, Head int }
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, o := range read.Objects {
		labels[o.Name] = o.Label
	}
	for _, n := range g.Nodes {
		if !strings.HasPrefix(labels[n.ID], n.Name) {
			t.Errorf("dot reads the label of %s as %q", n.ID, labels[n.ID])
		}
	}
	want := endsOf(g)
	for _, e := range read.Edges {
		delete(want, [2]string{read.Objects[e.Tail].Name, read.Objects[e.Head].Name})
	}
	if len(read.Objects) != len(g.Nodes) || len(want) > 0 {
		t.Errorf("dot reads %d of %d nodes, and not the edges %v", len(read.Objects), len(g.Nodes), want)
	}
}

// checkMermaid has Mermaid draw, and counts what it has drawn.
func checkMermaid(t *testing.T, b *browser, drawing string, g *graph.Graph) {
	t.Helper()
	source, err := json.Marshal(drawing)
	if err != nil {
		t.Fatal(err)
	}
	read := ask[struct {
		Type, Text   string
		Nodes, Edges int
	}](t, b, `(async source => {
		const {diagramType} = await mermaid.parse(source);
		const {svg} = await mermaid.render("drawing", source);
		const page = new DOMParser().parseFromString(svg, "text/html");
		return {
			Type: diagramType, Nodes: page.querySelectorAll(".node").length,
			Edges: page.querySelectorAll(".edgePaths path").length, Text: page.body.textContent,
		};
	})(`+string(source)+`)`)
	if want := strings.Count(drawing, ">|"); !strings.HasPrefix(read.Type, "flowchart") || read.Nodes != len(g.Nodes) || read.Edges != want || want < len(endsOf(g)) {
		t.Errorf("Mermaid draws a %s of %d nodes and %d edges, not %d and %d", read.Type, read.Nodes, read.Edges, len(g.Nodes), want)
	}
	for _, n := range g.Nodes {
		if !strings.Contains(read.Text, n.Name) || !strings.Contains(read.Text, n.Guard) {
			t.Errorf("Mermaid does not show %q with %q", n.Name, n.Guard)
		}
	}
}
