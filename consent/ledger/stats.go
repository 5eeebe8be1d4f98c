package ledger

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/numfocus/consentgate/consent"
)

// By is what statistics are added up by.
type By string

const (
	ByDay   By = "day"
	ByMonth By = "month"
	ByYear  By = "year"
)

// ParseBy reads day, month or year.
func ParseBy(s string) (By, error) {
	switch by := By(s); by {
	case ByDay, ByMonth, ByYear:
		return by, nil
	}
	return "", fmt.Errorf("%q is not day, month or year", s)
}

// of shortens a day: "2026-11-23" is in the month "2026-11".
func (by By) of(day string) string {
	n := map[By]int{ByDay: len("2006-01-02"), ByMonth: len("2006-01"), ByYear: len("2006")}[by]
	return day[:min(n, len(day))]
}

// A Stat is what the visitors of a site chose in a period.
type Stat struct {
	Period string // 2006-01-02, 2006-01 or 2006
	Site   string

	Given     int64 // first answers that granted something
	Refused   int64 // first answers that granted nothing
	Changed   int64
	Withdrawn int64
	Granted   map[consent.Purpose]int64 // of Given: those that granted the purpose
}

// Answers is how many visitors answered.
func (s Stat) Answers() int64 { return s.Given + s.Refused }

// Rate is how many of a hundred answers granted p; 0 where nobody answered.
func (s Stat) Rate(p consent.Purpose) float64 {
	if s.Answers() == 0 {
		return 0
	}
	return 100 * float64(s.Granted[p]) / float64(s.Answers())
}

// Summarize adds up the counts of s, ordered by period and site. It holds one
// Stat for each.
func Summarize(ctx context.Context, s Store, by By) ([]Stat, error) {
	type key struct{ period, site string }
	stats := map[key]*Stat{}
	err := s.Counts(ctx, func(c Count) error {
		k := key{by.of(c.Day), c.Site}
		if stats[k] == nil {
			stats[k] = &Stat{Period: k.period, Site: k.site, Granted: map[consent.Purpose]int64{}}
		}
		stats[k].add(c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("summarize ledger: %w", err)
	}
	var all []Stat
	for s := range maps.Values(stats) {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Stat) int {
		return cmp.Or(cmp.Compare(a.Period, b.Period), cmp.Compare(a.Site, b.Site))
	})
	return all, nil
}

func (s *Stat) add(c Count) {
	switch {
	case c.Purpose != "" && c.Event == Given:
		s.Granted[c.Purpose] += c.N
	case c.Purpose != "":
	case c.Event == Given:
		s.Given += c.N
	case c.Event == Refused:
		s.Refused += c.N
	case c.Event == Changed:
		s.Changed += c.N
	case c.Event == Withdrawn:
		s.Withdrawn += c.N
	}
}

// WriteTable writes stats for people. Rates are of all first answers.
func WriteTable(w io.Writer, by By, stats []Stat) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\tsite\tanswers\trefused\tpreferences\tstatistics\tmarketing\tchanged\twithdrawn\n", by)
	for _, s := range stats {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.1f %%\t%.1f %%\t%.1f %%\t%d\t%d\n", s.Period, s.Site, s.Answers(), s.Refused,
			s.Rate(consent.Preferences), s.Rate(consent.Statistics), s.Rate(consent.Marketing), s.Changed, s.Withdrawn)
	}
	return t.Flush()
}

// WriteCSV writes stats for spreadsheets: numbers, from which rates follow.
func WriteCSV(w io.Writer, by By, stats []Stat) error {
	out := csv.NewWriter(w)
	rows := [][]string{{string(by), "site", "answers", "given", "refused",
		"granted_preferences", "granted_statistics", "granted_marketing", "changed", "withdrawn"}}
	for _, s := range stats {
		row := []string{s.Period, text(s.Site)}
		for _, n := range []int64{s.Answers(), s.Given, s.Refused, s.Granted[consent.Preferences],
			s.Granted[consent.Statistics], s.Granted[consent.Marketing], s.Changed, s.Withdrawn} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}
