package banner

import (
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// A View is what the settings page is to show.
type View struct {
	Lang     Lang
	Decision consent.Decision
	Until    time.Time // when Decision.Choice ceases to hold
	Erase    bool      // ask whether the record is to be erased
	Back     string    // path on this site to go back to; empty: "/"
	Note     Note
}

// A Note tells the visitor what has just happened.
type Note string

const (
	Saved   Note = "settings.saved"   // the choice was stored
	Erased  Note = "settings.erased"  // the record is gone, and the consent with it
	Changed Note = "settings.changed" // it answered a notice no longer in force
)

// Settings writes the settings page.
func (b *Banner) Settings(w io.Writer, v View) error {
	e := b.in(v.Lang)
	page, err := b.render("settings", settingsOf(e, e.pages().sections, v))
	if err != nil {
		return err
	}
	_, err = w.Write(page)
	return err
}

// settings is what the template of that name fills in.
type settings struct {
	*edition
	Title    string
	Back     string
	Return   string // where the form leads to
	Note     string
	Status   string
	New      string // names of services that joined since
	Partly   bool   // a signal withholds some of what is granted
	Granted  bool
	Accept   bool
	Record   string
	Erase    bool
	Signals  []signalView
	Sections []sectionView
}

type signalView struct {
	Name       string // value of the field: "dnt"
	Text       string
	Override   string
	Overridden bool
}

type sectionView struct {
	section
	Granted  bool
	Open     bool
	Count    string
	Services []itemView
}

type itemView struct {
	item
	Granted bool
}

func settingsOf(e *edition, sections []section, v View) settings {
	if v.Back == "" {
		v.Back = "/"
	}
	s := settings{
		edition: e,
		Title:   e.text("settings.title"),
		Back:    v.Back,
		Return:  e.returnTo(v.Back),
		Note:    e.texts[string(v.Note)],
		Status:  e.status(v),
		New:     e.names(v.Decision.New),
		Accept:  !v.Decision.Signalled(), // it would say more than comes into force
		Signals: e.signals(v.Decision),
	}
	if c := v.Decision.Choice; c != nil {
		s.Granted, s.Record = c.Grants(), c.Record
		s.Erase = v.Erase && c.Record != ""
		s.Partly = s.Granted && v.Decision.Signalled()
	}
	for _, sec := range sections {
		s.Sections = append(s.Sections, sectionOf(sec, v.Decision))
	}
	return s
}

// Again is the address of the settings with the question whether to erase.
func (s settings) Again() string {
	query := url.Values{"erase": {"1"}, "return": {s.Back}}
	if s.lang != s.fallback {
		query.Set("lang", string(s.lang))
	}
	return s.Prefix + "?" + query.Encode()
}

// returnTo leads back to the settings, which then say what was saved.
func (e *edition) returnTo(back string) string {
	query := url.Values{"saved": {"1"}, "return": {back}}
	if e.lang != e.fallback {
		query.Set("lang", string(e.lang))
	}
	return e.Prefix + "?" + query.Encode()
}

// sectionOf ticks what the visitor granted, signals aside, and nothing else. A
// purpose that new services joined is no longer granted as a whole: its others are,
// so that saving the page as it is grants nothing new.
func sectionOf(sec section, d consent.Decision) sectionView {
	v := sectionView{section: sec, Count: strconv.Itoa(len(sec.Services))}
	said := d.Choice
	if said == nil {
		said = new(consent.Choice)
	}
	isNew := func(it item) bool { return slices.Contains(d.New, it.ID) }
	whole := said.Purposes.Has(sec.Purpose)
	v.Granted = whole && !slices.ContainsFunc(sec.Services, isNew)
	for _, it := range sec.Services {
		granted := slices.Contains(said.Services, it.ID) || whole && !v.Granted && !isNew(it)
		v.Open = v.Open || granted
		v.Services = append(v.Services, itemView{it, granted})
	}
	return v
}

func (e *edition) status(v View) string {
	c := v.Decision.Choice
	switch {
	case c == nil:
		return e.text("settings.undecided")
	case !c.Grants():
		return e.text("settings.refused", "date", e.date(c.At), "until", e.date(v.Until))
	}
	return e.text("settings.granted", "date", e.date(c.At), "until", e.date(v.Until), "what", e.granted(c))
}

// granted names what a choice allows: purposes first, then single services.
func (e *edition) granted(c *consent.Choice) string {
	var names []string
	for _, p := range c.Purposes.Without(consent.Necessary).List() {
		names = append(names, e.text("purpose."+string(p)))
	}
	for _, s := range e.services {
		if slices.Contains(c.Services, s.ID) {
			names = append(names, s.Name)
		}
	}
	return e.list(names)
}

func (e *edition) signals(d consent.Decision) []signalView {
	var list []signalView
	add := func(name string, inForce bool) {
		key := "signal." + name
		v := signalView{Name: name, Text: e.text(key), Override: e.text(key + ".override"), Overridden: !inForce}
		if !inForce {
			v.Text = e.text(key + ".overridden")
		}
		list = append(list, v)
	}
	if d.Signals.DNT == consent.DNTOn {
		add("dnt", d.NoTracking)
	}
	if d.Signals.GPC {
		add("gpc", d.NoSale)
	}
	return list
}
