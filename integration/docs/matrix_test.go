package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// matrixDocument is the page about matrix.
const matrixDocument = "docs/matrix.md"

// buildingContext writes the context of docs/building.md, which other pages use too.
func buildingContext(t *testing.T, env *harness.Env) string {
	t.Helper()
	dir := testkit.WriteContext(t, map[string]string{"shared.conf": "shared\n", "api": "api\n", "worker": "worker\n"})
	building, _ := document.Read(t, "docs/building.md")
	i := slices.IndexFunc(building, func(b document.Block) bool { name, _ := b.Argument("write"); return name == "Dockerfile" })
	testkit.WriteFile(t, filepath.Join(dir, "Dockerfile"), document.WithRegistry(env, building[i].Text))
	return dir
}

// TestMatrixCommands runs the commands in docs/matrix.md.
func TestMatrixCommands(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	(&document.Session{Env: env, Name: matrixDocument, Dir: buildingContext(t, env)}).Run(t)
	for _, tag := range []string{"api:1.2", "worker:1.2"} {
		res, err := env.Registry.Read(t.Context(), tag)
		if err != nil {
			t.Error(err)
		} else if got := strings.Join(res.Platforms(), " "); got != "linux/amd64 linux/arm64" {
			t.Errorf("%s is for %s", tag, got)
		}
	}
}

// TestMatrixWorkflow runs the GitHub workflows in docs/matrix.md: their own commands, and
// equivalents of the actions that they use.
func TestMatrixWorkflow(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	for name, run := range map[string]struct{ jobs, images []string }{
		"image":  {jobs: []string{"build"}, images: []string{"api"}},
		"images": {jobs: []string{"plan", "build", "merge"}, images: []string{"api", "worker"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := readWorkflow(t, env, name)
			for _, job := range run.jobs {
				w.runJob(t, job)
			}
			for _, repo := range run.images {
				res, err := env.Registry.Read(t.Context(), repo+":of-"+name)
				if err != nil {
					t.Error(err)
					continue
				}
				if got := strings.Join(res.Platforms(), " "); got != "linux/amd64 linux/arm64" {
					t.Errorf("%s is for %s", repo, got)
				}
				testkit.WantFile(t, res, "linux/arm64", "srv/"+repo, repo+"\n")
			}
		})
	}
}

// readWorkflow reads the workflow with the given name from the page and gives its images a
// tag of its own.
func readWorkflow(t *testing.T, env *harness.Env, name string) *workflow {
	t.Helper()
	blocks, _ := document.Read(t, matrixDocument)
	i := slices.IndexFunc(blocks, func(b document.Block) bool { argument, _ := b.Argument("workflow"); return argument == name })
	if i < 0 {
		t.Fatalf("the page has no workflow %q", name)
	}
	w := &workflow{env: env, artifacts: t.TempDir(), values: map[string]string{}}
	// Quote the key that YAML reads as a boolean.
	text := strings.NewReplacer("\non:", "\n\"on\":", ":1.2", ":of-"+name).Replace(document.WithRegistry(env, blocks[i].Text))
	if err := yaml.UnmarshalStrict([]byte(text), &w.file, yaml.DisallowUnknownFields); err != nil {
		t.Fatal(err)
	}
	return w
}

// workflow is a workflow of GitHub Actions and the state of its run.
type workflow struct {
	file struct {
		Name, On, Permissions any
		Env                   map[string]string
		Jobs                  map[string]workflowJob
	}
	env       *harness.Env
	artifacts string            // directory with one directory for each artifact
	values    map[string]string // of expressions, shared by all jobs
}

type workflowJob struct {
	Name, If string
	Needs    any
	RunsOn   string `json:"runs-on"`
	Outputs  map[string]string
	Strategy struct {
		FailFast bool `json:"fail-fast"`
		Matrix   string
	}
	Steps []workflowStep
}

type workflowStep struct {
	Name, ID, If, Uses, Run string
	With                    map[string]any
}

// runJob runs a job for each combination of its matrix and sets its outputs.
func (w *workflow) runJob(t *testing.T, name string) {
	t.Helper()
	job := w.file.Jobs[name]
	combinations := []map[string]string{{}}
	if job.Strategy.Matrix != "" {
		text := w.expand(t, strings.NewReplacer("fromJSON(", "", ")", "").Replace(job.Strategy.Matrix), nil)
		var matrix map[string][]map[string]string
		if err := json.Unmarshal([]byte(text), &matrix); err != nil || len(matrix) != 1 || len(matrix["include"]) == 0 {
			t.Fatalf("%s: %v in %s", name, err, text)
		}
		combinations = matrix["include"]
	}
	for _, combination := range combinations {
		values := map[string]string{"vars.REGISTRY_USER": "user", "secrets.REGISTRY_TOKEN": "token"}
		for key, value := range combination {
			values["matrix."+key] = value
		}
		if w.expand(t, job.RunsOn, values) == "" {
			t.Errorf("%s: no runner", name)
		}
		dir := buildingContext(t, w.env)
		for _, step := range job.Steps {
			w.runStep(t, step, dir, values)
		}
		for output, expression := range job.Outputs {
			w.values["needs."+name+".outputs."+output] = w.expand(t, expression, values)
		}
	}
}

// runStep runs a step, on a machine where the tools are already set up.
func (w *workflow) runStep(t *testing.T, s workflowStep, dir string, values map[string]string) {
	t.Helper()
	if s.If != "" && w.expand(t, "${{ "+s.If+" }}", values) == "" {
		return
	}
	with := map[string]string{}
	for key, value := range s.With {
		with[key] = w.expand(t, fmt.Sprint(value), values)
	}
	action, _, _ := strings.Cut(s.Uses, "@")
	switch action {
	case "":
		for name, value := range w.command(t, w.expand(t, s.Run, values), dir) {
			values["steps."+s.ID+".outputs."+name] = value
		}
	case "actions/checkout", "docker/setup-buildx-action", "docker/login-action":
	case "docker/build-push-action":
		values["steps."+s.ID+".outputs.digest"] = w.buildAndPush(t, with, dir)
	case "actions/upload-artifact":
		if err := os.CopyFS(filepath.Join(w.artifacts, with["name"]), os.DirFS(filepath.Join(dir, with["path"]))); err != nil {
			t.Fatal(err)
		}
	case "actions/download-artifact":
		found, err := filepath.Glob(filepath.Join(w.artifacts, with["pattern"]))
		if err != nil || len(found) == 0 || with["merge-multiple"] != "true" {
			t.Fatalf("%v: %v, %v", with, found, err)
		}
		for _, artifact := range found {
			if err := os.CopyFS(filepath.Join(dir, with["path"]), os.DirFS(artifact)); err != nil {
				t.Fatal(err)
			}
		}
	default:
		t.Errorf("the test does not implement %s", s.Uses)
	}
}

// command runs a step's script as GitHub does and returns the outputs that it sets.
func (w *workflow) command(t *testing.T, script, dir string) map[string]string {
	t.Helper()
	if strings.HasPrefix(script, "go install github.com/stagebuild/stagebuild/cmd/docker-stagebuild@") {
		return nil // already installed
	}
	cmd := w.env.Command(t.Context(), "bash", "-e", "-c", script)
	cmd.Dir = dir
	file := filepath.Join(t.TempDir(), "output")
	testkit.WriteFile(t, file, "")
	cmd.Env = append(cmd.Environ(), "GITHUB_OUTPUT="+file)
	for name, value := range w.file.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		outputs[name] = value
	}
	return outputs
}

// buildAndPush builds as docker/build-push-action does with these inputs, without GitHub's
// cache, and returns the digest.
func (w *workflow) buildAndPush(t *testing.T, with map[string]string, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "metadata.json")
	args := []string{"build", "--metadata-file=" + file}
	flags := map[string]string{
		"target": "target", "platforms": "platform", "outputs": "output", "build-args": "build-arg", "tags": "tag", "push": "push",
	}
	for _, key := range slices.Sorted(maps.Keys(with)) {
		switch flag := flags[key]; {
		case flag != "":
			args = append(args, "--"+flag+"="+with[key])
		case key == "cache-from" || key == "cache-to":
			if !regexp.MustCompile(`^type=gha(,mode=max)?(,scope=[a-z0-9-]+)?$`).MatchString(with[key]) {
				t.Errorf("%s is %s", key, with[key])
			}
		case key != "context":
			t.Errorf("the test does not implement the input %s", key)
		}
	}
	if _, err := w.env.Buildx(t.Context(), append(args, filepath.Join(dir, with["context"]))...); err != nil {
		t.Fatal(err)
	}
	digest, _ := testkit.Metadata(t, file)["containerimage.digest"].(string)
	return digest
}

var workflowExpression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// expand replaces expressions with their values.
func (w *workflow) expand(t *testing.T, text string, values map[string]string) string {
	t.Helper()
	return workflowExpression.ReplaceAllStringFunc(text, func(match string) string {
		expression := workflowExpression.FindStringSubmatch(match)[1]
		for _, known := range []map[string]string{values, w.values} {
			if value, ok := known[expression]; ok {
				return value
			}
		}
		t.Errorf("%s has no value", expression)
		return ""
	})
}
