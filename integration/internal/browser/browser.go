// Package browser drives a headless Chromium for tests of HTML pages.
package browser

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// Browser is a headless Chromium, with the requests and errors that it reports.
type Browser struct {
	ctx context.Context //nolint:containedctx // chromedp identifies the browser by its context

	mu       sync.Mutex
	requests []string // URLs
	errors   []string // console messages and exceptions
}

// Start starts a browser, which is closed when the test ends.
func Start(t *testing.T, env *harness.Env) *Browser {
	t.Helper()
	path, err := env.Browser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1400, 900))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &Browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil { // the browser starts
		t.Fatal(err)
	}
	// Seconds on an idle machine.
	b.ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	Call(t, b, network.Enable, network.EnableParams{})
	return b
}

func (b *Browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		b.errors = append(b.errors, e.Entry.Text)
	}
}

// Do runs actions in the browser.
func (b *Browser) Do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// Call runs a command of the DevTools protocol.
func Call[P, R any](t *testing.T, b *Browser, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Run(b.ctx, func(ctx context.Context, target *chromedp.Target) (R, error) {
		return cdp.Call(ctx, target, command, params)
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Evaluate returns the value of a JavaScript expression, which may be a promise.
func Evaluate[T any](t *testing.T, b *Browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Screenshot returns a picture of the page, as PNG.
func (b *Browser) Screenshot(t *testing.T) []byte {
	t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// Press presses a key.
func (b *Browser) Press(t *testing.T, key string) {
	t.Helper()
	b.Do(t, chromedp.KeyEvent(key))
}

// SelectOption selects a value of the named list with the keyboard.
func (b *Browser) SelectOption(t *testing.T, name, value string) {
	t.Helper()
	list := `document.querySelector('select[name="` + name + `"]')`
	index := Evaluate[int](t, b, `[...`+list+`.options].findIndex(o => o.text === "`+value+`")`)
	b.Do(t, chromedp.Focus(chromedp.CSS(`select[name="`+name+`"]`)), chromedp.KeyEvent(kb.Home))
	for range index {
		b.Press(t, kb.ArrowDown)
	}
	if got := Evaluate[string](t, b, `(s => s.options[s.selectedIndex].text)(`+list+`)`); got != value {
		t.Fatalf("%s is %q, and not %q", name, got, value)
	}
}

// VisibleNodes returns the IDs of the visible nodes.
func (b *Browser) VisibleNodes(t *testing.T) string {
	t.Helper()
	return Evaluate[string](t, b, `[...document.querySelectorAll(".node")].filter(n => n.getClientRects().length > 0).map(n => n.dataset.node).join(" ")`)
}

// Focused returns the ID of the focused node, or else the ID or name of the focused
// element.
func (b *Browser) Focused(t *testing.T) string {
	t.Helper()
	return Evaluate[string](t, b, `(e => e.dataset.node ?? e.dataset.zoom ?? (e.id || e.name || e.tagName))(document.activeElement)`)
}

// reported returns the requests and errors so far.
func (b *Browser) reported() (requests, errors []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests, b.errors
}

// NodeSelector returns the selector of a node in the visible picture.
func NodeSelector(id string) chromedp.CSS {
	return chromedp.CSS(`.picture:not([hidden]) [data-node="` + id + `"] rect`)
}

// CheckNoErrors checks that the page requested nothing but itself and reported no errors.
func (b *Browser) CheckNoErrors(t *testing.T, page string) {
	t.Helper()
	requests, errors := b.reported()
	for _, url := range requests {
		if !strings.HasPrefix(url, page) {
			t.Errorf("the page requests %s", url)
		}
	}
	if len(requests) == 0 {
		t.Error("no request was seen, not even for the page")
	}
	for _, message := range errors {
		t.Errorf("the page reports: %s", message)
	}
}
