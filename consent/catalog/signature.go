package catalog

import (
	"regexp"
	"regexp/syntax"

	"github.com/numfocus/consentgate/consent"
)

// A signature is one alternative of an inline-script signature, ready to be
// compared where one of its literals was found.
type signature struct {
	consent.Signature
	service *consent.Service
	re      *regexp.Regexp
	factor
}

// How far around a literal a match is looked for. A signature is a few dozen
// characters; what is spread wider is not worth reading a large script again.
const (
	lookBehind = 200
	lookAhead  = 300
)

// matches reports whether the signature matches around a literal found at at.
// It fails fast: nearly all occurrences of a literal like "(function" are those
// of something else, and what follows tells.
func (g *signature) matches(text []byte, at int) bool {
	if g.then != "" && !g.followed(text, at) {
		return false
	}
	end := min(len(text), at+lookAhead)
	if g.before < 0 {
		return g.re.Match(text[max(0, at-lookBehind):end])
	}
	start := at - g.before
	if start < 0 || g.word && start > 0 && wordByte(text[start-1]) {
		return false
	}
	return g.re.Match(text[start:end])
}

// followed reports whether what follows the literal at at is g.then, white space
// left out.
func (g *signature) followed(text []byte, at int) bool {
	rest := text[at+len(g.texts[0]):]
	for _, want := range []byte(g.then) {
		for len(rest) > 0 && white(rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] != want {
			return false
		}
		rest = rest[1:]
	}
	return true
}

func white(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func wordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// newSignatures splits an expression into its alternatives, each with its best
// factor.
func newSignatures(s consent.Signature, of *consent.Service) ([]*signature, error) {
	tree, err := syntax.Parse(s.Pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	var list []*signature
	for _, branch := range branches(tree.Simplify()) {
		f := bestFactor(branch)
		expr := branch.String()
		if f.before >= 0 {
			expr = `\A(?:` + expr + `)`
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, err
		}
		list = append(list, &signature{Signature: s, service: of, re: re, factor: f})
	}
	return list, nil
}
