package rewrite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

type tokenizerTest struct {
	Description   string
	Input         string
	Output        []json.RawMessage
	InitialStates []string
	LastStartTag  string
	DoubleEscaped bool
}

// html5lib's tokenizer tests: tags with their attributes, comments and doctypes
// are found where they say, and every byte is passed on. Character tokens are
// not compared, for this package does not read text.
func TestHTML5LibTokenizer(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedData(t, "html5lib-tokenizer"), "*.test"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	cases, known := 0, 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var suite struct {
			Tests             []tokenizerTest
			XMLViolationTests []tokenizerTest
		}
		if err := json.Unmarshal(b, &suite); err != nil {
			t.Fatal(err)
		}
		for _, c := range append(suite.Tests, suite.XMLViolationTests...) {
			if c.InitialStates == nil {
				c.InitialStates = []string{"Data state"}
			}
			for _, state := range c.InitialStates {
				cases++
				if differsKnowingly(c, state) {
					known++
					continue
				}
				checkTokens(t, filepath.Base(file), c, state)
			}
		}
	}
	t.Logf("%d cases, %d of them known to differ", cases, known)
}

func checkTokens(t *testing.T, file string, c tokenizerTest, state string) {
	input := c.Input
	want := expectedTokens(t, c)
	if c.DoubleEscaped {
		input = unescapeTwice(t, input)
	}
	for _, size := range []int{atOnce, 1} {
		got, out := tokensOf(t, input, state, c.LastStartTag, size)
		if out != input {
			t.Errorf("%s %q: %q came out as %q", file, c.Description, input, out)
		}
		if size == atOnce && !slices.Equal(got, want) {
			t.Errorf("%s %q in %s: %q\ngot  %q\nwant %q", file, c.Description, state, input, got, want)
		}
	}
}

// tokensOf runs the scanner over input from one of the tokenizer's states.
func tokensOf(t *testing.T, input, state, last string, size int) (tokens []string, out string) {
	var buf bytes.Buffer
	w := NewWriter(&buf, &deny{quiet: true}, Options{Charset: "utf-8", Mode: Fragment})
	w.place.detect(false)
	w.setCharset("utf-8", true)
	switch state {
	case "PLAINTEXT state":
		w.mode = inPlain
	case "RCDATA state", "RAWTEXT state":
		w.mode, w.raw = inRaw, raw{name: last}
	case "Script data state":
		w.mode, w.raw = inScript, raw{name: last}
	case "CDATA section state":
		w.mode = inCDATA
	}
	w.trace = func(w *Writer, what mode, from, to int) {
		if size == atOnce {
			tokens = append(tokens, tokenOf(w, what, w.b[from:to])...)
		}
	}
	for i := 0; i < len(input); i += size {
		if _, err := w.Write([]byte(input[i:min(i+size, len(input))])); err != nil {
			t.Fatal(err)
		}
	}
	if size == atOnce && (w.mode == inComment || w.mode == inBogus || bytes.HasPrefix(w.carry, []byte("<!"))) {
		tokens = append(tokens, unfinishedComment(input[int(w.at)+w.tok:])...)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return tokens, buf.String()
}

func tokenOf(w *Writer, what mode, b []byte) []string {
	text := string(b)
	switch what {
	case inTag:
		return []string{tagToken(b)}
	case inComment:
		if text == "<!-->" || text == "<!--->" {
			return []string{"comment "}
		}
		text = strings.TrimSuffix(strings.TrimSuffix(text[len("<!--"):], "-->"), "--!>")
		return []string{"comment " + normal(text)}
	case inBogus:
		return bogusComment(strings.TrimSuffix(text, ">"))
	}
	return nil
}

func bogusComment(text string) []string {
	switch {
	case hasFoldPrefix(text, "<!doctype"):
		return []string{"doctype"}
	case text == "</":
		return nil // no token at all
	case strings.HasPrefix(text, "<?"):
		return []string{"comment " + normal(text[1:])}
	}
	return []string{"comment " + normal(text[2:])}
}

// unfinishedComment is what the end of the input makes of a comment.
func unfinishedComment(text string) []string {
	rest, ok := strings.CutPrefix(text, "<!--")
	if !ok {
		return bogusComment(text)
	}
	for _, end := range []string{"--!", "--", "-"} {
		if cut, ok := strings.CutSuffix(rest, end); ok {
			rest = cut
			break
		}
	}
	return []string{"comment " + normal(rest)}
}

func tagToken(b []byte) string {
	t := tagScan{all: true}
	t.begin(1)
	if b[1] == '/' {
		t.begin(2)
		t.scan(b)
		return "end " + lowerASCII(normal(string(b[2:t.nameEnd])))
	}
	t.all = true
	t.scan(b)
	attrs := map[string]string{}
	for _, a := range t.attrs {
		name := lowerASCII(normal(string(b[a.name:a.nameEnd])))
		if _, dup := attrs[name]; !dup {
			attrs[name] = string(appendDecoded(nil, b[a.value:a.valueEnd]))
		}
	}
	return startToken(lowerASCII(normal(string(b[1:t.nameEnd]))), attrs, t.selfEnd)
}

func startToken(name string, attrs map[string]string, selfEnd bool) string {
	return fmt.Sprintf("start %s %q %v", name, attrs, selfEnd)
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

// normal is what the input stream and the tokenizer do to all text.
func normal(s string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(s)
}

func expectedTokens(t *testing.T, c tokenizerTest) (tokens []string) {
	for _, raw := range c.Output {
		var token []any
		if err := json.Unmarshal(raw, &token); err != nil {
			t.Fatal(err)
		}
		str := func(i int) string {
			s, _ := token[i].(string)
			if c.DoubleEscaped {
				s = unescapeTwice(t, s)
			}
			return s
		}
		switch token[0] {
		case "StartTag":
			attrs := map[string]string{}
			for k, v := range token[2].(map[string]any) {
				if c.DoubleEscaped {
					k, v = unescapeTwice(t, k), unescapeTwice(t, v.(string))
				}
				attrs[k] = v.(string)
			}
			tokens = append(tokens, startToken(str(1), attrs, len(token) > 3))
		case "EndTag":
			tokens = append(tokens, "end "+str(1))
		case "Comment":
			tokens = append(tokens, "comment "+str(1))
		case "DOCTYPE":
			tokens = append(tokens, "doctype")
		}
	}
	return tokens
}

// unescapeTwice resolves the \uXXXX that is left after JSON; a lone surrogate,
// which no byte stream can hold, becomes U+FFFD.
func unescapeTwice(t *testing.T, s string) string {
	var units []uint16
	for len(s) > 0 {
		if strings.HasPrefix(s, `\u`) {
			u, err := strconv.ParseUint(s[2:6], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			units = append(units, uint16(u))
			s = s[6:]
			continue
		}
		r := []rune(s)[0]
		units = utf16.AppendRune(units, r)
		s = s[len(string(r)):]
	}
	return string(utf16.Decode(units))
}

// differsKnowingly lists where this scanner reads differently than the
// tokenizer alone, and why.
func differsKnowingly(c tokenizerTest, state string) bool {
	switch c.Description {
	case "lowercase endtags":
		// Only a script brings this scanner into the state, so only </script>
		// leaves it. Nothing is let through.
		return state == "Script data state" && c.LastStartTag != "script"
	case "Double hyphen in comment":
		// Expects what an XML tree would hold. The comment ends in the same place.
		return true
	}
	return false
}
