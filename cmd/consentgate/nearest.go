package main

import "strings"

// nearest returns the name that was probably meant, or "".
func nearest(written string, names []string) string {
	best, distance := "", 2+len(written)/3
	for _, name := range names {
		if n := edits(strings.ToLower(written), name); n < distance {
			best, distance = name, n
		}
	}
	return best
}

// edits is the Levenshtein distance: how many letters to add, drop or change.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
