package catalog

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// A factor is literal text every match of a regular expression contains.
type factor struct {
	texts  []string // a match contains one of them, after before bytes
	fold   bool     // in whatever case; texts are in lower case
	before int      // -1: not the same for all matches
	word   bool     // a match begins at a word boundary that the expression does not see
	then   string   // what follows the text, white space left out
}

// factored reports whether each alternative of an expression has a factor.
func factored(tree *syntax.Regexp) bool {
	return !slices.ContainsFunc(branches(tree.Simplify()), func(branch *syntax.Regexp) bool {
		return bestFactor(branch).value() == 0
	})
}

// anchored reports whether an expression asks where a text begins or ends.
func anchored(re *syntax.Regexp) bool {
	return re.Op == syntax.OpBeginText || re.Op == syntax.OpEndText || slices.ContainsFunc(re.Sub, anchored)
}

// branches lists the alternatives of an expression. The parser writes
// __cmp|__uspapi as __(?:cmp|uspapi); that is taken apart again.
func branches(re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpAlternate:
		var all []*syntax.Regexp
		for _, sub := range re.Sub {
			all = append(all, branches(sub)...)
		}
		return all
	case syntax.OpCapture:
		return branches(re.Sub[0])
	case syntax.OpConcat:
		last := len(re.Sub) - 1
		if re.Sub[last].Op == syntax.OpAlternate {
			return distribute(re.Sub[:last], re.Sub[last].Sub)
		}
	}
	return []*syntax.Regexp{re}
}

func distribute(head, tails []*syntax.Regexp) []*syntax.Regexp {
	var all []*syntax.Regexp
	for _, tail := range tails {
		nodes := slices.Clone(head)
		if tail.Op == syntax.OpConcat {
			nodes = append(nodes, tail.Sub...)
		} else {
			nodes = append(nodes, tail)
		}
		all = append(all, &syntax.Regexp{Op: syntax.OpConcat, Flags: syntax.Perl, Sub: nodes})
	}
	return all
}

// bestFactor looks for the factor that is least likely to be found by chance and
// easiest to compare around. It is the zero factor where there is none.
func bestFactor(re *syntax.Regexp) (best factor) {
	nodes := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		nodes = re.Sub
	}
	word := nodes[0].Op == syntax.OpWordBoundary
	before, most := 0, 0
	if looksBehind(nodes) {
		before = -1
	}
	for i, n := range nodes {
		run := runOf(nodes[i:])
		run.before, run.word = before, word
		if v := run.value(); v > most {
			best, most = run, v
		}
		if w := width(n); w < 0 || before < 0 {
			before = -1
		} else {
			before += w
		}
	}
	return best
}

// value rates a factor: zero is none that can be used. Long texts are rarely
// found by chance; where a match begins at a known place, it is compared in no
// time.
func (f factor) value() int {
	if len(f.texts) == 0 {
		return 0
	}
	shortest := len(slices.MinFunc(f.texts, func(a, b string) int { return len(a) - len(b) }))
	if shortest < 2 {
		return 0
	}
	v := 64 + 4*min(shortest, 12) + 2*min(len(f.then), 4) - min(len(f.texts), 8)
	if f.before >= 0 {
		v += 16
	}
	if strings.Contains(everyday, f.texts[0]) {
		v -= 24
	}
	return v
}

// looksBehind reports whether a match begins with a condition on what is before
// it that factor.word does not stand for.
func looksBehind(nodes []*syntax.Regexp) bool {
	if nodes[0].Op == syntax.OpWordBoundary {
		nodes = nodes[1:]
	}
	for _, n := range nodes {
		if conditional(n) {
			return true
		}
		if width(n) != 0 {
			return false
		}
	}
	return false
}

func conditional(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText:
		return true
	}
	return slices.ContainsFunc(re.Sub, conditional)
}

// maxTexts bounds the alternatives of a factor.
const maxTexts = 32

// runOf joins the longest run of nodes at the start of the list of which it is
// known exactly what they match.
func runOf(nodes []*syntax.Regexp) factor {
	run := factor{texts: []string{""}}
	for i, n := range nodes {
		texts, fold := exact(n)
		if texts == nil || len(run.texts)*len(texts) > maxTexts {
			if sameLength(run.texts) {
				run.then = skeleton(nodes[i:])
			}
			break
		}
		run.texts, run.fold = cross(run.texts, texts), run.fold || fold
	}
	if run.fold {
		for i, t := range run.texts {
			run.texts[i] = string(lowerASCII(t))
		}
	}
	return run
}

// skeleton returns the characters that the nodes at the start of the list match,
// as far as they are plain and only white space is between them.
func skeleton(nodes []*syntax.Regexp) string {
	var text []rune
	for _, n := range nodes {
		switch {
		case n.Op == syntax.OpLiteral && n.Flags&syntax.FoldCase == 0:
			text = append(text, n.Rune...)
		case (n.Op == syntax.OpStar || n.Op == syntax.OpPlus) && whiteClass(n.Sub[0]):
		default:
			return noWhite(text)
		}
	}
	return noWhite(text)
}

func whiteClass(re *syntax.Regexp) bool {
	if re.Op != syntax.OpCharClass {
		return false
	}
	for _, r := range re.Rune {
		if r > ' ' || !white(byte(r)) {
			return false
		}
	}
	return true
}

func noWhite(text []rune) string {
	return string(slices.DeleteFunc(text, func(r rune) bool { return r <= ' ' && white(byte(r)) }))
}

func sameLength(texts []string) bool {
	return !slices.ContainsFunc(texts, func(t string) bool { return len(t) != len(texts[0]) })
}

// exact lists all that re matches, if that is few; nil: it is not.
func exact(re *syntax.Regexp) (texts []string, fold bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, re.Flags&syntax.FoldCase != 0
	case syntax.OpCharClass:
		return exactClass(re.Rune), false
	case syntax.OpEmptyMatch, syntax.OpWordBoundary:
		return []string{""}, false
	case syntax.OpCapture:
		return exact(re.Sub[0])
	case syntax.OpQuest:
		texts, fold = exact(re.Sub[0])
		if texts == nil {
			return nil, false
		}
		return append([]string{""}, texts...), fold
	case syntax.OpConcat, syntax.OpAlternate:
		return exactSubs(re)
	}
	return nil, false
}

func exactSubs(re *syntax.Regexp) (texts []string, fold bool) {
	if re.Op == syntax.OpConcat {
		texts = []string{""}
	}
	for _, sub := range re.Sub {
		t, f := exact(sub)
		if t == nil || len(texts)*len(t) > maxTexts || len(texts)+len(t) > maxTexts {
			return nil, false
		}
		fold = fold || f
		if re.Op == syntax.OpConcat {
			texts = cross(texts, t)
		} else {
			texts = append(texts, t...)
		}
	}
	return texts, fold
}

// exactClass lists a class of at most four characters.
func exactClass(ranges []rune) (texts []string) {
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(texts) == 4 {
				return nil
			}
			texts = append(texts, string(r))
		}
	}
	return texts
}

func cross(a, b []string) []string {
	all := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			all = append(all, x+y)
		}
	}
	return all
}

// width is the number of bytes re matches, -1 if that differs.
func width(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass:
		if len(re.Rune) > 0 && re.Rune[len(re.Rune)-1] < 0x80 {
			return 1
		}
		return -1
	case syntax.OpEmptyMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return 0
	case syntax.OpCapture:
		return width(re.Sub[0])
	case syntax.OpConcat:
		return widthOfAll(re.Sub)
	case syntax.OpAlternate:
		w := width(re.Sub[0])
		if slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return width(sub) != w }) {
			return -1
		}
		return w
	}
	return -1
}

func widthOfAll(subs []*syntax.Regexp) int {
	sum := 0
	for _, sub := range subs {
		w := width(sub)
		if w < 0 {
			return -1
		}
		sum += w
	}
	return sum
}

func lowerASCII(s string) []byte {
	lower := []byte(s)
	for i, c := range lower {
		lower[i] = lowered(c)
	}
	return lower
}
