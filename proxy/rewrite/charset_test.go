package rewrite

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func encoded(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCharsets(t *testing.T) {
	const page = `<!doctype html><title>日本</title><script src="//evil.example/あ"></script><p>日本語</p>`
	const want = `<!doctype html><title>日本</title><p>日本語</p>`
	utf16 := func(e unicode.Endianness, b unicode.BOMPolicy) encoding.Encoding { return unicode.UTF16(e, b) }
	for _, c := range []struct {
		name, label string
		enc         encoding.Encoding
		before      string // what is put before the page
	}{
		{"utf-8 by header", "UTF-8", encoding.Nop, ""},
		{"utf-8 by mark", "", encoding.Nop, "\uFEFF"},
		{"utf-8 by meta", "", encoding.Nop, "<meta charset=utf-8>"},
		{"nothing said", "", encoding.Nop, ""},
		{"utf-16 by header", "utf-16", utf16(unicode.LittleEndian, unicode.IgnoreBOM), ""},
		{"utf-16be by header", "UTF-16BE", utf16(unicode.BigEndian, unicode.IgnoreBOM), ""},
		{"utf-16 by mark", "", utf16(unicode.LittleEndian, unicode.UseBOM), ""},
		{"utf-16be by mark, which beats the header", "utf-8", utf16(unicode.BigEndian, unicode.UseBOM), ""},
		{"iso-2022-jp by header", "iso-2022-jp", japanese.ISO2022JP, ""},
		{"iso-2022-jp by meta", "", japanese.ISO2022JP, `<meta http-equiv=content-type content="text/html; charset=iso-2022-jp">`},
		{"shift_jis", "shift_jis", japanese.ShiftJIS, ""},
		{"gb18030", "", simplifiedchinese.GB18030, "<meta charset=gb18030>"},
	} {
		for _, size := range []int{1, 7, atOnce} {
			in, out := encoded(t, c.enc, c.before+page), encoded(t, c.enc, c.before+want)
			got := rewritten(t, in, &deny{quiet: true, words: []string{"evil"}}, Options{Charset: c.label}, size)
			if got != out {
				t.Errorf("%s in pieces of %d: got %q, want %q", c.name, size, got, out)
			}
		}
	}
}

// What is inserted is readable in the page's charset.
func TestInsertsAreEncoded(t *testing.T) {
	rules := func() *deny { return &deny{inserts: map[Place]string{BodyStart: "<p>ä€"}} }
	for label, want := range map[string]string{
		"utf-8":        "<body><p>ä€",
		"windows-1252": "<body><p>&#228;&#8364;",
		"":             "<body><p>&#228;&#8364;",
		"utf-16le":     encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "<body><p>ä€"),
	} {
		in := "<body>"
		if label == "utf-16le" {
			in = encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), in)
		}
		if got := rewritten(t, in, rules(), Options{Charset: label}, atOnce); got != want {
			t.Errorf("%q: got %q, want %q", label, got, want)
		}
	}
}

func TestCharsetUnknown(t *testing.T) {
	for _, label := range []string{"utf-7", "hz-gb-2312", "iso-2022-kr", "klingon", "utf-32"} {
		var out bytes.Buffer
		w := NewWriter(&out, &deny{}, Options{Charset: label})
		_, err := io.WriteString(w, "<p>a page</p>")
		if !errors.Is(err, ErrCharset) {
			t.Errorf("%s: got %v, want ErrCharset", label, err)
		}
		if err := w.Close(); !errors.Is(err, ErrCharset) {
			t.Errorf("%s: Close gave %v, want ErrCharset", label, err)
		}
		if out.Len() > 0 {
			t.Errorf("%s: passed on %q", label, out.String())
		}
	}
}

// A browser that finds another charset late starts over with it.
func TestLateCharset(t *testing.T) {
	page := strings.Repeat(" ", maxPrescan) + "<meta charset=iso-2022-jp><meta charset=utf-8><p>x"
	rules := &deny{}
	if got := rewritten(t, page, rules, Options{}, atOnce); strings.Contains(got, "2022") || !strings.Contains(got, "utf-8") || rules.beyond != 1 {
		t.Errorf("got %q, log %q", strings.TrimSpace(got), rules.log)
	}
}

// In some charsets the second byte of a character looks like a backslash.
func TestTrailBytes(t *testing.T) {
	page := encoded(t, japanese.ShiftJIS, `<style>a{content:"ソ";background:url(//evil.example)}</style>`)
	got := rewritten(t, page, &deny{words: []string{"evil"}}, Options{Charset: "shift_jis"}, atOnce)
	if strings.Contains(got, "evil") {
		t.Errorf("got %q", got)
	}
}

func TestPrescan(t *testing.T) {
	for head, want := range map[string]string{
		`<meta charset="UTF-8">`:                                                      "utf-8",
		`<META CharSet = latin1>`:                                                     "windows-1252",
		`<!-- <meta charset=koi8-r> --><meta charset=utf-8>`:                          "utf-8",
		`<meta http-equiv="Content-Type" content="text/html;charset = 'shift_jis' ">`: "shift_jis",
		`<meta content="text/html; charset=euc-kr;x" http-equiv=content-type>`:        "euc-kr",
		`<meta name=x content="charset=utf-8">`:                                       "",
		`<meta charset=utf-16le>`:                                                     "utf-8",
		`<meta charset=klingon><meta charset=big5>`:                                   "big5",
		`<a title="<meta charset=big5>">`:                                             "",
		`<meta charset=`:                                                              "",
		`<?x <meta charset=big5>?></ x><meta charset=gbk>`:                            "gbk",
	} {
		if got, _ := prescan([]byte(head)); got != want {
			t.Errorf("%s: got %q, want %q", head, got, want)
		}
	}
}
