package serve

import (
	"testing"
	"time"
)

func TestCertificatesAreListed(t *testing.T) {
	r, _ := startSecure(t, Config{}, Handlers{Site: answer("site")}, "site.example", "www.site.example")
	all := r.server.Certificates()
	if len(all) != 1 || all[0].Name != "site.example" || !all[0].NotAfter.After(time.Now()) {
		t.Errorf("%+v", all)
	}
	plain := start(t, Config{Listen: []string{"127.0.0.1:0"}}, Handlers{Site: answer("site")})
	if all := plain.server.Certificates(); len(all) > 0 {
		t.Errorf("without TLS: %+v", all)
	}
}
