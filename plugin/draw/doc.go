// Package draw draws the stages of a Dockerfile.
//
// [Dot] and [Mermaid] write sources for other programs, [SVG] writes a picture, and
// [HTML] writes a page with a picture for each platform and set of build args. Each
// shows every node and edge of a [graph.Graph], and the same graph gives the same bytes.
//
// A graph becomes a scene of boxes and lines. Dot and Mermaid write the scene; SVG and
// HTML first compute its layout. The pictures of a page share the layout of their union,
// so that a box has the same position in all of them.
//
// Arrows point from a base or source to the stage that uses it. Every state is shown in
// words, not only by its color.
package draw
