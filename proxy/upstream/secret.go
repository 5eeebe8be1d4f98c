package upstream

import (
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"strings"
)

// A Secret is a header by which the origin knows the gateway, so that it can
// refuse everybody else. Visitors cannot send it, and it is not sent back to
// them. The value is in a file or in the environment, never in the
// configuration.
type Secret struct {
	Header string `yaml:"header"` // such as X-Origin-Secret
	File   string `yaml:"file"`   // its first line is the value
	Env    string `yaml:"env"`    // or the variable that holds it
}

// shortestSecret is what nobody guesses over a network.
const shortestSecret = 16

func (s Secret) check(add adder) {
	if s == (Secret{}) {
		return
	}
	switch name := textproto.CanonicalMIMEHeaderKey(s.Header); {
	case s.Header == "":
		add("secret.header", "the secret has no header", "name one such as X-Origin-Secret")
	case !token(s.Header) || strings.Contains(s.Header, "_"):
		add("secret.header", fmt.Sprintf("%q is not a header's name", s.Header), "use letters, digits and hyphens")
	case forged(name) || endToEnd(name) || hopSet(nil).has(name):
		add("secret.header", fmt.Sprintf("%s has a meaning of its own", name), "use a name such as X-Origin-Secret")
	}
	if (s.File == "") == (s.Env == "") {
		add("secret", "the value is to come from file or from env", "name one of them")
		return
	}
	if _, err := s.read(); err != nil {
		field := "secret.file"
		if s.Env != "" {
			field = "secret.env"
		}
		add(field, err.Error(), "make one with: openssl rand -hex 32")
	}
}

// read gives the value; its errors do not show it.
func (s Secret) read() (string, error) {
	if s.Header == "" {
		return "", nil
	}
	value := os.Getenv(s.Env)
	if s.File != "" {
		text, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		value, _, _ = strings.Cut(string(text), "\n")
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "" && s.File == "":
		return "", fmt.Errorf("the environment variable %s is not set", s.Env)
	case len(value) < shortestSecret:
		return "", fmt.Errorf("the secret has less than %d characters", shortestSecret)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("the secret holds something other than visible ASCII")
	}
	return value, nil
}

// token reports whether s could be a header's name of letters, digits, hyphens
// and underscores.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
