// Package source holds the text of Dockerfiles, positions and spans in them, and
// diagnostics. It knows bytes, lines and columns, and nothing of the language.
//
// A Span names its File, so that a diagnostic is complete by itself and a plan can span
// several files. A List collects diagnostics while a file is processed, and becomes an
// error that is sorted and free of duplicates.
package source
