package guard_test

import (
	"fmt"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

func ExampleParsePlatforms() {
	patterns, errs := guard.ParsePlatforms("linux,!linux/arm")
	if len(errs) > 0 {
		fmt.Println(errs[0])
		return
	}
	fmt.Println(patterns.Match(platforms.MustParse("linux/arm64")))
	fmt.Println(patterns.Match(platforms.MustParse("linux/arm/v7")))

	_, errs = guard.ParsePlatforms("linux/amr64")
	fmt.Println(errs[0])
	// Output:
	// true
	// false
	// "linux/amr64" matches no platform; did you mean "linux/arm64"?
}

func ExampleParseCondition() {
	condition, errs := guard.ParseCondition(`DEBUG || VARIANT == "debug"`)
	if len(errs) > 0 {
		fmt.Println(errs[0])
		return
	}
	fmt.Println(condition.Names())

	_, errs = guard.ParseCondition("$DEBUG")
	fmt.Println(errs[0])
	// Output:
	// [DEBUG VARIANT]
	// build args have no $ in a condition; write DEBUG
}

func ExampleCondition_Check() {
	condition, _ := guard.ParseCondition("DEBGU && STRIP")
	for _, err := range condition.Check(args{"DEBUG": "1", "STRIP": "0"}) {
		fmt.Printf("bytes %d to %d: %v\n", err.Start, err.End, err)
	}
	// Output:
	// bytes 0 to 5: unknown name "DEBGU" in the condition; did you mean "DEBUG"?
}

func ExampleGuard_Eval() {
	condition, _ := guard.ParseCondition("DEBUG")
	patterns, _ := guard.ParsePlatforms("linux/arm64")
	g := guard.Guard{For: patterns, If: condition}
	scope := args{"DEBUG": "1"}
	for _, target := range []string{"linux/arm64", "linux/amd64"} {
		d, err := g.Eval(platforms.MustParse(target), scope)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(d.Holds, d.Reason)
	}
	// Output:
	// true --for=linux/arm64 matches linux/arm64, --if=DEBUG is true with DEBUG = "1"
	// false --for=linux/arm64 does not match linux/amd64
}

func ExampleFunctions() {
	for _, f := range guard.Functions()[:3] {
		fmt.Println(f, f.Doc)
	}
	// Output:
	// can(a) Whether a has a value, without an error.
	// coalesce(a, …) The first argument that is not null.
	// contains(list, value) Whether a list contains a value.
}
