package banner

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A Frame is an element that was withheld from a page.
type Frame struct {
	Service       *consent.Service // nil: a third party nobody knows
	Source        string           // its URL, resolved
	Title         string           // its title attribute
	Width, Height string           // its attributes as they stand: "560", "100%", ""

	Script bool   // it is a script that would have drawn something where it stands
	Text   []byte // of a script without an address
	Inside string // [ContainerLink] of the element that the script would have drawn it in
}

// Link is the address at which a person finds the same content, or "" where none is
// known.
func (f Frame) Link() string {
	if f.Script {
		return cmp.Or(widgetLink(f.Source, f.Text), f.Inside)
	}
	return ContentLink(f.Source)
}

// AppendPlaceholder appends what stands in place of f: a box of the same size
// that says what was there and offers to load it. It appends nothing for a frame
// that was made not to be seen.
func (b *Banner) AppendPlaceholder(dst []byte, l Lang, f Frame, d consent.Decision) []byte {
	box := boxOf(f.Width, f.Height)
	if box.unseen() {
		return dst
	}
	e := b.in(l)
	in := fillingOf(f, box)
	m, err := e.moulds.get(mouldKey{service: f.Service, signal: d.Signalled(), has: in.has()}, func(k mouldKey) (mould, error) {
		return b.newMould(e, k)
	})
	if err != nil {
		return dst // nothing stands there then: withheld it is in any case
	}
	return m.append(dst, in)
}

// placeholder is what its template fills in.
type placeholder struct {
	*edition
	ID      consent.ServiceID // empty: unknown
	Service string
	Label   string
	About   string
	Link    string // to the same content
	Privacy string
	Size    template.CSS
	Signal  bool
}

// placeholderOf is a placeholder with what the filling has in its holes.
func placeholderOf(e *edition, k mouldKey, in filling) placeholder {
	p := placeholder{edition: e, Link: in[linkHole], Size: template.CSS(in[sizeHole]), Signal: k.signal}
	if s := k.service; s != nil {
		p.ID, p.Service = s.ID, s.Name
		p.About = e.aboutService(s)
		if !s.FirstParty {
			p.Privacy = s.PrivacyURL
		}
	} else {
		p.Service = in[hostHole]
		p.About = e.text("placeholder.unknown", "host", p.Service, "purpose", e.text("purpose.marketing"))
	}
	p.Label = p.Service
	if title := in[titleHole]; title != "" {
		p.Label = e.text("placeholder.named", "service", p.Service, "title", title)
	}
	return p
}

func (e *edition) aboutService(s *consent.Service) string {
	if s.FirstParty {
		return e.text("placeholder.about_first", "service", s.Name)
	}
	return e.text("placeholder.about", "service", s.Name, "vendor", s.Vendor, "country", e.country(s.Country))
}

func host(ref string) string {
	u, err := url.Parse(ref)
	if err != nil || u.Host == "" {
		return "?"
	}
	return u.Hostname()
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return strings.TrimSpace(string(runes[:n-1])) + "…"
}

// A box is the size a frame asked for in CSS pixels or percent; 0 is unknown.
type box struct {
	width, height int
	percent       bool // of the width
}

func boxOf(width, height string) box {
	w, percent := dimension(width)
	h, relative := dimension(height)
	if relative {
		h = 0 // of a height nobody knows
	}
	return box{width: w, height: h, percent: percent}
}

// largest is the greatest size that is taken over.
const largest = 10_000

// dimension reads an attribute by the rules of the HTML Standard (2.3.4.4):
// leading digits count, what follows does not, but for a percent sign. What
// cannot be read, 0 and absurd sizes are 0.
func dimension(s string) (n int, percent bool) {
	s = strings.TrimLeft(s, " \t\r\n\f")
	digits := strings.TrimLeft(s, "0123456789")
	n, err := strconv.Atoi(s[:len(s)-len(digits)])
	if err != nil || n > largest {
		return 0, false
	}
	return n, strings.HasPrefix(digits, "%")
}

// smallest is the size in CSS pixels below which a frame is not there to be
// seen.
const smallest = 24

func (b box) unseen() bool {
	narrow := b.width > 0 && b.width < smallest && !b.percent
	return narrow || b.height > 0 && b.height < smallest
}

// style gives the size as custom properties, which the style sheet turns into
// width (w), least height (h) and aspect ratio (r).
func (b box) style() string {
	unit := "px"
	if b.percent {
		unit = "%"
	}
	switch {
	case b.width == 0 && b.height == 0:
		return ""
	case b.width == 0:
		return fmt.Sprintf("--cg-h:%dpx", b.height)
	case b.height == 0:
		return fmt.Sprintf("--cg-w:%d%s", b.width, unit)
	case b.percent:
		return fmt.Sprintf("--cg-w:%d%s;--cg-h:%dpx", b.width, unit, b.height)
	}
	return fmt.Sprintf("--cg-w:%dpx;--cg-h:auto;--cg-r:%d/%d", b.width, b.width, b.height)
}
