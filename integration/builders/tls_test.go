package builders

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestTLS builds on a daemon with TLS that requires a client certificate.
func TestTLS(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	cert, key := ca.issue(t, "daemon")
	addr, err := env.StartTLSNode(t.Context(), "tls", ca.file, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = ca.issue(t, "client")
	createRemote(t, env, "tls-known", addr, "cacert="+ca.file, "cert="+cert, "key="+key)
	createRemote(t, env, "tls-unknown", addr, "cacert="+ca.file)
	createRemote(t, env, "tls-other", addr, "cacert="+other.file, "cert="+cert, "key="+key)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nRUN echo built > /result\n"})
	for _, test := range []struct {
		name, builder, host string
		want                string // a pattern of the error
	}{
		{name: "certificates of one authority", builder: "tls-known"},
		// With TLS 1.3 the client may fail on a later write, before it receives the
		// reason.
		{name: "client without a certificate", builder: "tls-unknown", want: "tls-unknown: Unavailable: "},
		{name: "daemon of another authority", builder: "tls-other", want: "certificate signed by unknown authority"},
		{name: "no TLS", host: addr, want: regexp.QuoteMeta(addr) + ": Unavailable: connection error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			cmd := env.Command(t.Context(), "docker-stagebuild", "build", "--builder="+test.builder, "--output=type=local,dest="+out, dir)
			cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+test.host)
			status, text := testkit.StartProcess(t, cmd).Wait(t, time.Minute)
			if test.want != "" {
				if status != 1 || !regexp.MustCompile(test.want).MatchString(text) || !strings.Contains(text, test.builder) {
					t.Errorf("exit status %d, want 1 and %q:\n%s", status, test.want, text)
				}
				return
			}
			if result, err := os.ReadFile(filepath.Join(out, "result")); status != 0 || string(result) != "built\n" {
				t.Errorf("exit status %d, %q, %v:\n%s", status, result, err, text)
			}
		})
	}
}

// createRemote creates a buildx builder for a daemon at an address.
func createRemote(t *testing.T, env *harness.Env, name, addr string, options ...string) {
	t.Helper()
	args := []string{"create", "--name=" + name, "--driver=remote", addr}
	for _, o := range options {
		args = append(args, "--driver-opt="+o)
	}
	testkit.CreateBuilder(t, env, name, args)
}

// authority is a certificate authority.
type authority struct {
	dir, file string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), key: newKey(t)}
	a.cert = certificate(name)
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	a.file = filepath.Join(a.dir, "ca.pem")
	a.sign(t, a.cert, a.key, a.file)
	return a
}

// issue creates a certificate for a client and a server on the loopback address, and
// returns its file and the file of its key.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key := newKey(t)
	cert := certificate(name)
	cert.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+"-key.pem")
	a.sign(t, cert, key, certFile)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, keyFile, "PRIVATE KEY", der)
	return certFile, keyFile
}

// sign signs a certificate and writes it to a file.
func (a *authority) sign(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey, file string) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, file, "CERTIFICATE", der)
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	testkit.WriteFile(t, file, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}
