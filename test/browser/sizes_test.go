//go:build browser

package browser

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSizes looks at pages with few and many buckets: none may be so high that nobody
// reads to its end, nor too wide, nor hard to read.
func TestSizes(t *testing.T) {
	folder := t.TempDir()
	args := []string{"test", "../../pkg/cli", "-count=1", "-run", "^TestPage(Sizes|OfAnOrganization)$", "-pages", folder}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct {
		buckets, high, onPhone, sheets int // pixels, and sheets of paper; 0: it is not printed, which takes minutes
	}{
		"1":       {1, 2_600, 4_800, 4},
		"30":      {30, 10_000, 17_000, 14},
		"500":     {500, 12_000, 22_000, 80},
		"5000":    {5000, 12_000, 22_000, 0},
		"500-bad": {500, 12_000, 22_000, 80},
		// 40 and 1,000 accounts beside the three of every organization.
		"organization-40":   {5, 4_500, 8_500, 8},
		"organization-1000": {101, 5_500, 10_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := openTab(t)
			if asked := p.open(t, read(t, filepath.Join(folder, name+".html"))); len(asked) != 1 {
				t.Errorf("the page is not all there is: Chromium asked for %q", asked)
			}
			for _, v := range []view{views()[0], views()[3]} { // light, and dark on a phone
				t.Run(v.name, func(t *testing.T) {
					p.show(t, v.width, v.media, v.scheme)
					var got seen
					p.evaluate(t, string(read(t, filepath.Join("testdata", "inspect.js"))), &got)
					if most := map[bool]int{true: c.onPhone, false: c.high}[v.width < 600]; got.Height > most {
						t.Errorf("%d px high, want at most %d", got.Height, most)
					}
					t.Logf("%d px high", got.Height)
					if len(got.Rows) != c.buckets || len(got.Map) != c.buckets {
						t.Errorf("%d buckets in the table, %d on maps, want %d", len(got.Rows), len(got.Map), c.buckets)
					}
					for _, element := range append(got.Faint, got.Wide...) {
						t.Errorf("hard to read, or too wide: %s", element)
					}
					checkPicture(t, p.picture(t), v)
				})
			}
			if c.sheets > 0 {
				p.show(t, 794, "print", "light")
				checkPaper(t, p, c.sheets)
			}
		})
	}
}
