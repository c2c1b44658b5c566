package build

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// secretsFile has a step that proves that it received its secrets, and a stage that fails
// when it receives them.
const secretsFile = `FROM busybox AS base
RUN --mount=type=secret,id=file,required=true --mount=type=secret,id=var,env=SECRET_VAR,required=true --mount=type=secret,id=SAME,env=SAME \
    (cat /run/secrets/file; printf %s "$SECRET_VAR" "$SAME") | sha256sum | cut -c1-64 > /sum
FROM base AS broken
RUN --mount=type=secret,id=file --mount=type=secret,id=var,env=SECRET_VAR test -z "$SECRET_VAR"
FROM base
`

// TestSecretsDoNotLeak builds with secrets from a file and from variables and searches all
// output of the builds for them.
func TestSecretsDoNotLeak(t *testing.T) {
	env, frontend := suite.Product(t)
	secrets := []string{"file-" + rand.Text(), "variable-" + rand.Text(), "same-" + rand.Text()}
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": secretsFile})
	secretFile := filepath.Join(t.TempDir(), "secret")
	testkit.WriteFile(t, secretFile, secrets[0])
	for _, mode := range []string{"inprocess", "image=" + frontend} {
		for _, target := range []string{"base", "broken"} {
			t.Run(target+" "+mode, func(t *testing.T) {
				out := t.TempDir()
				image := filepath.Join(out, "image.tar")
				cmd := env.Command(t.Context(), "docker-stagebuild", "build", "--debug", "--progress=plain", "--frontend="+mode, "--target="+target, "--no-cache",
					"--secret=id=file,src="+secretFile, "--secret=id=var,env=FROM_VAR", "--secret=id=SAME",
					"--attest=type=provenance,mode=max", "--metadata-file="+filepath.Join(out, "metadata"),
					"--output=type=oci,compression=uncompressed,force-compression=true,dest="+image, dir)
				cmd.Env = append(cmd.Env, "FROM_VAR="+secrets[1], "SAME="+secrets[2])
				text, err := cmd.CombinedOutput()
				if (err != nil) != (target == "broken") {
					t.Fatalf("%v\n%s", err, text)
				}
				wantNoSecret(t, "output", text, secrets)
				wantNoSecret(t, "daemon's log", []byte(env.DaemonLog()), secrets)
				wantNoSecret(t, "record of the build", lastRecord(t, env), secrets)
				if target == "broken" {
					return
				}
				for _, name := range []string{"image.tar", "metadata"} {
					wantNoSecret(t, name, testkit.ReadFile(t, filepath.Join(out, name)), secrets)
				}
				res, err := harness.ReadOCI(image, out)
				if err != nil {
					t.Fatal(err)
				}
				testkit.WantFile(t, res, env.Platform, "sum", fmt.Sprintf("%x\n", sha256.Sum256([]byte(strings.Join(secrets, "")))))
			})
		}
	}
}

// wantNoSecret searches data for secrets, in plain text and in base64, as JSON encodes
// bytes.
func wantNoSecret(t *testing.T, where string, data []byte, secrets []string) {
	t.Helper()
	if len(data) == 0 {
		t.Errorf("the %s is empty", where)
	}
	for _, s := range secrets {
		encoded := strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=")
		if bytes.Contains(data, []byte(s)) || bytes.Contains(data, []byte(encoded[:len(encoded)-2])) {
			t.Errorf("the %s holds a secret", where)
		}
	}
}

// lastRecord returns all that the daemon keeps about the last build: its record, logs,
// error and provenance.
func lastRecord(t *testing.T, env *harness.Env) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "record")
	if _, err := env.Buildx(t.Context(), "history", "export", "--finalize", "--output="+file, "^0"); err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(testkit.ReadFile(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("SECRET_VAR")) {
		t.Error("the record is of another build")
	}
	return data
}
