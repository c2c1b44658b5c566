package plugin_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/buildx/commands"
	"github.com/docker/buildx/driver/kubernetes/kubeclient"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/config"
	cliflags "github.com/docker/cli/cli/flags"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin"
)

// cluster serves the part of the Kubernetes API that buildx's driver uses. All
// pods are running, and refuse to execute commands.
type cluster struct {
	mu      sync.Mutex
	objects map[string]map[string]any // Deployments and so on, by the paths of their URLs
	chosen  []string                  // the pods that commands were requested for
}

// ServeHTTP implements http.Handler.
func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reply := func(status int, object map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(object) // a client that is gone has failed its test
	}
	refuse := func(status int, reason string) {
		reply(status, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status})
	}
	parent, name := r.URL.Path[:strings.LastIndex(r.URL.Path, "/")+1], r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch object := c.objects[r.URL.Path]; {
	case name == "exec":
		c.chosen = append(c.chosen, filepath.Base(parent))
		refuse(http.StatusForbidden, "Forbidden")
	case name == "pods":
		app := strings.TrimPrefix(r.URL.Query().Get("labelSelector"), "app=")
		reply(http.StatusOK, map[string]any{"kind": "PodList", "apiVersion": "v1", "items": c.pods(app)})
	case r.Method == http.MethodPost:
		created, err := objectOf(r.Body)
		if err != nil {
			refuse(http.StatusBadRequest, err.Error())
			return
		}
		if replicas := at(created, "spec", "replicas"); replicas != nil {
			created["status"] = map[string]any{"readyReplicas": replicas}
		}
		c.objects[r.URL.Path+"/"+fmt.Sprint(at(created, "metadata", "name"))] = created
		reply(http.StatusCreated, created)
	case object == nil:
		refuse(http.StatusNotFound, "NotFound")
	default:
		reply(http.StatusOK, object)
	}
}

// objectOf decodes an object, which the client can send in several encodings.
func objectOf(body io.Reader) (map[string]any, error) {
	dt, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	typed, kind, err := kubeclient.Codecs().UniversalDeserializer().Decode(dt, nil, nil)
	if err != nil {
		return nil, err
	}
	if dt, err = json.Marshal(typed); err != nil {
		return nil, err
	}
	var object map[string]any
	err = json.Unmarshal(dt, &object)
	object["kind"], object["apiVersion"] = kind.Kind, kind.GroupVersion().String()
	return object, err
}

// pods returns the pods of the Deployment or StatefulSet named app.
func (c *cluster) pods(app string) []any {
	var list []any
	for path, object := range c.objects {
		if filepath.Base(path) != app {
			continue
		}
		namespace := strings.Split(path, "/")[5] // /apis/apps/v1/namespaces/NAME
		replicas, _ := at(object, "spec", "replicas").(float64)
		for i := range int(replicas) {
			list = append(list, map[string]any{
				"metadata": map[string]any{"name": fmt.Sprintf("%s-%d", app, i), "namespace": namespace},
				"spec":     at(object, "spec", "template", "spec"),
				"status":   map[string]any{"phase": "Running"},
			})
		}
	}
	return list
}

// at returns the value at a path of keys in a JSON object, or nil. The key "0" is
// the first element of a list.
func at(object any, keys ...string) any {
	for _, key := range keys {
		switch o := object.(type) {
		case map[string]any:
			object = o[key]
		case []any:
			if key != "0" || len(o) == 0 {
				return nil
			}
			object = o[0]
		default:
			return nil
		}
	}
	return object
}

// startCluster starts a cluster, writes a kubeconfig for it, and changes to a
// directory with a build context.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{objects: map[string]map[string]any{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"kubeconfig": fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c",
			"clusters": [{"name": "c", "cluster": {"server": %q}}],
			"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
			"users": [{"name": "u", "user": {}}]}`, server.URL),
		"Dockerfile":     "FROM scratch AS one\nFROM scratch AS two\n",
		"buildkitd.toml": documentBlock(t, "write: buildkitd.toml"),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "kubeconfig"))
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "no-engine"))
	t.Setenv("BUILDX_CONFIG", filepath.Join(dir, "buildx"))
	for _, name := range []string{"BUILDX_BUILDER", "BUILDKIT_HOST"} {
		t.Setenv(name, "")
	}
	// The Docker CLI reads DOCKER_CONFIG once in a process.
	user := config.Dir()
	config.SetDir(filepath.Join(dir, "docker"))
	t.Cleanup(func() { config.SetDir(user) })
	return c
}

// documentBlock returns the code block below an HTML comment in docs/scaling.md.
func documentBlock(t *testing.T, comment string) string {
	t.Helper()
	data, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "\n<!-- "+comment+" -->\n```")
	if !ok {
		t.Fatalf("%s has no block below %q", document, comment)
	}
	text = text[strings.Index(text, "\n")+1:]
	return text[:strings.Index(text, "\n```")+1]
}

// document is the path of the page. It is set before a test changes the current
// directory.
var document, _ = filepath.Abs(filepath.Join("..", "docs", "scaling.md"))

// run runs a command line of a program in this process, and returns its error.
func run(t *testing.T, root func(*command.DockerCli) *cobra.Command, args ...string) error {
	t.Helper()
	cli, err := command.NewDockerCli(command.WithCombinedStreams(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	if err := cli.Initialize(cliflags.NewClientOptions()); err != nil {
		t.Fatal(err)
	}
	cmd := root(cli)
	cmd.SetArgs(args)
	return cmd.ExecuteContext(t.Context())
}

// create runs a command line of buildx, such as docker buildx create.
func create(t *testing.T, line string) {
	t.Helper()
	var args []string
	for word := range strings.FieldsSeq(strings.TrimPrefix(line, "docker buildx ")) {
		args = append(args, strings.Trim(word, "'"))
	}
	if err := run(t, func(cli *command.DockerCli) *cobra.Command { return commands.NewRootCmd("buildx", false, cli) }, args...); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
}

// build builds with the plugin. It fails if the build does not end with the error of
// a pod.
func build(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly"}, args...)
	err := run(t, func(cli *command.DockerCli) *cobra.Command {
		return plugin.NewRootCommand("stagebuild", cli, func(*cobra.Command, []string) error { return nil })
	}, args...)
	if err == nil || !strings.Contains(err.Error(), "orbidden") {
		t.Fatalf("%v: the error is not that of a pod: %v", args, err)
	}
}

// TestKubernetesDocument runs the commands of docs/scaling.md, builds on the
// resulting builder, and checks that the cluster has the Deployments that the page
// describes.
func TestKubernetesDocument(t *testing.T) {
	c := startCluster(t)
	script := strings.ReplaceAll(documentBlock(t, "kubernetes"), "\\\n", " ")
	for line := range strings.Lines(script) {
		create(t, line)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		build(t, "--builder=cluster", "--platform=linux/"+arch, ".")
	}
	for arch, replicas := range map[string]float64{"amd64": 4, "arm64": 2} {
		d := c.objects["/apis/apps/v1/namespaces/builds/deployments/cluster-"+arch]
		got := map[string]any{
			"replicas":    at(d, "spec", "replicas"),
			"machines":    at(d, "spec", "template", "spec", "nodeSelector"),
			"resources":   at(d, "spec", "template", "spec", "containers", "0", "resources"),
			"tolerations": at(d, "spec", "template", "spec", "tolerations"),
		}
		want := map[string]any{
			"replicas": replicas,
			"machines": map[string]any{"kubernetes.io/arch": arch},
			"resources": map[string]any{
				"requests": map[string]any{"cpu": "4", "memory": "8Gi"}, "limits": map[string]any{"memory": "16Gi"},
			},
			"tolerations": nil,
		}
		if arch == "arm64" {
			want["tolerations"] = []any{map[string]any{"key": "builders", "operator": "Exists", "effect": "NoSchedule"}}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the Deployment for %s (-want +got):\n%s", arch, diff)
		}
		config := c.objects["/api/v1/namespaces/builds/configmaps/cluster-"+arch+"-config"]
		if text := at(config, "data", "buildkitd.toml"); text == nil || !strings.Contains(text.(string), "max-parallelism = 8") {
			t.Errorf("the daemons' configuration is %v", text)
		}
	}
}

// TestKubernetesPods builds in several directories. By default, buildx chooses the
// pod by the directory, however the command line names it.
func TestKubernetesPods(t *testing.T) {
	c := startCluster(t)
	create(t, "create --name sticky --driver kubernetes --node sticky --driver-opt replicas=4")
	top, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dockerfile := filepath.Join(top, "Dockerfile")
	pods := map[string]bool{}
	// The choice is a hash of the path, so one pod can get most of the directories.
	for i := 0; i < 64 && (i < 8 || len(pods) < 2); i++ {
		dir := filepath.Join(top, fmt.Sprint("project", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		c.chosen = nil
		// With several stages, the plugin connects to the builder first.
		build(t, "--builder=sticky", "--file="+dockerfile, "--stage=*", ".")
		build(t, "--builder=sticky", "--file="+dockerfile, dir)
		slices.Sort(c.chosen)
		if c.chosen = slices.Compact(c.chosen); len(c.chosen) != 1 {
			t.Errorf("%s is built on the pods %v, want one", dir, c.chosen)
		}
		pods[c.chosen[0]] = true
	}
	if len(pods) < 2 {
		t.Errorf("all directories are built on %v", pods)
	}
}

// TestKubernetesVolumes checks a limit of buildx that docs/scaling.md describes: a
// pod with a persistent volume gets no configuration. If the test fails, remove the
// sentence.
func TestKubernetesVolumes(t *testing.T) {
	c := startCluster(t)
	create(t, "create --name kept --driver kubernetes --node kept --buildkitd-config buildkitd.toml --driver-opt persistent-volume-claim.requests.storage=100Gi")
	build(t, "--builder=kept", ".")
	for path, object := range c.objects {
		if !strings.HasSuffix(path, "/statefulsets/kept") {
			continue
		}
		if got := at(object, "spec", "volumeClaimTemplates", "0", "spec", "resources", "requests", "storage"); got != "100Gi" {
			t.Errorf("a pod requests %v of storage", got)
		}
		mounts, _ := json.Marshal(at(object, "spec", "template", "spec", "containers", "0", "volumeMounts"))
		if string(mounts) != `[{"mountPath":"/var/lib/buildkit","name":"buildkitd"}]` {
			t.Errorf("the mounts are %s", mounts)
		}
		return
	}
	t.Error("no StatefulSet was created")
}
