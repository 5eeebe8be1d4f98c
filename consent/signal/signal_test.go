package signal

import (
	"net/http"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

func TestRead(t *testing.T) {
	on, off, unset := consent.DNTOn, consent.DNTOff, consent.DNTUnset
	for _, tt := range []struct {
		name     string
		dnt, gpc []string
		want     consent.Signals
	}{
		{"nothing", nil, nil, consent.Signals{}},
		{"DNT 1", []string{"1"}, nil, consent.Signals{DNT: on}},
		{"DNT 0 is not consent but is known", []string{"0"}, nil, consent.Signals{DNT: off}},
		{"DNT with an extension", []string{"1abc"}, nil, consent.Signals{DNT: on}},
		{"DNT with spaces around", []string{" \t1 "}, nil, consent.Signals{DNT: on}},
		{"DNT empty", []string{""}, nil, consent.Signals{DNT: unset}},
		{"DNT of another value", []string{"yes"}, nil, consent.Signals{DNT: unset}},
		{"DNT in several lines, one of them 1", []string{"0", "1"}, nil, consent.Signals{DNT: on}},
		{"DNT in several lines, 1 first", []string{"1", "0"}, nil, consent.Signals{DNT: on}},
		{"DNT with a non-breaking space is not 1", []string{"\u00a01"}, nil, consent.Signals{DNT: unset}},
		{"GPC 1", nil, []string{"1"}, consent.Signals{GPC: true}},
		{"GPC 0 is nothing", nil, []string{"0"}, consent.Signals{}},
		{"GPC has no extensions", nil, []string{"1abc"}, consent.Signals{}},
		{"GPC true is nothing", nil, []string{"true"}, consent.Signals{}},
		{"GPC in several lines, one of them 1", nil, []string{"0", " 1"}, consent.Signals{GPC: true}},
		{"GPC list in one line is not exactly 1", nil, []string{"1, 1"}, consent.Signals{}},
		{"both", []string{"1"}, []string{"1"}, consent.Signals{DNT: on, GPC: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			for _, v := range tt.dnt {
				header.Add("DNT", v)
			}
			for _, v := range tt.gpc {
				header.Add("Sec-GPC", v)
			}
			if got := Read(header); got != tt.want {
				t.Errorf("Read(DNT %q, Sec-GPC %q) = %+v, want %+v", tt.dnt, tt.gpc, got, tt.want)
			}
		})
	}
}
