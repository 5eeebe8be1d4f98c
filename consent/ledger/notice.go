package ledger

import (
	"crypto/sha256"
	"fmt"
)

// A Notice is what visitors were shown, whole.
type Notice struct {
	Hash     string // hex SHA-256 of Body; receipts name the notice by it
	Revision string
	Language string // BCP 47
	Body     []byte
}

// NewNotice makes a notice with its hash.
func NewNotice(revision, language string, body []byte) Notice {
	return Notice{
		Hash: Digest(sha256.Sum256(body)).String(), Revision: revision, Language: language, Body: body,
	}
}

// Check says whether the hash is that of the body and the rest is there.
func (n Notice) Check() error {
	if want := Digest(sha256.Sum256(n.Body)).String(); n.Hash != want {
		return fmt.Errorf("check notice %q: its hash is %s", n.Hash, want)
	}
	if err := checkText("revision", n.Revision); err != nil {
		return fmt.Errorf("check notice %s: %w", n.Hash, err)
	}
	if err := checkText("language", n.Language); err != nil {
		return fmt.Errorf("check notice %s: %w", n.Hash, err)
	}
	return nil
}
