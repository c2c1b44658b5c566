package frontend

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerui"
	"golang.org/x/sync/errgroup"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/llb"
)

// maxConversions limits how many files are converted at the same time.
const maxConversions = 16

// convert converts lowered files to LLB: first the cross-platform inputs, which the
// other files use, then the targets and the needed stages.
func convert(ctx context.Context, req *request, d *decision, files *loweredFiles, w *warner) (*build, error) {
	if err := w.reportPlanWarnings(ctx); err != nil {
		return nil, err
	}
	if err := w.deferLintFailure(); err != nil {
		return nil, err
	}
	extras, err := supplyInputs(ctx, req, files.inputs, w)
	if err != nil {
		return nil, err
	}
	scanner, err := newScanner(ctx, req)
	if err != nil {
		return nil, err
	}
	b := &build{
		request: req,
		scanner: scanner,
		targets: make([]*llb.Result, len(files.targets)),
		needs:   make([]neededResult, len(files.needs)),
	}
	eg, converting := errgroup.WithContext(ctx)
	eg.SetLimit(maxConversions)
	for i, file := range files.targets {
		eg.Go(func() error {
			if i == 0 || d.set != nil { // in a plain file all platforms have the same warnings
				file.Warn = w.forPlatform(ctx)
			}
			res, err := req.converter.Convert(converting, file)
			if err != nil {
				return err
			}
			if d.set != nil {
				addInputScans(res, d.set.Targets[i], extras)
			}
			b.targets[i] = res
			return nil
		})
	}
	for i, file := range files.needs {
		eg.Go(func() error {
			file.Warn = w.forPlatform(ctx)
			res, err := req.converter.Convert(converting, file.Input)
			if err != nil {
				return &neededStageError{stage: file.stage, err: err}
			}
			b.needs[i] = neededResult{res, file.stage}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	return b, w.err()
}

// supplyInputs converts each cross-platform input and adds it to the request as a named
// context. It returns the stages to scan in each of them.
func supplyInputs(ctx context.Context, req *request, inputs []inputFile, w *warner) (map[*plan.Input][]scannedStage, error) {
	scans := map[*plan.Input][]scannedStage{}
	for _, input := range inputs {
		var res *llb.Result
		var err error
		if input.Stage != nil {
			file := input.file
			file.Warn = w.forPlatform(ctx)
			res, err = req.converter.Convert(ctx, file)
		} else {
			res, err = convertImage(ctx, req, input.Input)
		}
		if err != nil {
			return nil, err
		}
		if err := req.inputs.Add(input.Name, res.Definition, res.Image); err != nil {
			return nil, fmt.Errorf("supplying %s: %w", input.Name, err)
		}
		scans[input.Input] = scannedStages(input.Input, res)
	}
	return scans, nil
}

// stageName matches the names that a stage can have (parseBuildStageName in BuildKit's
// instructions/parse.go).
var stageName = regexp.MustCompile(`^[a-z][a-z0-9-_.]*$`)

// convertImage converts an image, or the named context that replaces it, to the image's
// files. It converts a file whose only FROM is on the line of the reference, so that
// errors point there.
func convertImage(ctx context.Context, req *request, input *plan.Input) (*llb.Result, error) {
	file := llb.Input{Platform: &input.Platform, Part: true, Files: true}
	from := "FROM " + input.Image
	name := input.Image
	isStageName := stageName.MatchString(strings.ToLower(name))
	if isStageName {
		name = strings.ToLower(name) // like the names of contexts
	}
	replacement, err := req.NamedContext(name, dockerui.ContextOpt{Platform: &input.Platform, ResolveMode: req.ImageResolveMode.String()})
	if err == nil && replacement != nil {
		state, image, err := replacement.Load(ctx)
		if err == nil && image != nil && len(image.Config.OnBuild) > 0 {
			image.Config.OnBuild = nil // BuildKit would run these triggers here
			return llb.Given(ctx, *state, image)
		}
		if isStageName {
			from = "FROM " + dockerui.EmptyImageName + " AS " + name
			file.Target = name
		}
	}
	file.Dockerfile = append(bytes.Repeat([]byte{'\n'}, input.Reference.Instruction.First-1), from...)
	return req.converter.Convert(ctx, file)
}
