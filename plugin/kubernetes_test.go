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

// cluster is as much of a Kubernetes API as buildx's driver uses. All pods are
// running, and none lets anything be run in it.
type cluster struct {
	mu      sync.Mutex
	objects map[string]map[string]any // Deployments and so on, by their paths
	chosen  []string                  // the pods that something was to be run in
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
	folder, name := r.URL.Path[:strings.LastIndex(r.URL.Path, "/")+1], r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch object := c.objects[r.URL.Path]; {
	case name == "exec":
		c.chosen = append(c.chosen, filepath.Base(folder))
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

// objectOf reads an object in whatever form the client sends it.
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

// pods are those of a Deployment or StatefulSet.
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

// at returns what is at a path of keys in a JSON object, or nil. "0" is the first
// element of a list.
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

// startCluster makes a cluster that of the kube config, and a folder with a build
// context the current one.
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
	// The Docker CLI looks at DOCKER_CONFIG once in a process.
	user := config.Dir()
	config.SetDir(filepath.Join(dir, "docker"))
	t.Cleanup(func() { config.SetDir(user) })
	return c
}

// documentBlock returns the code block of docs/scaling.md below a comment.
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

// document is set before any test changes the current folder.
var document, _ = filepath.Abs(filepath.Join("..", "docs", "scaling.md"))

// run runs a program's command line in this process, and returns its error.
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

// create runs a command line of buildx.
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

// build builds with the plugin, which gets as far as a pod.
func build(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly"}, args...)
	err := run(t, func(cli *command.DockerCli) *cobra.Command {
		return plugin.NewRootCommand("stagebuild", cli, func(*cobra.Command, []string) error { return nil })
	}, args...)
	if err == nil || !strings.Contains(err.Error(), "orbidden") {
		t.Fatalf("%v: the pod does not refuse: %v", args, err)
	}
}

// TestKubernetesDocument runs the commands of the page on scaling, and builds on
// what they set up: what is asked of the cluster is what the page says.
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

// TestKubernetesPods builds in several folders: with the default, each has a pod of
// its own, by whatever name it is called.
func TestKubernetesPods(t *testing.T) {
	c := startCluster(t)
	create(t, "create --name sticky --driver kubernetes --node sticky --driver-opt replicas=4")
	top, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dockerfile := filepath.Join(top, "Dockerfile")
	pods := map[string]bool{}
	// A pod can be the one for most projects: which are its own, names decide.
	for i := 0; i < 64 && (i < 8 || len(pods) < 2); i++ {
		dir := filepath.Join(top, fmt.Sprint("project", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		c.chosen = nil
		// Several stages on a builder that has to be started ask it first of all.
		build(t, "--builder=sticky", "--file="+dockerfile, "--stage=*", ".")
		build(t, "--builder=sticky", "--file="+dockerfile, dir)
		slices.Sort(c.chosen)
		if c.chosen = slices.Compact(c.chosen); len(c.chosen) != 1 {
			t.Errorf("%s is built on %v", dir, c.chosen)
		}
		pods[c.chosen[0]] = true
	}
	if len(pods) < 2 {
		t.Errorf("all projects are built on %v", pods)
	}
}

// TestKubernetesVolumes holds what the page on scaling says of configuration and
// persistent volumes: whoever sees this fail can take the sentence out.
func TestKubernetesVolumes(t *testing.T) {
	c := startCluster(t)
	create(t, "create --name kept --driver kubernetes --node kept --buildkitd-config buildkitd.toml --driver-opt persistent-volume-claim.requests.storage=100Gi")
	build(t, "--builder=kept", ".")
	for path, object := range c.objects {
		if !strings.HasSuffix(path, "/statefulsets/kept") {
			continue
		}
		if got := at(object, "spec", "volumeClaimTemplates", "0", "spec", "resources", "requests", "storage"); got != "100Gi" {
			t.Errorf("a pod asks for %v of storage", got)
		}
		mounts, _ := json.Marshal(at(object, "spec", "template", "spec", "containers", "0", "volumeMounts"))
		if string(mounts) != `[{"mountPath":"/var/lib/buildkit","name":"buildkitd"}]` {
			t.Errorf("mounted is %s", mounts)
		}
		return
	}
	t.Error("no StatefulSet was created")
}
