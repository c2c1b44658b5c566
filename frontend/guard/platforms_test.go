package guard_test

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// patterns are lists with the platforms that they match and miss, separated by
// spaces.
var patterns = []struct{ list, matches, misses string }{
	{"linux/amd64", "linux/amd64 linux/amd64/v1 linux/amd64/v2", "linux/arm64 windows/amd64"},
	{"linux", "linux/amd64 linux/arm/v7 linux/s390x", "windows/amd64 darwin/arm64"},
	{"windows", "windows/amd64 windows(10.0.17763)/amd64 windows/arm64", "linux/amd64"},
	{"linux/*", "linux/amd64 linux/arm/v6", "windows/amd64"},
	{"*", "linux/amd64 windows/arm64 freebsd/riscv64", ""},
	{"*/*", "linux/amd64 windows/arm64", ""},
	{"*/*/*", "linux/amd64 linux/arm/v6", ""},
	{"*/arm64", "linux/arm64 windows/arm64 linux/arm64/v8", "linux/arm linux/amd64"},

	// Without a variant, a pattern matches all of them.
	{"linux/arm", "linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm", "linux/arm64"},
	{"linux/arm/*", "linux/arm/v6 linux/arm/v7", "linux/arm64"},
	{"linux/arm/v7", "linux/arm/v7 linux/arm", "linux/arm/v6"},
	{"linux/arm/v6", "linux/arm/v6", "linux/arm/v7 linux/arm linux/arm64"},
	{"linux/arm/7", "linux/arm/v7 linux/arm", "linux/arm/v6"},
	{"linux/arm64/v8", "linux/arm64 linux/arm64/v8", "linux/arm64/v9"},
	{"linux/arm64/v9", "linux/arm64/v9", "linux/arm64"},
	{"linux/amd64/v1", "linux/amd64", "linux/amd64/v2"},
	{"linux/amd64/v3", "linux/amd64/v3", "linux/amd64 linux/amd64/v2"},
	{"*/*/v7", "linux/arm/v7 linux/arm", "linux/arm/v6 linux/arm64 linux/amd64"},
	{"*/*/v8", "linux/arm64", "linux/arm/v7"},

	// A bare architecture, and aliases.
	{"arm64", "linux/arm64 windows/arm64", "linux/amd64"},
	{"arm", "linux/arm/v6 linux/arm/v7", "linux/arm64"},
	{"x86_64", "linux/amd64 windows/amd64", "linux/arm64"},
	{"linux/x86-64", "linux/amd64", "linux/386"},
	{"linux/aarch64", "linux/arm64", "linux/arm"},
	{"i386", "linux/386", "linux/amd64"},
	{"linux/armhf", "linux/arm/v7 linux/arm", "linux/arm/v6"},
	{"linux/armel", "linux/arm/v6", "linux/arm/v7"},
	{"macos", "darwin/arm64", "linux/arm64"},
	{"Linux/ARM64", "linux/arm64", "linux/amd64"},

	// Lists and exclusions.
	{"linux/amd64,linux/arm64", "linux/amd64 linux/arm64", "linux/arm windows/amd64"},
	{" linux/amd64 ,\twindows ", "linux/amd64 windows/amd64", "linux/arm64"},
	{"linux,!linux/arm", "linux/amd64 linux/arm64", "linux/arm/v6 linux/arm/v7 windows/amd64"},
	{"!linux/arm,linux", "linux/amd64", "linux/arm/v6 windows/amd64"},
	{"!windows", "linux/amd64 darwin/arm64", "windows/amd64"},
	{"!windows,!arm64", "linux/amd64", "windows/amd64 linux/arm64"},
	{"arm64,!arm64", "", "linux/arm64 linux/amd64"},
	{"!*", "", "linux/amd64"},
	{"linux/mips64le/softfloat", "linux/mips64le/softfloat", "linux/mips64le"},
	{"wasi/wasm,wasip1", "wasi/wasm wasip1/wasm", "js/wasm linux/amd64"},

	// The version of an operating system, and its features.
	{"windows(10.0.17763)", "windows(10.0.17763)/amd64", "windows(10.0.20348)/amd64 windows/amd64"},
	{"windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64", "windows(10.0.17763)/arm64"},
	{"windows,!windows(10.0.17763)", "windows(10.0.20348)/amd64 windows/amd64", "windows(10.0.17763)/amd64"},
	{"windows(+win32k)", "windows(10.0.17763+win32k)/amd64 windows(+win32k+gpu)/amd64", "windows(10.0.17763)/amd64"},
	{"windows()", "windows/amd64 windows(10.0.17763)/amd64", "linux/amd64"},
}

// invalidPatterns are lists with their first error.
var invalidPatterns = []struct{ list, message string }{
	{"", `"" is not a platform pattern; write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *`},
	{"linux,", `"" is not a platform pattern; write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *`},
	{"!", `"!" is not a platform pattern; write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *`},
	{"linux/", `"linux/" is not a platform pattern; write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *`},
	{"a/b/c/d", `"a/b/c/d" is not a platform pattern; write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *`},
	{"linux/amr64", `"linux/amr64" matches no platform; did you mean "linux/arm64"?`},
	{"linxu/amd64", `"linxu/amd64" matches no platform; did you mean "linux/amd64"?`},
	{"!widows", `"!widows" matches no platform; did you mean "!windows"?`},
	{"amr64", `"amr64" matches no platform; did you mean "arm64"?`},
	{"quantum", `"quantum" matches no platform; write OS[/ARCH[/VARIANT]], such as linux/arm64`},
	{"linux/quantum", `"linux/quantum" matches no platform; write OS[/ARCH[/VARIANT]], such as linux/arm64`},
	{"arm/v7", `"arm/v7" matches no platform; write linux/arm/v7, or */arm/v7 for all operating systems`},
	{"!arm/v7", `"!arm/v7" matches no platform; write !linux/arm/v7, or !*/arm/v7 for all operating systems`},
	{"linux/arm/v9", `"linux/arm/v9" matches no platform: arm has no variant v9; write a variant as in linux/arm/v7, or leave it out to match all variants`},
	{"linux/amd64/v5", `"linux/amd64/v5" matches no platform: amd64 has no variant v5; write a variant as in linux/arm/v7, or leave it out to match all variants`},
	{"windows(10", `"windows(10" is not a platform pattern; write the version of an operating system in parentheses, as in windows(10.0.20348)/amd64`},
	{"win(10.0.17763)", `"win(10.0.17763)" matches no platform; write OS[/ARCH[/VARIANT]], such as linux/arm64`},
	{"lin*", `"lin*" matches no platform; did you mean "linux"?`},
	{"$TARGETOS", "platform patterns cannot use variables; write --if='platform(TARGETOS)'"},
	{"${X}", "platform patterns cannot use variables; write --if='platform(X)'"},
	// Platforms as people write them.
	{"mac", `"mac" matches no platform; did you mean "darwin"?`},
	{"!win/x64", `"!win/x64" matches no platform; did you mean "!windows/amd64"?`},
	{"x64", `"x64" matches no platform; did you mean "amd64"?`},
	{"armv7", `"armv7" matches no platform; did you mean "linux/arm/v7"?`},
	{"linux/armv6", `"linux/armv6" matches no platform; did you mean "linux/arm/v6"?`},
	{"linux-arm64", `"linux-arm64" matches no platform; did you mean "linux/arm64"?`},
	{"linux_arm_v7", `"linux_arm_v7" matches no platform; did you mean "linux/arm/v7"?`},
	{"arm64|amd64", `"arm64|amd64" matches no platform; separate patterns with commas, as in "arm64,amd64"`},
}

func TestPlatforms(t *testing.T) {
	for _, tt := range patterns {
		t.Run(tt.list, func(t *testing.T) {
			p, errs := guard.ParsePlatforms(tt.list)
			if len(errs) > 0 {
				t.Fatal(errs[0])
			}
			for target := range strings.FieldsSeq(tt.matches) {
				if !p.Match(platforms.MustParse(target)) {
					t.Errorf("does not match %s", target)
				}
			}
			for target := range strings.FieldsSeq(tt.misses) {
				if p.Match(platforms.MustParse(target)) {
					t.Errorf("matches %s", target)
				}
			}
		})
	}
}

func TestInvalidPlatforms(t *testing.T) {
	for _, tt := range invalidPatterns {
		t.Run(tt.list, func(t *testing.T) {
			_, errs := guard.ParsePlatforms(tt.list)
			if len(errs) == 0 {
				t.Fatal("no error")
			}
			if got := errs[0].Error(); got != tt.message {
				t.Errorf("error\n got %s\nwant %s", got, tt.message)
			}
		})
	}
}

func TestEveryInvalidPatternIsReported(t *testing.T) {
	const list = "linux/amr64, linux/amd64 ,\twinows"
	_, errs := guard.ParsePlatforms(list)
	var got []string
	for _, err := range errs {
		got = append(got, list[err.Start:err.End])
	}
	if strings.Join(got, "|") != "linux/amr64|winows" {
		t.Errorf("errors at %q", got)
	}
}
