package ledger

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A line is one line of an export: one of its fields is set.
type line struct {
	Export *wireExport `json:"export,omitempty"`
	Notice *wireNotice `json:"notice,omitempty"`
	Chain  *wireChain  `json:"chain,omitempty"`
	Entry  *wireEntry  `json:"entry,omitempty"`
	Count  *wireCount  `json:"count,omitempty"`
	End    *wireEnd    `json:"end,omitempty"`
}

type wireExport struct {
	Schema string `json:"schema"`
}

type wireNotice struct {
	Hash     string `json:"sha256"`
	Revision string `json:"revision"`
	Language string `json:"language"`
	Body     []byte `json:"body"` // base64
}

type wireChain struct {
	Gateway  string `json:"gateway"`
	BaseSeq  uint64 `json:"base_seq"`
	BaseHash Digest `json:"base_hash"`
}

type wireEntry struct {
	Gateway string          `json:"gateway"`
	Seq     uint64          `json:"seq"`
	Time    time.Time       `json:"time"`
	Kind    Kind            `json:"kind"`
	Digest  Digest          `json:"digest"`
	Prev    Digest          `json:"prev"`
	Hash    Digest          `json:"hash"`
	Salt    string          `json:"salt,omitempty"`    // base64
	Payload json.RawMessage `json:"payload,omitempty"` // the body, as it is; absent once erased
}

type wireCount struct {
	Day      string          `json:"day"`
	Gateway  string          `json:"gateway"`
	Site     string          `json:"site"`
	Language string          `json:"language"`
	Event    Event           `json:"event"`
	Method   Method          `json:"method"`
	Signal   string          `json:"signal"`
	Purpose  consent.Purpose `json:"purpose"`
	N        int64           `json:"n"`
}

// wireEnd is the last line: without it the export was cut.
type wireEnd struct {
	Entries uint64 `json:"entries"`
}

// Export writes everything in s as JSON lines: the notices, each chain from its
// base to its head, the counts. It holds one record at a time. What Export
// writes Import reads; two exports of the same ledger are the same bytes.
func Export(ctx context.Context, s Store, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	e := exporter{json.NewEncoder(buffered), 0}
	e.SetEscapeHTML(false)
	if err := e.all(ctx, s); err != nil {
		return fmt.Errorf("export ledger: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("export ledger: %w", err)
	}
	return nil
}

type exporter struct {
	*json.Encoder
	entries uint64
}

func (e *exporter) all(ctx context.Context, s Store) error {
	if err := e.Encode(line{Export: &wireExport{Schema}}); err != nil {
		return err
	}
	err := s.Notices(ctx, func(n Notice) error {
		return e.Encode(line{Notice: &wireNotice{n.Hash, n.Revision, n.Language, n.Body}})
	})
	if err != nil {
		return err
	}
	chains, err := s.Chains(ctx)
	if err != nil {
		return err
	}
	for _, c := range chains {
		if err := e.chain(ctx, s, c); err != nil {
			return err
		}
	}
	err = s.Counts(ctx, func(c Count) error {
		return e.Encode(line{Count: &wireCount{
			c.Day, c.Gateway, c.Site, c.Language, c.Event, c.Method, c.Signal, c.Purpose, c.N,
		}})
	})
	if err != nil {
		return err
	}
	return e.Encode(line{End: &wireEnd{e.entries}})
}

func (e *exporter) chain(ctx context.Context, s Store, c Chain) error {
	if err := e.Encode(line{Chain: &wireChain{c.Gateway, c.Base.Seq, c.Base.Hash}}); err != nil {
		return err
	}
	return s.Walk(ctx, c.Gateway, c.Base.Seq, func(l Link) error {
		w := wireEntry{
			Gateway: l.Gateway, Seq: l.Seq, Time: l.Time, Kind: l.Kind, Digest: l.Digest, Prev: l.Prev, Hash: l.Hash,
		}
		if l.Payload != nil {
			w.Salt = base64.StdEncoding.EncodeToString(l.Payload.Salt[:])
			w.Payload = l.Payload.Body
		}
		e.entries++
		return e.Encode(line{Entry: &w})
	})
}
