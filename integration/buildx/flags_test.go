package buildx

import (
	"testing"
)

// stepsFile has steps that record the effects of build flags, and a random value, which is
// equal in two builds only if the daemon runs the step once for both.
const stepsFile = `FROM busybox AS base
ARG WHO=nobody
ARG FROM_ENV=unset
RUN echo "$WHO $FROM_ENV" > /args && cat /proc/sys/kernel/random/uuid > /id
RUN ulimit -n > /nofile; df -k /dev/shm > /shm; cat /etc/hosts > /hosts; ls /sys/class/net > /net
FROM base AS other
LABEL stage=other
FROM base
COPY a.txt /a
`

// copyFile runs no step, so it builds for any platform.
const copyFile = "FROM busybox\nCOPY a.txt /a\nENV SET=here\n"

// TestFlagsMatchBuildx passes the same flags to docker buildx build and to the plugin and
// compares the results byte for byte.
func TestFlagsMatchBuildx(t *testing.T) {
	env, _ := suite.Product(t)
	files := "--output=type=local,dest={out}/files"
	image := "--output=type=oci,dest={out}/image.tar"
	for _, a := range []comparison{
		{name: "none", args: []string{files, image}},
		{name: "build args", args: []string{files, image, "--build-arg=WHO=me", "--build-arg=FROM_ENV"}, env: []string{"FROM_ENV=set"}},
		{name: "labels and annotations", args: []string{
			image, "--label=a=b", "--label=empty", "--annotation=x=y", "--annotation=manifest-descriptor:on=descriptor",
		}},
		{name: "target and tags", args: []string{image, "--target=other", "--tag=one:1", "-t", "{registry}/two"}},
		{name: "step options", args: []string{
			files, image, "--ulimit=nofile=77:99", "--shm-size=5m", "--add-host=some:192.0.2.4", "--network=none",
			"--cgroup-parent=/stagebuild", "--resource=memory=100m",
		}},
		{name: "another platform", args: []string{image, "--platform=linux/arm64", "--file=Dockerfile.copy"}},
		{name: "two platforms", args: []string{
			image, files, "--platform=linux/arm64,linux/amd64", "-f", "Dockerfile.copy", "--annotation=index:for=both",
		}},
		{name: "pull", args: []string{image, "--pull"}},
		{name: "warnings", args: []string{image, "-f", "Dockerfile.warnings"}, env: []string{"BUILDX_METADATA_WARNINGS=1"}},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.files = map[string]string{"Dockerfile": stepsFile, "Dockerfile.copy": copyFile, "a.txt": "a", "Dockerfile.warnings": "from busybox AS a\nMAINTAINER me\n"}
			a.check(t, env)
		})
	}
}

// TestOutputsMatchBuildx writes the same result in every format.
func TestOutputsMatchBuildx(t *testing.T) {
	env, _ := suite.Product(t)
	for _, a := range []comparison{
		{name: "image", args: []string{"--output=type=image,name={registry}/outputs/image,push=true"}},
		{name: "image by digest", args: []string{"--output=type=image,name={registry}/outputs/digest,push-by-digest=true,push=true"}},
		{name: "image of Docker's media types", args: []string{"--output=type=image,name={registry}/outputs/docker,push=true,oci-mediatypes=false"}},
		{name: "registry", args: []string{"--output=type=registry,name={registry}/outputs/registry,compression=zstd,force-compression=true,compression-level=3"}},
		{name: "push", args: []string{"--push", "--tag={registry}/outputs/push:a", "--tag={registry}/outputs/push:b", "--iidfile={out}/iid", "--quiet"}},
		{name: "docker", args: []string{"--output=type=docker,dest={out}/image.tar", "--tag=outputs:1"}},
		{name: "docker to standard output", args: []string{"--output=type=docker,dest=-", "--tag=outputs:1"}},
		{name: "oci directory", args: []string{"--output=type=oci,tar=false,dest={out}/image", "--tag=outputs:1"}},
		{name: "oci with times rewritten", args: []string{"--output=type=oci,dest={out}/image.tar,rewrite-timestamp=true,compression=uncompressed,force-compression=true"}},
		{name: "oci for lazy pulling", args: []string{"--output=type=oci,dest={out}/image.tar,compression=estargz,force-compression=true,oci-mediatypes=true"}},
		{name: "tar", args: []string{"--output=type=tar,dest={out}/files.tar"}},
		{name: "tar to standard output", args: []string{"-o", "-"}},
		{name: "local", args: []string{"-o", "{out}/files"}},
		{name: "local without a directory for each platform", args: []string{
			"--output=type=local,dest={out}/files,platform-split=false", "--platform=linux/amd64,linux/arm64", "--file=Dockerfile.each",
		}},
		{name: "several", args: []string{
			"--output=type=local,dest={out}/files", "--output=type=tar,dest={out}/files.tar", "--output=type=oci,dest={out}/image.tar",
			"--output=type=docker,dest={out}/docker.tar", "--push", "--tag={registry}/outputs/several",
		}},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.files = map[string]string{
				"Dockerfile":      copyFile,
				"Dockerfile.each": "FROM busybox AS all\nARG TARGETARCH\nWORKDIR /$TARGETARCH\nFROM scratch\nCOPY --from=all /a* /\n",
				"a.txt":           "a",
			}
			a.check(t, env)
		})
	}
}
