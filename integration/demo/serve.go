package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// serve runs the service from the image for this machine's platform, and sends
// it HTTP requests.
func (d *demo) serve(ctx context.Context) error {
	platform := d.env.Platform
	res, err := d.env.Registry.Read(ctx, repository+":demo")
	if err != nil {
		return err
	}
	img, err := res.Image(platform)
	if err != nil {
		return err
	}
	binary, err := img.ReadFile(img.Config.Config.Entrypoint[0])
	if err != nil {
		return err
	}
	path := filepath.Join(d.env.Dir, "service")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-addr", "127.0.0.1:0")
	cmd.Env = img.Config.Config.Env
	return talk(ctx, cmd)
}

// listening matches the address in the service's log.
var listening = regexp.MustCompile(`msg=listening addr=(\S+)|INFO listening addr=(\S+)`)

// talk starts the service, sends it requests, and ends it.
func talk(ctx context.Context, cmd *exec.Cmd) (err error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	}()
	addr := ""
	lines := bufio.NewScanner(stderr)
	for addr == "" && lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			addr = m[1] + m[2]
		}
	}
	if addr == "" {
		return errors.Join(errors.New("the service ended without listening"), lines.Err())
	}
	for _, path := range []string{"/", "/healthz"} {
		if err := get(ctx, "http://"+addr+path); err != nil {
			return err
		}
	}
	return nil
}

// get prints a URL and the response's body.
func get(ctx context.Context, url string) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	fmt.Printf("\n$ curl %s\n%s", url, body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return nil
}
