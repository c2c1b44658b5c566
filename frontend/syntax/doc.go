// Package syntax parses a staged Dockerfile into instructions, stages, blocks and
// references, each with its span in the file. It decides nothing that depends on a
// platform or a build arg; package plan does.
//
// Parse is lossless: lowering edits the bytes of the file at the spans that it returns,
// so nothing has to be printed back. The lexer cuts the file into logical lines by the
// rules of BuildKit's frontend/dockerfile/parser. The reader turns each line into an
// Instruction, parses its guard with package guard, and keeps track of the blocks and
// the stage around it. Errors are collected, and a file that has some can still be
// resolved, to find the others.
package syntax
