package rewrite

import "bytes"

// prescan looks for a charset in the start of a page as browsers do.
// HTML Standard 13.2.3.3.
func prescan(head []byte) (name string, ok bool) {
	for i := 0; i < len(head); i++ {
		lt := bytes.IndexByte(head[i:], '<')
		if lt < 0 {
			return "", false
		}
		i += lt
		rest := head[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end := bytes.Index(rest[2:], []byte("-->"))
			if end < 0 {
				return "", false
			}
			i += 2 + end + 2
		case len(rest) > 1 && (isLetter(rest[1]) || rest[1] == '/' && len(rest) > 2 && isLetter(rest[2])):
			var t tagScan
			t.begin(1)
			if rest[1] == '/' {
				t.begin(2)
			}
			if !t.scan(rest) {
				return "", false
			}
			if !t.closing && t.tag == tagMeta {
				if name := metaName(&t, rest); name != "" {
					return name, true
				}
			}
			i += t.n - 1
		case len(rest) > 1 && (rest[1] == '!' || rest[1] == '/' || rest[1] == '?'):
			gt := bytes.IndexByte(rest, '>')
			if gt < 0 {
				return "", false
			}
			i += gt
		}
	}
	return "", false
}

// metaName gives the encoding a meta tag declares.
func metaName(t *tagScan, token []byte) string {
	value := func(id attrID) []byte {
		a, _ := t.get(id)
		return token[a.value:a.valueEnd]
	}
	if t.seen>>attrCharset&1 != 0 {
		return metaCharset(value(attrCharset))
	}
	if label, ok := charsetOf(value(attrContent)); ok && foldEqual(trim(value(attrHTTPEquiv)), "content-type") {
		return metaCharset(label)
	}
	return ""
}

// charsetOf takes the charset out of a content attribute. HTML Standard 2.6.5.
func charsetOf(content []byte) (label []byte, ok bool) {
	for {
		i := foldIndex(content, "charset")
		if i < 0 {
			return nil, false
		}
		content = trim(content[i+len("charset"):])
		if len(content) > 0 && content[0] == '=' {
			break
		}
	}
	content = trim(content[1:])
	if len(content) == 0 {
		return nil, false
	}
	if q := content[0]; q == '"' || q == '\'' {
		end := bytes.IndexByte(content[1:], q)
		if end < 0 {
			return nil, false
		}
		return content[1 : 1+end], true
	}
	if i := bytes.IndexAny(content, "; \t\n\f\r"); i >= 0 {
		content = content[:i]
	}
	return content, true
}
