package draw_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// TestBoxesKeepTheirPositions writes pages of large files, with pictures for all
// platforms, for other build args, and for each platform. A box must have the same
// position in all pictures, and each picture must be valid.
func TestBoxesKeepTheirPositions(t *testing.T) {
	for _, path := range corpus.Files(t, "testdata/large/*.Dockerfile") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			dockerfile, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := &draw.Page{File: "Dockerfile"}
			file := parse(t, dockerfile)
			environments := slices.Concat([]string{"", "DEBUG=1 HARDENED=1", "LIBC=musl PROFILE=debug"}, drawingOf(t, file, "").Platforms)
			for _, environment := range environments {
				p.Views = append(p.Views, draw.View{Graph: drawingOf(t, file, environment)})
			}
			places := map[string]any{}
			drawn := pagePictures(t, writePage(t, p))
			for _, picture := range drawn {
				boxes := checkBoxes(t, picture)
				checkLines(t, picture, boxes)
				for node, box := range boxes {
					if known, ok := places[node]; ok && known != box.Rect {
						t.Errorf("%s is at %+v, and at %+v", node, known, box.Rect)
					}
					places[node] = box.Rect
				}
				if picture.ViewBox != drawn[0].ViewBox {
					t.Errorf("the size of one picture is %s, and of another %s", drawn[0].ViewBox, picture.ViewBox)
				}
			}
			if len(drawn) < 3 || len(places) == len(p.Views[len(p.Views)-1].Graph.Nodes) {
				t.Errorf("the page has only %d pictures of %d boxes", len(drawn), len(places))
			}
		})
	}
}

// pagePictures reads the pictures of a page.
func pagePictures(t *testing.T, page string) []*picture {
	t.Helper()
	var list []*picture
	for _, part := range strings.Split(page, "<svg ")[1:] {
		p, err := readPicture([]byte("<svg " + part))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// TestPicturesHaveTheirOwnLines draws a stage that copies from different stages on
// different platforms. Each picture must have its own lines.
func TestPicturesHaveTheirOwnLines(t *testing.T) {
	dockerfile := []byte("FROM a AS first\nFROM b AS second\nFROM c AS app\nCOPY --for=linux/amd64 --from=first /x /\nCOPY --for=linux/arm64 --from=second /x /\nCOPY --for=linux/amd64 --from=first /y /\n")
	tests := []struct {
		platforms string
		want      []string
	}{
		{"linux/amd64,linux/arm64", []string{"stage:0 COPY 4, 6", "stage:1 COPY 5"}},
		{"linux/amd64", []string{"stage:0 COPY 4, 6"}},
		{"linux/arm64", []string{"stage:1 COPY 5"}},
	}
	var p draw.Page
	file := parse(t, dockerfile)
	for _, test := range tests {
		p.Views = append(p.Views, draw.View{Graph: drawingOf(t, file, test.platforms)})
	}
	pictures := pagePictures(t, writePage(t, &p))
	for i, test := range tests {
		t.Run(test.platforms, func(t *testing.T) {
			var lines []string
			for _, l := range pictures[i].Groups {
				if l.is("edge") && l.To == "stage:2" && strings.HasPrefix(l.From, "stage:") {
					lines = append(lines, l.From+" "+l.Texts[0].Text)
				}
			}
			if !slices.Equal(lines, test.want) {
				t.Errorf("lines %q, want %q", lines, test.want)
			}
		})
	}
}
