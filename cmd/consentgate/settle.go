package main

import (
	"reflect"
	"strings"
)

// settle puts back what takes a restart to change into what it is, and names it.
func settle(next *config, now config) (left []string) {
	left = append(left, differences(next.Serve, now.Serve)...)
	left = append(left, differences(next.Admin, now.Admin)...)
	if next.data() != now.data() {
		left = append(left, "data")
	}
	for _, name := range differences(next.Ledger, now.Ledger) {
		left = append(left, "ledger."+name)
	}
	next.Serve, next.Admin, next.Data, next.Ledger = now.Serve, now.Admin, now.Data, now.Ledger
	return left
}

// differences names the settings of two structs of a type that are not equal.
func differences(a, b any) (names []string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		f := x.Type().Field(i)
		if !f.IsExported() || reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			names = append(names, differences(x.Field(i).Interface(), y.Field(i).Interface())...)
			continue
		}
		names = append(names, name)
	}
	return names
}
