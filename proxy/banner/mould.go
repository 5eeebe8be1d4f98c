package banner

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"sync"

	"github.com/numfocus/consentgate/consent"
)

// A mould is a placeholder with holes where one frame differs from the next. A
// template takes longer than all the rest of the work on a frame, so it runs once
// for each mould.
type mould struct {
	pieces [][]byte // pieces[i] stands before the hole holes[i], the last one at the end
	holes  []hole
}

// A hole is what is filled in for each frame.
type hole int

const (
	titleHole hole = iota
	hostHole
	linkHole
	sizeHole
	holes // how many there are
)

// A filling is what goes into the holes of one mould.
type filling [holes]string

func fillingOf(f Frame, box box) filling {
	in := filling{linkHole: f.Link(), sizeHole: box.style()}
	name := ""
	if f.Service != nil {
		name = f.Service.Name
	} else {
		name = host(f.Source)
		in[hostHole] = name
	}
	if title := cut(strings.TrimSpace(f.Title), 80); !strings.EqualFold(title, name) {
		in[titleHole] = title
	}
	return in
}

// has says which holes there is something for.
func (in filling) has() (has [holes]bool) {
	for i, text := range in {
		has[i] = text != ""
	}
	return has
}

// A mouldKey is all that a mould depends on. There are few: they are made of
// the services of the catalog.
type mouldKey struct {
	service *consent.Service // nil: unknown
	signal  bool
	has     [holes]bool
}

// moulds of one edition; ready to use when zero, and by many at once.
type moulds struct{ known sync.Map }

func (m *moulds) get(k mouldKey, make func(mouldKey) (mould, error)) (mould, error) {
	if known, ok := m.known.Load(k); ok {
		return known.(mould), nil
	}
	made, err := make(k)
	if err == nil {
		m.known.Store(k, made)
	}
	return made, err
}

// marks stand for what is filled in later. They are words that HTML, a URL and
// CSS all leave as they are, and that are in no text.
func marks() filling {
	return filling{titleHole: "cg0title0cg", hostHole: "cg0host0cg", linkHole: "https://cg0link0cg/", sizeHole: "cg0size0cg"}
}

func (b *Banner) newMould(e *edition, k mouldKey) (mould, error) {
	in := marks()
	for i, has := range k.has {
		if !has {
			in[i] = ""
		}
	}
	var out bytes.Buffer
	if err := b.templates.ExecuteTemplate(&out, "placeholder", placeholderOf(e, k, in)); err != nil {
		return mould{}, fmt.Errorf("make a placeholder: %w", err)
	}
	return cutAtMarks(out.Bytes(), in), nil
}

func cutAtMarks(text []byte, in filling) mould {
	var m mould
	for {
		at, which := len(text), holes
		for i, mark := range in {
			if found := bytes.Index(text, []byte(mark)); mark != "" && found >= 0 && found < at {
				at, which = found, hole(i)
			}
		}
		m.pieces = append(m.pieces, text[:at])
		if which == holes {
			return m
		}
		m.holes = append(m.holes, which)
		text = text[at+len(in[which]):]
	}
}

// append fills the mould. All holes are in text or in quoted attributes; links
// come from [ContentLink], so their scheme is known.
func (m mould) append(dst []byte, in filling) []byte {
	for i, h := range m.holes {
		dst = append(dst, m.pieces[i]...)
		dst = append(dst, template.HTMLEscapeString(in[h])...)
	}
	return append(dst, m.pieces[len(m.pieces)-1]...)
}
