package build

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/desktop"
	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	solvererrdefs "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/moby/sys/atomicwriter"
	"github.com/moby/term"
	"github.com/sirupsen/logrus"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// finish writes the files of the results, and prints their output and a summary. It returns
// the errors of the results that failed.
func (r *buildRun) finish(ctx context.Context, results []*resultBuild) error {
	quiet := results[0].display == progressui.QuietMode || results[0].display == progressui.RawJSONMode
	if !quiet {
		// Link to Docker Desktop's record of the build, if there is one.
		desktop.PrintBuildDetails(os.Stderr, r.Printer.BuildRefs(), term.IsTerminal(os.Stderr.Fd()))
	}
	for _, res := range results {
		if res.outcome.Err == nil {
			res.outcome.Err = res.finish(r.DockerCLI.Out(), r.Printer)
		}
	}
	if !quiet {
		r.summarize(ctx, results)
	}
	if len(results) == 1 {
		return results[0].outcome.Err
	}
	err := failuresOf(results)
	if list, failed := err.(cli.Failures); failed && ctx.Err() != nil { //nolint:errorlint // failuresOf does not wrap it
		return errors.Join(list, ctx.Err())
	}
	return err
}

// failuresOf returns a [cli.Failures] if results failed. Results with the same error, such as
// an unreadable Dockerfile, are one failure. A result does not count as failed if it was
// stopped because another one failed.
func failuresOf(results []*resultBuild) error {
	var list cli.Failures
	var stopped error
	byText := map[string]*cli.Failure{}
	for _, res := range results {
		err := res.outcome.Err
		if err == nil {
			continue
		}
		if cli.IsInterrupted(err) {
			stopped = err
			continue
		}
		text := err.Error()
		if byText[text] == nil {
			byText[text] = &cli.Failure{Err: err}
			list = append(list, byText[text])
		}
		byText[text].Names = append(byText[text].Names, res.Name)
	}
	if len(list) == 0 {
		return stopped
	}
	return list
}

// finish writes the image ID and metadata files of a completed build, and prints its output.
func (res *resultBuild) finish(out io.Writer, printer *progress.Printer) error {
	response, isCall := res.outcome.Response.ExporterResponse, res.build.CallFunc != nil
	if res.printID && !isCall {
		// An output other than an image has no ID, and can be on standard output.
		if id := imageID(response); id != "" {
			fmt.Fprintln(out, id)
		}
	}
	if path := res.Flags.ImageIDFile; path != "" {
		if err := writeFile(path, []byte(imageID(response))); err != nil {
			return fmt.Errorf("writing the image ID: %w", err)
		}
	}
	if path := res.Flags.MetadataFile; path != "" {
		var warnings []client.VertexWarning
		if !isCall && confutil.MetadataWarningsEnabled() {
			warnings = printer.Warnings()
		}
		if err := writeMetadata(path, metadataOf(response, warnings)); err != nil {
			return fmt.Errorf("writing the metadata: %w", err)
		}
	}
	if isCall {
		return printCall(out, res.request, response)
	}
	if msg, ok := response["frontend.result.inlinemessage"]; ok {
		fmt.Fprintf(out, "\n%s\n", msg)
	}
	return nil
}

// imageID returns the digest that identifies the exported image: that of its config for the
// classic image store, otherwise that of its manifest or index. It returns "" if there is
// no image.
func imageID(resp map[string]string) string {
	if id, ok := resp[exptypes.ExporterImageConfigDigestKey]; ok {
		return id
	}
	return resp[exptypes.ExporterImageDigestKey]
}

// metadataOf returns the content of a metadata file: the exporters' response, with JSON
// objects and lists decoded from base64.
func metadataOf(resp map[string]string, warnings []client.VertexWarning) map[string]any {
	out := make(map[string]any, len(resp)+1)
	for k, v := range resp {
		out[k] = v
		dt := []byte(v)
		// Only the result of a subrequest is plain JSON.
		if k != gateway.ResultJSON {
			var err error
			if dt, err = base64.StdEncoding.DecodeString(v); err != nil {
				continue
			}
		}
		if isJSONData(dt) {
			out[k] = json.RawMessage(dt)
		}
	}
	if len(warnings) > 0 {
		out["buildx.build.warnings"] = warnings
	}
	return out
}

// isJSONData reports whether dt is a non-empty JSON object or list of objects.
func isJSONData(dt []byte) bool {
	var object map[string]any
	if json.Unmarshal(dt, &object) == nil && len(object) > 0 {
		return true
	}
	var list []map[string]any
	return json.Unmarshal(dt, &list) == nil && len(list) > 0
}

func writeMetadata(path string, data map[string]any) error {
	dt, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, dt)
}

// writeFile writes a file atomically.
func writeFile(path string, dt []byte) error {
	return atomicwriter.WriteFile(path, dt, 0o644)
}

// removeStale removes the image ID file of an earlier build, so that it is not mistaken for
// the result of a build that fails.
func removeStale(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the image ID file of an earlier build: %w", err)
	}
	return nil
}

// printWarnings lists the warnings of a build. With debugging enabled, it also prints their
// explanations and lines.
func printWarnings(w io.Writer, warnings []client.VertexWarning) {
	switch len(warnings) {
	case 0:
		return
	case 1:
		fmt.Fprint(w, "\n1 warning found")
	default:
		fmt.Fprintf(w, "\n%d warnings found", len(warnings))
	}
	details := logrus.IsLevelEnabled(logrus.DebugLevel)
	if !details {
		fmt.Fprint(w, " (use --debug to expand)")
	}
	fmt.Fprintln(w, ":")
	for _, warning := range warnings {
		fmt.Fprintf(w, " - %s\n", warning.Short)
		if details {
			printWarningDetails(w, warning)
		}
	}
}

func printWarningDetails(w io.Writer, warning client.VertexWarning) {
	for _, d := range warning.Detail {
		fmt.Fprintf(w, "%s\n", d)
	}
	if warning.URL != "" {
		fmt.Fprintf(w, "More info: %s\n", warning.URL)
	}
	if warning.SourceInfo != nil && warning.Range != nil {
		src := solvererrdefs.Source{Info: warning.SourceInfo, Ranges: warning.Range}
		_ = src.Print(w) // a failed write to standard error cannot be reported
	}
	fmt.Fprintln(w)
}

// printCall prints the result of a subrequest (--call). It returns a [cli.StatusError] if
// the subrequest has a status other than 0.
func printCall(w io.Writer, req *request, res map[string]string) error {
	call := req.build.CallFunc
	if err := cli.PrintCallResult(w, call.Name, call.Format, res, req.build.Inputs.DockerfileMappingSrc); err != nil {
		return err
	}
	if call.IgnoreStatus {
		return nil
	}
	if status, err := strconv.Atoi(res[gateway.ResultStatusCode]); err == nil && status != 0 {
		return cli.StatusError(status)
	}
	return nil
}
