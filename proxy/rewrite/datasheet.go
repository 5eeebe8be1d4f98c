package rewrite

import "bytes"

// askSheet withholds a style sheet in a data: URL that loads anything which is
// withheld, or that has sheets within sheets too deeply. attr is where the URL
// stands.
func (w *Writer) askSheet(url []byte, attr string) Action {
	if w.sheets == maxDepth {
		w.rules.Beyond("data: style sheet", w.at+int64(w.tok))
		return Withhold
	}
	body, ok := w.dataBody(url)
	if !ok {
		return Keep
	}
	w.sheets++
	defer func() { w.sheets-- }()
	if _, changed := w.rewriteCSS(nil, bytes.Clone(body), attr); changed {
		return Withhold
	}
	return Keep
}

// joined takes out of a URL the line breaks and tabs that a URL parser does not
// see (URL Standard 4.4), so that a scheme can be recognised.
func joined(url []byte) []byte {
	if bytes.IndexByte(url, '\n') < 0 && bytes.IndexByte(url, '\t') < 0 && bytes.IndexByte(url, '\r') < 0 {
		return url
	}
	out := make([]byte, 0, len(url))
	for _, c := range url {
		if c != '\n' && c != '\t' && c != '\r' {
			out = append(out, c)
		}
	}
	return out
}
