package proxy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/numfocus/consentgate/proxy"
)

// writes is a script that writes markup and styles of a stranger, of a tracker and of
// the site itself, in each way there is. It does so twice: before the guard knows
// whom it has to do with, and after.
const writes = `
window.errors = [];
addEventListener('error', e => errors.push(e.message));
addEventListener('unhandledrejection', e => errors.push(String(e.reason)));
const div = () => document.body.appendChild(document.createElement('div'));
window.write = round => {
	for (const host of ['http://stranger.example', 'http://static.hotjar.com', '']) {
		const at = host + '/' + round, id = 'a' + round + host.length;
		div().innerHTML = '<p>read <a class="link" href="' + host + '/page">img src="' + host + '/page"</a> <img alt="1 > 0" src="' + at + '/inner"></p>';
		div().insertAdjacentHTML('beforeend', "<img SRC='" + at + "/adjacent'>");
		div().outerHTML = '<img src=' + at + '/outer>';
		div().append(document.createRange().createContextualFragment('<img srcset="/own 3x, ' + at + '/fragment 1x">'));
		div().append(new DOMParser().parseFromString('<img src="' + at + '/parser">', 'text/html').body.firstChild);
		div().attachShadow({mode: 'open'}).innerHTML = '<img src="' + at + '/shadow">';
		document.createElement('div').innerHTML = '<img src="' + at + '/detached">';
		div().innerHTML = '<svg xmlns="http://www.w3.org/2000/svg"><image xlink:href="' + at + '/xlink" width="9" height="9"/></svg>';
		div().innerHTML = '<style>.' + id + ' { background: url("' + at + '/element") }</style><p class="' + id + '">x</p>';
		div().innerHTML = '<p style="background: url(' + at + '/attribute)">x</p>';
		const style = document.createElement('style');
		style.textContent = '@import "' + at + '/import.css"; .kept' + round + ' { color: rgb(1, 2, 3) }';
		div().append(style);
		const audio = new Audio(host ? at + '/audio' : undefined);
		audio.load();
		const picture = document.createElement('img');
		picture.setAttributeNode(Object.assign(document.createAttribute('src'), {value: at + '/node'}));
	}
	const p = div();
	p.innerHTML = '<p class="kept' + round + '" data-config="http://static.hotjar.com/config">x</p><input value="http://static.hotjar.com/value">';
	window.read = [p.firstChild.dataset.config, p.lastChild.value, getComputedStyle(p.firstChild).color];
	const sheet = document.head.appendChild(document.createElement('style')).sheet;
	window.rules = [sheet.insertRule('i { color: red }'), sheet.insertRule('b { background: url("http://static.hotjar.com/rule") }', 1), sheet.cssRules.length];
};
document.write('<img src="http://stranger.example/write"><img src="http://static.hotjar.com/write"><p id="written">x</p>');
write('early');
`

// What scripts write of strangers and of the site itself comes to be what they wrote;
// only what is of a service that is withheld does not load.
func TestGuardOfWhatScriptsWrite(t *testing.T) {
	kinds := []string{"adjacent", "attribute", "audio", "detached", "element", "fragment", "import.css", "inner", "node", "outer", "parser", "shadow", "xlink"}
	for name, unknown := range map[string]proxy.Unknown{"with the policy": "", "alone": proxy.UnknownAllow} {
		t.Run(name, func(t *testing.T) {
			o, w := newOrigin(t), newRest(t)
			o.serve("", writes)
			g := o.gateway(t, func(c *proxy.Config) { c.Sites[0].Unknown = unknown })
			b := g.browser(t, w)
			b.open("/")
			loaded := func(round string, want ...string) {
				t.Helper()
				for _, kind := range kinds {
					want = append(want, "stranger.example/"+round+"/"+kind)
				}
				slices.Sort(want)
				var got []string
				for range 1000 {
					got = slices.Compact(slices.Sorted(slices.Values(append(got, w.take()...))))
					if len(got) >= len(want) {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: asked for were\n%q, want\n%q", round, got, want)
				}
				if got, want := eval[[]string](b, "window.read"), []string{"http://static.hotjar.com/config", "http://static.hotjar.com/value", "rgb(1, 2, 3)"}; !slices.Equal(got, want) {
					t.Errorf("%s: the page reads %q, want %q", round, got, want)
				}
				if got, want := eval[[]int](b, "window.rules"), []int{0, 1, 2}; !slices.Equal(got, want) {
					t.Errorf("%s: rules %d, want %d", round, got, want)
				}
			}
			loaded("early", "stranger.example/write")
			eval[any](b, "write('late')")
			loaded("late")

			if errors := eval[[]string](b, "errors"); len(errors) > 0 {
				t.Errorf("the page's own code fails: %q", errors)
			}
			want := []string{"/page", "http://static.hotjar.com/page", "http://stranger.example/page"}
			got := eval[[]string](b, "[...document.querySelectorAll('a.link')].map(a => a.getAttribute('href'))")
			if slices.Sort(got); !slices.Equal(slices.Compact(got), want) {
				t.Errorf("links lead to %q, want %q", got, want)
			}
			if left := eval[string](b, "[...document.querySelectorAll('*')].filter(e => !/hotjar/.test(e.outerHTML)).map(e => e.outerHTML).find(h => h.includes('cg--:')) ?? ''"); left != "" {
				t.Errorf("marks are left in %s", left)
			}
		})
	}
}
