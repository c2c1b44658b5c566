package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stagebuild/stagebuild/integration/internal/browser"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// drawnFile has variants for a platform and for an arg, a needed stage, conditional
// instructions, and texts that would break a page that does not escape them.
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

// openPage opens the page of the Dockerfile in dir in a browser and returns its address.
func openPage(t *testing.T, env *harness.Env, dir string) (b *browser.Browser, page string) {
	t.Helper()
	path := filepath.Join(dir, "stages.html")
	if _, err := env.Run(t.Context(), "docker-stagebuild", "graph", "-o", path, dir); err != nil {
		t.Fatal(err)
	}
	b, page = browser.Start(t, env), "file://"+path
	b.Do(t, chromedp.Navigate(page))
	return b, page
}

// TestGraphPage uses a page with the keyboard and with the mouse.
func TestGraphPage(t *testing.T) {
	env, _ := suite.Product(t)
	dockerfile := strings.Replace(drawnFile, `--if=DEBUG != "0"`, `--if='DEBUG != "0"'`, 1)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": dockerfile})
	b, page := openPage(t, env, dir)

	const both = "stage:0 stage:1 stage:3 stage:4 stage:5 stage:7 "
	if got := b.VisibleNodes(t); !strings.HasPrefix(got, both) {
		t.Errorf("at first the page shows %s", got)
	}
	t.Run("switches", func(t *testing.T) { checkSwitches(t, b, page) })
	b.Do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(page))
	t.Run("keys", func(t *testing.T) { checkKeys(t, b) })
	t.Run("mouse", func(t *testing.T) { checkMouse(t, b) })
	t.Run("names", func(t *testing.T) { checkNames(t, b) })
	if got := browser.Evaluate[string](t, b, "document.title"); !strings.HasPrefix(got, "Stages of ") {
		t.Errorf("the title is %q", got)
	}
	b.CheckNoErrors(t, page)
}

// checkSwitches selects a platform and a build arg, and restores the selection from the
// page's address.
func checkSwitches(t *testing.T, b *browser.Browser, page string) {
	b.SelectOption(t, "platform", "linux/arm64")
	if got := b.VisibleNodes(t); strings.Contains(got, "stage:3") || !strings.Contains(got, "stage:1") {
		t.Errorf("for linux/arm64 the page shows %s", got)
	}
	b.SelectOption(t, "platform", "linux/amd64")
	b.SelectOption(t, "arg.DEBUG", "full")
	if got := b.VisibleNodes(t); strings.Contains(got, "stage:3") || !strings.Contains(got, "stage:2") {
		t.Errorf("with DEBUG=full the page shows %s", got)
	}
	if got := browser.Evaluate[string](t, b, `document.getElementById("tree").textContent`); !strings.Contains(got, "FROM base (line 7)") {
		t.Errorf("the text with DEBUG=full is\n%s", got)
	}
	if got := browser.Evaluate[string](t, b, `document.getElementById("status").textContent`); !strings.HasSuffix(got, "for linux/amd64") {
		t.Errorf("the status is %q", got)
	}
	address := browser.Evaluate[string](t, b, "location.href")
	before := b.VisibleNodes(t)
	b.Do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address))
	if got := b.VisibleNodes(t); got != before {
		t.Errorf("at %s the page shows %s, want %s", strings.TrimPrefix(address, page), got, before)
	}
}

// TestGraphPageArgNames selects values of args whose names the script of the page uses
// itself.
func TestGraphPageArgNames(t *testing.T) {
	env, _ := suite.Product(t)
	names := []string{"Platform", "choices", "length", "node", "platform"}
	dockerfile := "FROM scratch\n"
	for _, name := range names {
		dockerfile = "ARG " + name + "=a\n" + dockerfile + "LABEL --if='" + name + ` == "b"' ` + name + "=b\n"
	}
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "# platforms=linux/amd64,linux/arm64\n" + dockerfile})
	b, page := openPage(t, env, dir)
	const (
		chosen = `[...document.querySelectorAll("select")].map(s => s.options[s.selectedIndex].text).join(" ")`
		lines  = `[...document.querySelectorAll("#lines li")].map(l => l.children[1].tagName.toLowerCase() + " " + l.children[1].textContent).join("\n")`
	)
	for _, name := range names[1:] {
		b.SelectOption(t, "arg."+name, "b")
	}
	b.SelectOption(t, "platform", "linux/arm64")
	b.Do(t, chromedp.Click(browser.NodeSelector("stage:0")))
	check := func(when string) {
		t.Helper()
		if got, want := browser.Evaluate[string](t, b, chosen), "a (default) b b b b linux/arm64"; got != want {
			t.Errorf("%s the choice is %q, and not %q", when, got, want)
		}
		got := browser.Evaluate[string](t, b, lines)
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
	address := browser.Evaluate[string](t, b, "location.href")
	b.Do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address))
	check("at " + strings.TrimPrefix(address, page))
	b.CheckNoErrors(t, page)
}

// TestGraphPageKeepsNodesVisible goes through a page whose pictures have little in common,
// although each stage keeps its position: some nodes are always visible, and "fit" shows
// them all.
func TestGraphPageKeepsNodesVisible(t *testing.T) {
	env, _ := suite.Product(t)
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
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": dockerfile.String()})
	b, page := openPage(t, env, dir)
	browser.Call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1000, Height: 450, DeviceScaleFactor: 1})
	b.Do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(page))
	// The number of nodes, of those whose center is visible and of those that are fully
	// visible.
	const visible = `(() => {
		const room = document.getElementById("pictures").getBoundingClientRect();
		const boxes = [...document.querySelectorAll(".picture:not([hidden]) .node")].map(n => n.getBoundingClientRect());
		const middle = r => { const [x, y] = [(r.left + r.right) / 2, (r.top + r.bottom) / 2]; return x > room.left && x < room.right && y > room.top && y < room.bottom; };
		const whole = r => r.left >= room.left && r.right <= room.right && r.top >= room.top && r.bottom <= room.bottom;
		return [boxes.length, boxes.filter(middle).length, boxes.filter(whole).length];
	})()`
	check := func(when string) {
		t.Helper()
		if got := browser.Evaluate[[]int](t, b, visible); got[0] < 7 || got[1] == 0 {
			t.Errorf("%s, %[3]d of %[2]d nodes are visible", when, got[0], got[1])
		}
	}
	check("at first")
	for i := range services {
		if i != 5 {
			b.SelectOption(t, "arg.SERVICE", fmt.Sprint("s", i))
			check(fmt.Sprint("with s", i))
		}
	}
	const zoom = `document.querySelector("[data-zoom=reset]").textContent`
	var zooms []string
	for range 3 {
		b.Do(t, chromedp.Click(chromedp.CSS("[data-zoom=fit]")))
		if got := browser.Evaluate[[]int](t, b, visible); got[2] != got[0] {
			t.Errorf("of %d nodes %d fit", got[0], got[2])
		}
		zooms = append(zooms, browser.Evaluate[string](t, b, zoom))
	}
	if zooms[0] != zooms[1] || zooms[1] != zooms[2] {
		t.Errorf("the zoom that fits changes: %v", zooms)
	}
	b.CheckNoErrors(t, page)
}

// checkKeys moves to the picture, through it, and to the lines of a stage.
func checkKeys(t *testing.T, b *browser.Browser) {
	for range 20 {
		if b.Press(t, kb.Tab); strings.HasPrefix(b.Focused(t), "stage:") {
			break
		}
	}
	if got := b.Focused(t); got != "stage:0" {
		t.Fatalf("Tab leads to %s", got)
	}
	b.Press(t, kb.ArrowRight)
	right := b.Focused(t)
	if right == "stage:0" || !strings.Contains(right, ":") {
		t.Errorf("the arrow to the right leads to %s", right)
	}
	if left := browser.Evaluate[bool](t, b, `(x => x("stage:0") < x("`+right+`"))(id => document.querySelector('.picture:not([hidden]) [data-node="' + id + '"]').getBoundingClientRect().x)`); !left {
		t.Errorf("%s is not to the right of stage:0", right)
	}
	b.Press(t, kb.Enter)
	if got := browser.Evaluate[string](t, b, `document.getElementById("panel-title").textContent`); !browser.Evaluate[bool](t, b, `document.getElementById("panel").open`) || got == "" {
		t.Errorf("Enter opens %q", got)
	}
	if got := b.Focused(t); got != "panel" {
		t.Errorf("the keyboard is at %s when the lines are shown", got)
	}
	b.Press(t, kb.Escape)
	if got := b.Focused(t); browser.Evaluate[bool](t, b, `document.getElementById("panel").open`) || got != right {
		t.Errorf("Escape leads to %s", got)
	}
	const width = `+document.querySelector(".picture:not([hidden]) svg").getAttribute("width")`
	before := browser.Evaluate[float64](t, b, width)
	b.Press(t, "+")
	if got := browser.Evaluate[float64](t, b, width); got <= before {
		t.Errorf("+ makes %v of %v", got, before)
	}
	b.Press(t, "-")
	b.Press(t, "-")
	if got := browser.Evaluate[float64](t, b, width); got >= before {
		t.Errorf("- makes %v of %v", got, before)
	}
	b.Press(t, "0")
	if got := browser.Evaluate[float64](t, b, width); got != before {
		t.Errorf("0 makes %v of %v", got, before)
	}
}

// checkMouse clicks a stage and reads its lines.
func checkMouse(t *testing.T, b *browser.Browser) {
	const lines = `[...document.querySelectorAll("#lines li")].map(l => [...l.children].map(c => c.tagName.toLowerCase() + " " + c.textContent).join("|")).join("\n")`
	b.Do(t, chromedp.Click(browser.NodeSelector("stage:5")))
	if got, want := browser.Evaluate[string](t, b, lines), `span 10|code FROM --needs=test base AS app
span 11|code COPY --from=build /a /a
span 12|del RUN --if='DEBUG != "0"' true|span dropped for linux/amd64, linux/arm64: --if=DEBUG != "0" is false with DEBUG = "0"
span 13|code RUN --for=linux/arm64 true \
span 14|code   && true|span dropped for linux/amd64: --for=linux/arm64 does not match linux/amd64`; got != want {
		t.Errorf("the lines are\n%s\nand not\n%s", got, want)
	}
	// Another platform changes the explanations.
	b.SelectOption(t, "platform", "linux/amd64")
	if got := browser.Evaluate[string](t, b, lines); !strings.Contains(got, `span 14|del   && true|`) {
		t.Errorf("the lines for linux/amd64 are\n%s", got)
	}
	b.Do(t, chromedp.Click(browser.NodeSelector("stage:0")))
	if got := browser.Evaluate[string](t, b, lines); !strings.Contains(got, `code COPY a /"><img src=x`) {
		t.Errorf("the lines are\n%s", got)
	}
	b.Do(t, chromedp.Click(chromedp.CSS("#close")), chromedp.Click(chromedp.CSS("[data-zoom=in]")))
	const zoom = `document.querySelector("[data-zoom=reset]").textContent`
	if got := browser.Evaluate[string](t, b, zoom); got != "125%" {
		t.Errorf("the zoom is %s", got)
	}
	const ctrl = 2
	browser.Call(t, b, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseWheel", X: 300, Y: 300, DeltaX: 1, DeltaY: 100, Modifiers: ctrl})
	testkit.Eventually(t, func() error {
		if got := browser.Evaluate[string](t, b, zoom); got == "125%" {
			return errors.New("the wheel does not zoom")
		}
		return nil
	})
}

// checkNames checks the accessibility tree: every control has a name.
func checkNames(t *testing.T, b *browser.Browser) {
	b.Do(t, chromedp.Click(browser.NodeSelector("stage:5")))
	nodes := browser.Call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
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
		"button stage app, FROM base", "button stage base (line 8), FROM busybox", "button image busybox",
	} {
		if !found[want] {
			t.Errorf("there is no %s among %v", want, found)
		}
	}
}
