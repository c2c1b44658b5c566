package guard_test

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// values are in scope of every condition of the tables. The target is linux/arm/v7.
var values = args{
	"YES": "true", "ONE": "1", "UPPER": "TRUE", "NO": "false", "ZERO": "0", "EMPTY": "",
	"ARCH": "arm64", "N": "10", "NEG": "-2", "LIST": "a,b,c", "VERSION": "1.26.3", "SPACED": " x ", "WORD": "Word",
}

// conditions are valid conditions with their results.
var conditions = []struct {
	source string
	holds  bool
}{
	// Strings as bools.
	{"YES", true}, {"ONE", true}, {"UPPER", true}, {"NO", false}, {"ZERO", false}, {"EMPTY", false},
	{"true", true}, {"false", false}, {"(YES)", true}, {`"1"`, true}, {`""`, false}, {`"FALSE"`, false},
	{"1", true}, {"0", false},
	// Operators, which do not evaluate more than they need.
	{"NO && ARCH", false}, {"YES || ARCH", true}, {`EMPTY != "" && EMPTY > 3`, false},
	{"!NO", true}, {"!YES", false}, {"!!EMPTY", false}, {"!EMPTY", true},
	{"YES && ONE", true}, {"YES && EMPTY", false}, {"NO || ONE", true}, {"NO || EMPTY", false},
	{"YES || NO && NO", true}, {"(YES || NO) && NO", false},
	{`ARCH == "arm64"`, true}, {`ARCH == "ARM64"`, false}, {`ARCH != "amd64"`, true}, {`"arm64" == ARCH`, true},
	{`EMPTY == ""`, true}, {`ARCH == EMPTY`, false}, {`YES == "true"`, true}, {`ONE == YES`, false},
	{"N > 9", true}, {"N >= 10", true}, {"N < 10", false}, {"N <= 10", true}, {"N > 9.5", true}, {"NEG < 0", true}, {"N > NEG", true},
	{`N + 1 == 11`, true}, {`N - 1 > 8`, true}, {`N * 2 == 20`, true}, {`N / 4 == 2.5`, true}, {`N % 3 == 1`, true}, {`-N < 0`, true},
	{`YES ? ONE : ZERO`, true}, {`EMPTY ? true : false`, false}, {`(ARCH == "arm64" ? "1" : "0") == "1"`, true},
	{`"${ARCH}-${N}" == "arm64-10"`, true}, {`"a$${b}" == "a$${b}"`, true}, {`"$" != "%"`, true},
	{`split(",", LIST)[1] == "b"`, true}, {`{a = "1"}.a`, true}, {`["1"][0]`, true}, {"YES # a comment", true},
	// Functions.
	{`platform("linux/arm")`, true}, {`platform("linux/arm/v6")`, false}, {`platform("windows", "arm")`, true},
	{`platform("linux", "!arm")`, false}, {`platform("linux/${WORD == "Word" ? "arm" : "amd64"}")`, true}, {`!platform("windows")`, true},
	{`contains(["a", "b"], "b")`, true}, {`contains(split(",", LIST), "d")`, false},
	{`length(split(",", LIST)) == 3`, true}, {`length([]) > 0`, false},
	{`lower(WORD) == "word"`, true}, {`upper(WORD) == "WORD"`, true},
	{`trimspace(SPACED) == "x"`, true}, {`trimprefix(WORD, "W") == "ord"`, true}, {`trimsuffix(WORD, "d") == "Wor"`, true},
	{`startswith(WORD, "Wo")`, true}, {`startswith(WORD, "wo")`, false}, {`endswith(WORD, "rd")`, true}, {`endswith(WORD, "x")`, false},
	{`join("-", split(",", LIST)) == "a-b-c"`, true}, {`replace(LIST, ",", "") == "abc"`, true},
	{`regex("[0-9]+", ARCH) == "64"`, true}, {`length(regexall("[a-c]", LIST)) == 3`, true}, {`can(regex("x", ARCH))`, false},
	{`semvercmp(VERSION, ">=1.26")`, true}, {`semvercmp(VERSION, "~1.25")`, false},
	{`coalesce(EMPTY, ARCH) == ""`, true}, {`coalesce(null, ARCH) == "arm64"`, true},
	{`can(split(",", LIST)[9])`, false}, {`can(N)`, true}, {`try(split(",", LIST)[9], "none") == "none"`, true},
}

// invalidConditions have an error: in the syntax, in a name or in a value. The marks «»
// enclose the bytes that it is about.
var invalidConditions = []struct{ source, message string }{
	{"«»", `the condition is incomplete; write an expression of build args, such as DEBUG or TARGETARCH == "arm64"`},
	{"YES «NO»", `unexpected "NO" after the condition; combine conditions with && or ||`},
	{"YES «größtenteils_nicht_für_ähnliches»", `unexpected "größtenteils_nicht_f…" after the condition; combine conditions with && or ||`},
	{"«$YES»", "build args have no $ in a condition; write YES"},
	{"NO || «${YES}»", "build args have no $ in a condition; write NO || YES"},
	{`"«$YES»" == "x"`, "a string in a condition does not expand $YES; write YES outside quotes, or ${YES} inside"},
	{"YES == «'»x'", `strings in a condition need double quotes; write YES == "x"`},
	{"«YES == 1»", `YES is a string, which never equals the number 1; write YES == "1"`},
	{"«1 != (YES)»", `(YES) is a string, which never equals the number 1; write (YES) != "1"`},
	{"«YES == true»", "YES is a string, which never equals the bool true; write YES"},
	{"«N == -1»", `N is a string, which never equals the number -1; write N == "-1"`},
	{`«"${YES}" == 1»`, `"${YES}" is a string, which never equals the number 1; write "${YES}" == "1"`},
	{`«true != "a-${YES}"»`, `"a-${YES}" is a string, which never equals the bool true; write "a-${YES}" != "true"`},
	{"«lower(YES) == true»", `lower(YES) is a string, which never equals the bool true; write lower(YES) == "true"`},
	{`«(YES ? "1" : WORD) == 1»`, `(YES ? "1" : WORD) is a string, which never equals the number 1; write (YES ? "1" : WORD) == "1"`},
	{`«!YES == "1"»`, `"1" is a string, which never equals the bool !YES, because ! binds tighter than ==; write !(YES == "1")`},
	{`«platform("linux") != "true"»`, `"true" is a string, which never equals the bool platform("linux"); leave out the comparison, or negate with !`},
	{"«(YES && NO) == EMPTY»", "EMPTY is a string, which never equals the bool (YES && NO); leave out the comparison, or negate with !"},
	{`«length(split(",", LIST)) == "3"»`, `"3" is a string, which never equals the number length(split(",", LIST)); write numbers without quotes; NAME + 0 converts an arg to a number`},
	{"«N + 1 == N»", "N is a string, which never equals the number N + 1; write numbers without quotes; NAME + 0 converts an arg to a number"},
	{`«!YES != "1"»`, `"1" is a string, which never equals the bool !YES, because ! binds tighter than !=; write !(YES != "1")`},
	{"«!YES == 1»", `!YES is a bool, which never equals the number 1, because ! binds tighter than ==; write !(YES == "1")`},
	{"«1 == (YES || NO)»", "1 is a number, which never equals the bool (YES || NO); leave out the comparison, or negate with !"},
	{"contains([«1», 2], N)", `N is a string, which never equals the number 1; write contains(["1", "2"], N)`},
	{`contains(["a", "b"], «true»)`, `"a" is a string, which never equals the bool true; write contains(["a", "b"], "true")`},
	{"«lwoer»(YES)", `unknown function "lwoer"; did you mean "lower"?`},
	{"«getenv»(YES)", `unknown function "getenv"; the functions are can, coalesce, contains, endswith, join, length, lower, platform, regex, regexall, replace, semvercmp, split, startswith, trimprefix, trimspace, trimsuffix, try, upper`},
	{`platform(«"linux/amr64"»)`, `"linux/amr64" matches no platform; did you mean "linux/arm64"?`},
	// Conditions as people write them in other languages.
	{`YES «=» "1"`, `unexpected "=" in the condition; write YES == "1"`},
	{`YES «is» not "1"`, `unexpected "is" in the condition; write YES != "1"`},
	{"YES «and» !NO", `unexpected "and" in the condition; write YES && !NO`},
	{"YES «AND» not NO OR ONE", `unexpected "AND" in the condition; write YES && !NO || ONE`},
	{"not «YES»", `unexpected "YES" in the condition; write !YES`},
	{`N «in» ["1", "2"]`, `unexpected "in" in the condition; write contains(["1", "2"], N)`},
	{`N «not» in ("1", "2")`, `unexpected "not" in the condition; write !contains(["1", "2"], N)`},
	{`N =«~» "1.*"`, `the condition is not in the syntax of HCL; write can(regex("1.*", N))`},
	{"YES «THEN»", `unexpected "THEN" in the condition; write YES`},
	{`YES == "1"«:»`, `unexpected ":" in the condition; write YES == "1"`},
	{`[ "$ARCH" «=» arm64 ]`, `the condition is not in the syntax of HCL; write ARCH == "arm64"`},
	{`[[ «$N» != 1 && -z "$EMPTY" ]]`, `build args have no $ in a condition; write N != "1" && EMPTY == ""`},
	{`test -n «"»$N"`, `unexpected """ in the condition; write N != ""`},
	{"N -eq «10»", `unexpected "10" in the condition; write N == "10"`},
	{`ARCH == «'»a"b'`, `strings in a condition need double quotes; write ARCH == "a\"b"`},
	{"YES == «TRUE»", `unknown name "TRUE" in the condition; write YES`},
	{"ARCH == «arm64»", `unknown name "arm64" in the condition; write ARCH == "arm64"`},
	{"«arm64»", `unknown name "arm64" in the condition; write platform("arm64")`},
	{"«windows» && YES", `unknown name "windows" in the condition; write platform("windows") && YES`},
	{"ARCH == «debug»", `unknown name "debug" in the condition; declare it above with ARG debug, or write ARCH == "debug"`},
	{"ARCH == «linux/arm64»", `the platform linux/arm64 needs double quotes; write ARCH == "linux/arm64"`},
	{"«linux/arm/v7» || YES", `the platform linux/arm/v7 needs double quotes; write platform("linux/arm/v7") || YES`},
	{"platform(«linux/arm64»)", `the platform pattern linux/arm64 needs double quotes; write platform("linux/arm64")`},
	{`«contains(LIST, "a")»`, `contains searches a list, and LIST is a string; write can(regex("a", LIST))`},
	{"«YES == 1» && N == 2", `YES is a string, which never equals the number 1; write YES == "1" && N == "2"`},
	{`ARCH «\»\ YES`, `unexpected character "\" in the condition`},
	{`«=» = "1"`, "invalid expression: expected the start of an expression, but found an invalid expression token"},
	{"«[for x in [YES]: x]»", "a condition cannot have for expressions; use contains, length, regex or can"},

	{"«TYPO»", `unknown name "TYPO" in the condition; declare it above with ARG TYPO`},
	{"«YSE»", `unknown name "YSE" in the condition; did you mean "YES"?`},
	{"false && «TYPO»", `unknown name "TYPO" in the condition; declare it above with ARG TYPO`},
	{"true ? YES : «TYPO»", `unknown name "TYPO" in the condition; declare it above with ARG TYPO`},

	{"«ARCH»", `ARCH = "arm64" is not a bool; set it to true, 1, false, 0 or "", or write ARCH == "arm64"`},
	{"!«ARCH»", `ARCH = "arm64" is not a bool; set it to true, 1, false, 0 or "", or write !(ARCH == "arm64")`},
	{"YES && «ARCH»", `ARCH = "arm64" is not a bool; set it to true, 1, false, 0 or "", or write YES && ARCH == "arm64"`},
	{"NO || «ARCH»", `ARCH = "arm64" is not a bool; set it to true, 1, false, 0 or "", or write NO || ARCH == "arm64"`},
	{"«ARCH» ? true : false", `ARCH = "arm64" is not a bool; set it to true, 1, false, 0 or "", or write ARCH == "arm64" ? true : false`},
	{"«2»", `2 is not a bool; a bool is true, 1, false, 0 or ""`},
	{"«null»", `null is not a bool; a bool is true, 1, false, 0 or ""`},
	{`«["1"]»`, `a value of type tuple is not a bool; a bool is true, 1, false, 0 or ""`},
	{"«ARCH» > 3", `ARCH = "arm64" is not a number; <, <=, > and >= compare numbers; to compare versions, write semvercmp(VERSION, ">= 1.4")`},
	{"«1E700000» > 3", "the number is out of range; use at most 300 digits"},
	{"«1 / 0» % 1 == 0", "the number is out of range; use at most 300 digits"},
	{"-«ARCH» == 1", `ARCH = "arm64" is not a number; <, <=, > and >= compare numbers; to compare versions, write semvercmp(VERSION, ">= 1.4")`},
	{"3 <= «EMPTY»", `EMPTY = "" is not a number; <, <=, > and >= compare numbers; to compare versions, write semvercmp(VERSION, ">= 1.4")`},
	{"«length(»LIST)", `call to function "length" failed: collection must be a list, a map or a tuple`},
	{`«semvercmp»(ARCH, ">1")`, `"arm64" is not a version; semvercmp compares a version such as 1.4.2`},
	{`split(",", LIST)«[9]»`, "the given key does not identify an element in this collection value"},
	{`«platform»("${LIST}")`, `"a" matches no platform; write OS[/ARCH[/VARIANT]], such as linux/arm64`},
	{"«platform»(ARCH, EMPTY)", `"" is not a platform pattern; write OS[/ARCH[/VARIANT]], such as linux/arm64, each part a name or *`},
}

func TestConditions(t *testing.T) {
	for _, tt := range conditions {
		t.Run(tt.source, func(t *testing.T) {
			c, errs := guard.ParseCondition(tt.source)
			if len(errs) > 0 {
				t.Fatal(errs[0])
			}
			if errs := c.Check(values); len(errs) > 0 {
				t.Fatal(errs[0])
			}
			holds, err := c.Eval(platforms.MustParse("linux/arm/v7"), values)
			if err != nil || holds != tt.holds {
				t.Errorf("got %t, %v, want %t", holds, err, tt.holds)
			}
		})
	}
}

func TestInvalidConditions(t *testing.T) {
	for _, tt := range invalidConditions {
		t.Run(tt.source, func(t *testing.T) {
			start, end := strings.Index(tt.source, "«"), strings.Index(tt.source, "»")-len("«")
			err := firstError(strings.NewReplacer("«", "", "»", "").Replace(tt.source))
			switch {
			case err == nil:
				t.Error("no error")
			case err.Error() != tt.message:
				t.Errorf("error\n got %s\nwant %s", err, tt.message)
			case err.Start != start || err.End != end:
				t.Errorf("the error is at [%d, %d), want [%d, %d)", err.Start, err.End, start, end)
			}
		})
	}
}

// firstError returns the first error of a condition in the scope of values, or nil.
func firstError(text string) *guard.Error {
	c, errs := guard.ParseCondition(text)
	if len(errs) > 0 {
		return errs[0]
	}
	if errs := c.Check(values); len(errs) > 0 {
		return errs[0]
	}
	if _, err := c.Eval(platforms.MustParse("linux/arm/v7"), values); err != nil {
		return err.(*guard.Error) //nolint:errorlint // Eval documents its type
	}
	return nil
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "YES" + strings.Repeat(")", n) }
	grown := func(n int) string {
		return strings.Repeat("replace(", n) + "LIST" + strings.Repeat(`, "a", "aa")`, n) + ` != ""`
	}
	for _, tt := range []struct{ name, source, want string }{
		{name: "4 KiB", source: "YES" + strings.Repeat(" ", 4<<10-3)},
		{name: "more than 4 KiB", source: "YES" + strings.Repeat(" ", 4<<10-2), want: guard.ConditionTooLarge},
		{name: "64 levels", source: nested(63)},
		{name: "65 levels", source: nested(64), want: guard.ConditionTooLarge},
		{name: "100 terms", source: "YES" + strings.Repeat(" && YES", 99)},
		{name: "100 other terms", source: "YES" + strings.Repeat(" || YES", 99)},
		{name: "65 nots", source: strings.Repeat("!", 65) + "YES", want: guard.ConditionTooLarge},
		{name: "a long string", source: grown(10)},
		{name: "too long a string", source: grown(50), want: guard.ConditionTooLarge},
		{name: "a long joined string", source: `"" == ` + strings.Repeat(`join("aaaaaaaaaa", split("a", `, 8) + `"aaaa"` + strings.Repeat("))", 8), want: guard.ConditionTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			switch err := firstError(tt.source); {
			case err == nil && tt.want != "":
				t.Errorf("no error, want %s", tt.want)
			case err != nil && err.Name != tt.want:
				t.Errorf("%s: %v", err.Name, err)
			}
		})
	}
}

func TestNames(t *testing.T) {
	c, errs := guard.ParseCondition(`B && A == "x" || B || lower("${C}") == upper(A)`)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	if got := strings.Join(c.Names(), " "); got != "A B C" {
		t.Errorf("names are %q", got)
	}
}

func TestUnknownValues(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arg     guard.Arg
		message string
	}{
		{"ENV", guard.Arg{IsEnv: true}, "X is set by ENV, and a condition can only use build args; write ARG X=VALUE above it, and ENV X=$X"},
		{"ENV on a line", guard.Arg{IsEnv: true, EnvLine: 7}, "X is set by ENV on line 7, and a condition can only use build args; write ARG X=VALUE above it, and ENV X=$X"},
		{"global ARG", guard.Arg{Unknown: guard.Unknown{Variable: "$N", Cause: "an ARG before the first FROM that the stage does not declare", Hint: "write ARG N above ARG X on line 3"}}, "the value of X is only known during the build, because its default refers to $N, an ARG before the first FROM that the stage does not declare; write ARG N above ARG X on line 3"},
		{"base image", guard.Arg{Unknown: guard.Unknown{Variable: "$PATH"}}, "the value of X is only known during the build, because its default refers to $PATH; refer only to ARGs that are declared above in the same stage and have a value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, errs := guard.ParseCondition("X")
			if len(errs) > 0 {
				t.Fatal(errs[0])
			}
			errs = c.Check(one(tt.arg))
			if len(errs) != 1 || errs[0].Error() != tt.message {
				t.Errorf("got %v", errs)
			}
		})
	}
}

// one is a scope in which every name is the same arg.
type one guard.Arg

// Lookup implements guard.Scope.
func (o one) Lookup(string) (guard.Arg, bool) { return guard.Arg(o), true }

// Names implements guard.Scope.
func (o one) Names() []string { return nil }

// Declaration implements guard.Scope.
func (o one) Declaration(string) (string, bool) { return "", false }

func TestDecisions(t *testing.T) {
	forArm, _ := guard.ParsePlatforms("linux/arm64")
	yes, _ := guard.ParseCondition("YES")
	differs, _ := guard.ParseCondition(`N == "1" && WORD != ""`)
	literal, _ := guard.ParseCondition("false")
	for _, tt := range []struct {
		guard         guard.Guard
		text, reason  string
		holdsForArm64 bool
	}{
		{holdsForArm64: true},
		{guard: guard.Guard{For: forArm, If: yes}, text: "--for=linux/arm64 --if=YES", reason: `--for=linux/arm64 matches linux/arm64, --if=YES is true with YES = "true"`, holdsForArm64: true},
		{guard: guard.Guard{If: differs}, text: `--if=N == "1" && WORD != ""`, reason: `--if=N == "1" && WORD != "" is false with N = "10", WORD = "Word"`},
		{guard: guard.Guard{If: literal}, text: "--if=false", reason: "--if=false is false"},
	} {
		t.Run("guard "+tt.text, func(t *testing.T) {
			d, err := tt.guard.Eval(platforms.MustParse("linux/arm64"), values)
			if err != nil || d.Holds != tt.holdsForArm64 || d.Reason != tt.reason || tt.guard.String() != tt.text {
				t.Errorf("%s: %+v, %v", tt.guard, d, err)
			}
		})
	}
	d, err := guard.Guard{For: forArm, If: yes}.Eval(platforms.MustParse("linux/arm"), values)
	if err != nil || d.Holds || d.Reason != "--for=linux/arm64 does not match linux/arm/v7" {
		t.Errorf("for another platform: %+v, %v", d, err)
	}
}

// automaticArgs is a scope in which BuildKit sets all args except OWN.
type automaticArgs struct{}

// Lookup implements guard.Scope.
func (automaticArgs) Lookup(name string) (guard.Arg, bool) {
	return guard.Arg{Value: "x", IsAutomatic: name != "OWN"}, true
}

// Names implements guard.Scope.
func (automaticArgs) Names() []string { return nil }

// Declaration implements guard.Scope.
func (automaticArgs) Declaration(string) (string, bool) { return "", false }

// TestAutomaticArgs compares automatic args with names that they have and never have.
func TestAutomaticArgs(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{`TARGETARCH == "amd64"`, ""},
		{`TARGETARCH == "arm"`, ""},
		{`TARGETARCH == "quantum"`, ""},
		{`TARGETARCH == ""`, ""},
		{`OWN == "x86_64"`, ""},
		{`TARGETVARIANT == "v7"`, ""},
		{`TARGETPLATFORM == "linux/arm/v7"`, ""},
		{`TARGETPLATFORM == "windows(10.0.20348)/amd64"`, ""},
		{`lower(TARGETARCH) == "x86_64"`, ""},
		{`TARGETARCH == "x86_64"`, `TARGETARCH is never "x86_64"; write TARGETARCH == "amd64"`},
		{`"aarch64" != BUILDARCH`, `BUILDARCH is never "aarch64"; write "arm64" != BUILDARCH`},
		{`TARGETARCH == "AMD64"`, `TARGETARCH is never "AMD64"; write TARGETARCH == "amd64"`},
		{`TARGETARCH == "x64" || OWN == "1"`, `TARGETARCH is never "x64"; write TARGETARCH == "amd64" || OWN == "1"`},
		{`TARGETARCH == "amr64"`, `TARGETARCH is never "amr64"; write TARGETARCH == "arm64"`},
		{`TARGETARCH == "armhf"`, `TARGETARCH is never "armhf"; write platform("*/arm/v7")`},
		{`TARGETARCH != "arm/v6"`, `TARGETARCH is never "arm/v6"; write !platform("*/arm/v6")`},
		{`TARGETARCH == "armv7l"`, `TARGETARCH is never "armv7l"; write platform("*/arm/v7")`},
		{`TARGETOS == "macos"`, `TARGETOS is never "macos"; write TARGETOS == "darwin"`},
		{`TARGETOS == "Windows"`, `TARGETOS is never "Windows"; write TARGETOS == "windows"`},
		{`TARGETPLATFORM == "linux/x86_64"`, `TARGETPLATFORM is never "linux/x86_64"; write TARGETPLATFORM == "linux/amd64"`},
		{`TARGETPLATFORM == "linux/arm64/v8"`, `TARGETPLATFORM is never "linux/arm64/v8"; write TARGETPLATFORM == "linux/arm64"`},
		{`TARGETPLATFORM == "linux/arm"`, `TARGETPLATFORM is never "linux/arm"; write platform("linux/arm")`},
		{`TARGETPLATFORM != "windows"`, `TARGETPLATFORM is never "windows"; write !platform("windows")`},
		{`contains(["x86_64", "arm64"], TARGETARCH)`, `TARGETARCH is never "x86_64"; write contains(["amd64", "arm64"], TARGETARCH)`},
		{`contains(["linux"], TARGETPLATFORM)`, `TARGETPLATFORM is never "linux"; write platform("linux")`},
	} {
		t.Run(tt.source, func(t *testing.T) {
			c, errs := guard.ParseCondition(tt.source)
			if len(errs) > 0 {
				t.Fatal(errs[0])
			}
			var got string
			if errs := c.Check(automaticArgs{}); len(errs) > 0 {
				got = errs[0].Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
