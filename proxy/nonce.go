package proxy

import (
	"bytes"
	"net/http"
	"strings"
)

// nonceOf gives the nonce by which a policy of the origin's own knows its scripts;
// empty where it has none. Ours need it too: a policy with a nonce does not
// believe in hosts where it has 'strict-dynamic', and the guard must run.
func nonceOf(h http.Header) string {
	for _, line := range h["Content-Security-Policy"] {
		for source := range strings.FieldsFuncSeq(line, endsSource) {
			if len(source) > len("'nonce-'") && strings.EqualFold(source[:len("'nonce-")], "'nonce-") {
				if nonce := strings.TrimSuffix(source[len("'nonce-"):], "'"); isNonce(nonce) {
					return nonce
				}
			}
		}
	}
	return ""
}

func endsSource(r rune) bool { return r == ' ' || r == '\t' || r == ';' || r == ',' }

// isNonce reports whether a nonce is what browsers take for one
// (Content Security Policy Level 3, "base64-value").
func isNonce(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=") == ""
}

// withNonce gives the elements of ours in a head that nonce. What is in there is
// ours alone.
func withNonce(head []byte, nonce string) []byte {
	if nonce == "" {
		return head
	}
	head = bytes.ReplaceAll(head, []byte("<script "), []byte(`<script nonce="`+nonce+`" `))
	return bytes.ReplaceAll(head, []byte("<link "), []byte(`<link nonce="`+nonce+`" `))
}
