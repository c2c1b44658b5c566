package main

import "path/filepath"

// dirsOf follows the Filesystem Hierarchy Standard.
func dirsOf(service string) dirs {
	return dirs{
		Config: filepath.Join("/etc", service),
		Data:   filepath.Join("/var/lib", service),
		Logs:   filepath.Join("/var/log", service),
	}
}
