package ledger

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Imported says what an import read. What was there already counts too.
type Imported struct {
	Notices, Entries, Counts uint64
}

// batch is how many records Import stores at a time.
const batch = 500

// Import stores what Export wrote. What is there already is skipped, so that an
// import that was cut short can be repeated. Each record is checked before it
// is stored; chains keep the gateways that wrote them.
func Import(ctx context.Context, s Store, r io.Reader) (Imported, error) {
	i := importer{store: s}
	dec := json.NewDecoder(bufio.NewReader(r))
	dec.DisallowUnknownFields()
	for n := 1; !i.ended; n++ {
		var l line
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return i.done, errors.New("import ledger: the export was cut: its last line is missing")
		} else if err != nil {
			return i.done, fmt.Errorf("import ledger: record %d: %w", n, err)
		}
		if err := i.take(ctx, l); err != nil {
			return i.done, fmt.Errorf("import ledger: record %d: %w", n, err)
		}
	}
	return i.done, nil
}

type importer struct {
	store  Store
	done   Imported
	links  []Link
	counts []Count
	ended  bool
}

func (i *importer) take(ctx context.Context, l line) error {
	switch {
	case l.Export != nil:
		if l.Export.Schema != Schema {
			return fmt.Errorf("schema %q is not %s", l.Export.Schema, Schema)
		}
	case l.Notice != nil:
		i.done.Notices++
		return i.store.PutNotice(ctx, Notice{l.Notice.Hash, l.Notice.Revision, l.Notice.Language, l.Notice.Body})
	case l.Chain != nil:
		return i.flush(ctx)
	case l.Entry != nil:
		return i.takeEntry(ctx, *l.Entry)
	case l.Count != nil:
		return i.takeCount(ctx, *l.Count)
	case l.End != nil:
		return i.end(ctx, *l.End)
	default:
		return errors.New("says nothing")
	}
	return nil
}

func (i *importer) takeEntry(ctx context.Context, w wireEntry) error {
	l := Link{Entry: Entry{
		Gateway: w.Gateway, Seq: w.Seq, Time: w.Time, Kind: w.Kind, Digest: w.Digest, Prev: w.Prev, Hash: w.Hash,
	}}
	if w.Payload != nil {
		salt, err := base64.StdEncoding.DecodeString(w.Salt)
		if err != nil || len(salt) != len(Payload{}.Salt) {
			return fmt.Errorf("entry %d of %s: the salt is not 32 bytes in base64", w.Seq, w.Gateway)
		}
		l.Payload = &Payload{Salt: [32]byte(salt), Body: w.Payload}
	}
	i.done.Entries++
	i.links = append(i.links, l)
	if len(i.links) == batch {
		return i.flush(ctx)
	}
	return nil
}

func (i *importer) takeCount(ctx context.Context, w wireCount) error {
	i.done.Counts++
	i.counts = append(i.counts, Count{CountKey{
		w.Gateway, w.Day, w.Site, w.Language, w.Event, w.Method, w.Signal, w.Purpose,
	}, w.N})
	if len(i.counts) == batch {
		return i.flush(ctx)
	}
	return nil
}

func (i *importer) end(ctx context.Context, w wireEnd) error {
	i.ended = true
	if err := i.flush(ctx); err != nil {
		return err
	}
	if w.Entries != i.done.Entries {
		return fmt.Errorf("the export should have %d entries, and has %d", w.Entries, i.done.Entries)
	}
	return nil
}

func (i *importer) flush(ctx context.Context) error {
	if err := i.store.Extend(ctx, i.links); err != nil {
		return err
	}
	if len(i.counts) > 0 {
		if err := i.store.PutCounts(ctx, i.counts); err != nil {
			return err
		}
	}
	i.links, i.counts = i.links[:0], i.counts[:0]
	return nil
}
