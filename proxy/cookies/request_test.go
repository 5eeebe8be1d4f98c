package cookies

import (
	"slices"
	"strings"
	"testing"
)

func tracker(name string) bool { return strings.HasPrefix(name, "_g") || name == "" }

func TestFilterRequest(t *testing.T) {
	for _, test := range []struct {
		name    string
		lines   []string
		value   string
		dropped []string
	}{
		{"nothing", nil, "", nil},
		{"untouched keeps its bytes", []string{"a=1;b=2 ;  c=3;"}, "a=1;b=2 ;  c=3;", nil},
		{"first", []string{"_ga=1; a=2"}, "a=2", []string{"_ga"}},
		{"middle", []string{"a=1; _ga=GA1.2.3; b=2"}, "a=1; b=2", []string{"_ga"}},
		{"last", []string{"a=1; _gid=2"}, "a=1", []string{"_gid"}},
		{"all", []string{"_ga=1; _gid=2"}, "", []string{"_ga", "_gid"}},
		{"repeated", []string{"_ga=1; _ga=2; _gid=3"}, "", []string{"_ga", "_gid"}},
		{"several lines", []string{"a=1", "_ga=2; b=3", "_gid=1", "c=4"}, "a=1; b=3; c=4", []string{"_ga", "_gid"}},
		{"repeated names keep their order", []string{"s=2; s=1; _ga=1"}, "s=2; s=1", []string{"_ga"}},
		{"JSON", []string{`j={"a":"b, c","d":[1,2]}; _ga=1`}, `j={"a":"b, c","d":[1,2]}`, []string{"_ga"}},
		{"quotes", []string{`q="x y"; _ga="1"`}, `q="x y"`, []string{"_ga"}},
		{"quotes protect nothing", []string{`q="x; _ga=1; y"`}, `q="x`, []string{"_ga", ""}},
		{"half a quote", []string{`q=a"b; _ga=1`}, `q=a"b`, []string{"_ga"}},
		{"old version attribute", []string{`$Version=1; a=1; $Path=/; _ga=1`}, `$Version=1; a=1; $Path=/`, []string{"_ga"}},
		{"equals sign in the value", []string{"a==; b=c=d; _ga=1"}, "a==; b=c=d", []string{"_ga"}},
		{"no value", []string{"a=; _ga="}, "a=", []string{"_ga"}},
		{"nameless", []string{"a=1; lonely; =v; b=2"}, "a=1; b=2", []string{""}},
		{"empty pairs", []string{"; ;a=1;; _ga=1;"}, "a=1", []string{"_ga"}},
		{"only separators", []string{" ; ;; "}, "", nil},
		{"space around the name", []string{"\t_ga = 1;a = 2"}, "a = 2", []string{"_ga"}},
		{"names are case-sensitive", []string{"_GA=1; _ga=2"}, "_GA=1", []string{"_ga"}},
		{"bytes beyond ASCII", []string{"n=\xff\xfe; ä=ö; _ga=1"}, "n=\xff\xfe; ä=ö", []string{"_ga"}},
		{"a name inside a value", []string{"a=_ga; _ga=1"}, "a=_ga", []string{"_ga"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			value, dropped := FilterRequest(test.lines, tracker)
			if value != test.value || !slices.Equal(dropped, test.dropped) {
				t.Errorf("FilterRequest(%q) = %q, %q; want %q, %q", test.lines, value, dropped, test.value, test.dropped)
			}
		})
	}
}

func FuzzFilterRequest(f *testing.F) {
	f.Add("a=1; _ga=2; b=3", "_ga=1")
	f.Add(`; "=;=;_g`, " ")
	f.Fuzz(func(t *testing.T, a, b string) {
		value, dropped := FilterRequest([]string{a, b}, tracker)
		if !subsequence(spaceless(value), spaceless(a+";"+b)) {
			t.Errorf("%q, %q: %q is no subsequence", a, b, value)
		}
		again, left := FilterRequest([]string{value}, tracker)
		if again != value || len(left) > 0 {
			t.Errorf("%q still held %q", value, left)
		}
		if len(dropped) == 0 && b == "" && value != a && strings.Trim(a, "; \t") != "" {
			t.Errorf("%q: nothing dropped, yet changed to %q", a, value)
		}
	})
}

func spaceless(s string) string { return strings.ReplaceAll(s, " ", "") }

// subsequence reports whether s is what remains of whole after bytes are removed.
func subsequence(s, whole string) bool {
	for _, b := range []byte(s) {
		i := strings.IndexByte(whole, b)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

func BenchmarkFilterRequest(b *testing.B) {
	lines := []string{"wordpress_logged_in_0=a|1|b; PHPSESSID=0123456789; _ga=GA1.2.3.4; _gid=GA1.2.3; wp-settings-1=a%3Db"}
	b.ReportAllocs()
	for b.Loop() {
		FilterRequest(lines, tracker)
	}
}
