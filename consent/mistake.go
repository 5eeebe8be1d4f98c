package consent

import "strings"

// A Mistake is one thing wrong in a configuration. Every room's Config has a
// Check method that looks, changes nothing, and returns all its mistakes joined
// with [errors.Join]; the command that read the file adds file, line and column.
type Mistake struct {
	Field   string // path within the Config: "sites[0].notice.revision"; empty: the whole
	Problem string // what is wrong: `"statistic" is not a purpose`
	Cure    string // what to do about it: "use necessary, preferences, statistics or marketing"
}

func (m Mistake) Error() string {
	var b strings.Builder
	if m.Field != "" {
		b.WriteString(m.Field + ": ")
	}
	b.WriteString(m.Problem)
	if m.Cure != "" {
		b.WriteString("; " + m.Cure)
	}
	return b.String()
}
