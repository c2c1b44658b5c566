package main

import (
	"os"
	"path/filepath"
)

// dirsOf uses the directory for all users' application data.
func dirsOf(service string) dirs {
	root := os.Getenv("ProgramData")
	if root == "" {
		root = `C:\ProgramData`
	}
	root = filepath.Join(root, service)
	return dirs{Config: filepath.Join(root, "config"), Data: filepath.Join(root, "data"), Logs: filepath.Join(root, "logs")}
}
