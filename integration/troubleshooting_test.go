package integration

import "testing"

// TestTroubleshootingCommands runs the commands of the page on troubleshooting.
func TestTroubleshootingCommands(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedMirror(t)
	dir := writeContext(t, map[string]string{"hello.txt": "hello\n"})
	(&documentRun{env: env, name: "docs/troubleshooting.md", dir: dir}).run(t)
}
