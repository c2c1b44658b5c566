// Package selection chooses the stages and platforms that a request or a command is
// about. It is pure, and decides with the plans that a build uses.
//
// [Patterns] choose stages and [Platforms] choose platforms. [Select] combines both into
// a [Selection], with a [Result] for each stage that can be built.
package selection
