package build

import (
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"

	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	solvererrdefs "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/moby/sys/atomicwriter"
	"github.com/sirupsen/logrus"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// finish writes and prints what there is to say about a build that is done.
func finish(out io.Writer, flags result.Flags, req *request, resp *client.SolveResponse, printer *progress.Printer) error {
	if req.display == progressui.QuietMode && req.printID && req.build.CallFunc == nil {
		// Outputs that are no image have no ID, and may be on standard output.
		if id := imageID(resp.ExporterResponse); id != "" {
			fmt.Fprintln(out, id)
		}
	}
	if flags.ImageIDFile != "" {
		if err := writeFile(flags.ImageIDFile, []byte(imageID(resp.ExporterResponse))); err != nil {
			return fmt.Errorf("writing the image ID: %w", err)
		}
	}
	if flags.MetadataFile != "" {
		var warnings []client.VertexWarning
		if req.build.CallFunc == nil && confutil.MetadataWarningsEnabled() {
			warnings = printer.Warnings()
		}
		if err := writeMetadata(flags.MetadataFile, metadataOf(resp.ExporterResponse, warnings)); err != nil {
			return fmt.Errorf("writing the metadata: %w", err)
		}
	}
	if req.build.CallFunc != nil {
		return printCall(out, req, resp.ExporterResponse)
	}
	if msg, ok := resp.ExporterResponse["frontend.result.inlinemessage"]; ok {
		fmt.Fprintf(out, "\n%s\n", msg)
	}
	return nil
}

// imageID is the digest that identifies the exported image: of its config for
// the classic image store, else of its manifest or index; "" without an image.
func imageID(resp map[string]string) string {
	if id, ok := resp[exptypes.ExporterImageConfigDigestKey]; ok {
		return id
	}
	return resp[exptypes.ExporterImageDigestKey]
}

// metadataOf is the content of a metadata file: the exporters' response, in which
// JSON objects and lists, base64 in the response, are spelled out.
func metadataOf(resp map[string]string, warnings []client.VertexWarning) map[string]any {
	out := make(map[string]any, len(resp)+1)
	for k, v := range resp {
		out[k] = v
		dt := []byte(v)
		// Alone of all values, a subrequest's result is JSON as it is.
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

// isJSONData reports whether dt is a JSON object or a list of objects that is
// not empty.
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

// writeFile writes a file whole or not at all.
func writeFile(path string, dt []byte) error {
	return atomicwriter.WriteFile(path, dt, 0o644)
}

// removeStale removes the image ID of an earlier build, so that it cannot be
// taken for the result of one that fails.
func removeStale(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the earlier image ID: %w", err)
	}
	return nil
}

// printWarnings lists the warnings of a build, with their explanations and
// lines where debugging is on.
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
		_ = src.Print(w) // an error stream that cannot be written to can be told of nowhere
	}
	fmt.Fprintln(w)
}

// printCall prints the result of a subrequest (`--call`), and returns its
// status as a statusError if it has one.
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
