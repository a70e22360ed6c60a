//go:build browser

package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"path/filepath"
	"slices"
	"testing"
)

// takePictures takes the pictures that docs shows: how the page begins, and the map of
// two buckets.
func takePictures(t *testing.T, html []byte) {
	t.Helper()
	p := openTab(t)
	p.open(t, html)
	for _, scheme := range []string{"light", "dark"} {
		p.show(t, 1200, "screen", scheme)
		keep(t, p, "audit-page-"+scheme, "[0, document.querySelector('#buckets').getBoundingClientRect().bottom + 20]")
		keep(t, p, "delivery-map-"+scheme, `[document.querySelector("#maps").getBoundingClientRect().top - 20,
			document.querySelectorAll("#maps .map")[2].getBoundingClientRect().bottom + 8]`)
	}
}

// keep takes a picture of the page between two heights, for docs.
func keep(t *testing.T, p *tab, name, heights string) {
	t.Helper()
	var between [2]float64
	p.evaluate(t, heights, &between)
	picture, err := png.Decode(bytes.NewReader(p.part(t, between[0], between[1])))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&small, fewColours(picture)); err != nil {
		t.Fatal(err)
	}
	if small.Len() > 200_000 {
		t.Errorf("the picture %s has %d bytes: too many for docs", name, small.Len())
	}
	write(t, filepath.Join("..", "..", "docs", name+".png"), small.Bytes())
}

// fewColours returns the picture in its 256 most frequent colours. The others
// are shades at the edges of letters.
func fewColours(picture image.Image) image.Image {
	area := picture.Bounds()
	pixels := map[color.Color]int{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			pixels[picture.At(x, y)]++
		}
	}
	var palette color.Palette
	for c := range pixels {
		palette = append(palette, c)
	}
	// Equally frequent ones by their value: the same page gives the same file.
	slices.SortFunc(palette, func(a, b color.Color) int {
		if d := pixels[b] - pixels[a]; d != 0 {
			return d
		}
		return number(a) - number(b)
	})
	few := image.NewPaletted(area, palette[:min(len(palette), 256)])
	draw.Draw(few, area, picture, area.Min, draw.Src)
	return few
}

func number(c color.Color) int {
	r, g, b, _ := c.RGBA()
	return int(r>>8)<<16 | int(g>>8)<<8 | int(b>>8)
}
