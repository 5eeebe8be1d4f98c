/* The guard stands first in pages from which something is withheld. The rewriter has
 * cleaned the page, and the Content-Security-Policy refuses code, frames and connections.
 * What is left are scripts of the page that make pictures, styles, hints and cookies by
 * themselves, and that call what is not there.
 *
 * What it is called with is for one decision: hashes of the hosts that may be called
 * whatever for, each as what it is more than the one before (allow), names to stand in for
 * (stubs, arrays), and judge, which knows the whole catalog. That is too much for every
 * page, so where strangers are refused in any case the guard asks for it, the list, only
 * once it meets a host that it does not know. Until then what names one waits, or is
 * written with a mark that makes it name nobody; the list takes the marks off again. */
((salt, size, allow, stubs, arrays, judge) => {
  let sum = 0, hits = 0, jar = [];
  const { src } = document.currentScript, queue = [], own = allow.match(/../g).map(more => sum += parseInt(more, 36));
  /* True: a host that is not allowed for sure. A host is hashed from its end, so that all
   * domains above it are met on the way. */
  const strange = url => {
    try {
      let h = salt;
      const { hostname } = new URL(url, document.baseURI);
      return hostname && ![...'.' + hostname].reverse().some(c => c == '.' && own.includes(h % size) || (h = h * 33 + c.charCodeAt() >>> 0, 0)) && ++hits;
    } catch { }
  };
  /* Runs f as soon as the list is there. */
  const later = f => judge ? f() : queue.push(f) < 2 && import(src.replace('guard', 'list')).then(m => {
    judge = m.default;
    queue.map(async f => f());
  });
  /* Takes every call and has every property; whoever waits to be called back is. */
  const inert = new Proxy(function () { }, {
    get: (f, key) => key in f ? f[key] : key.at && key != 'then' && inert,
    apply: (f, self, args) => {
      args.map(a => a?.event_callback && setTimeout(a.event_callback));
      return inert;
    },
    construct: () => inert
  });
  /* Has act(call, args, self) stand in for a method, a constructor or a setter. */
  const trap = (o, name, act, key = 'set', d = Object.getOwnPropertyDescriptor(o, name)) => {
    key = d[key] ? key : 'value';
    if (d[key]) {
      d[key] = new Proxy(d[key], {
        apply: (f, self, args) => act(args => Reflect.apply(f, self, args), args, self),
        construct: (f, args) => act(args => new f(...args), args)
      });
      Object.defineProperty(o, name, d);
    }
  };
  /* Properties, methods and attributes that may make the browser load something. */
  const loads = /^(xlink:)?(src|href|rel$|poster|background|baseVal|style$|set[AHP]|write|replaceSync)|HTML$|Text$|alFrag|FromS|tRule/i;
  /* What is refused is done by instead; what has one address (held) is not done; of what
   * has many, markup and styles, those of attributes and styles are marked, and links are
   * not. Once the list is there it does all that itself. */
  const wrap = (o, name, instead, d) => trap(o, name, (call, args, self, n = name, safe, r) => {
    if (/^setA/.test(n) && (n = args.at(-2) || args[0].name, self.localName == 'a' || !loads.test(n))) return call(args);
    const go = () => judge.act(strange, call, args, self, n, instead, safe, r);
    if (judge) return go();
    hits = 0;
    const held = instead || /^(xlink:)?(src|href|poster|back|base)/i.test(n);
    safe = args.map(a => {
      const text = a?.url || a?.href || a?.value || a;
      return strange(held && text) || instead ? a : text?.replace?.(/<a\s[^>]*|([\s:](src\w*|href|poster|background)\s*=\s*["']?|[(,]\s*["']?|import\s*["'])(\w*:?\/\/[^"'()<>\s,]+)/gi, (all, a, b, url) => strange(url) ? all[0] + 'cg--:' + all.slice(1) : all) || a;
    });
    if (!hits) return call(args);
    r = instead ? instead(call) : held || call(safe);
    later(go);
    return r;
  }, 'set', d);
  /* An a only names where it leads. */
  for (const k of Object.getOwnPropertyNames(window)) if (/^(HTML(?!An|Ar|Ba)|SVGAnimatedString|Element$|Document$|ShadowRoot|Range$|DOMParser|CSSStyle)/.test(k)) for (const name of Object.getOwnPropertyNames(window[k].prototype))
    loads.test(name) && wrap(window[k].prototype, name);
  wrap(HTMLStyleElement.prototype, 'textContent', 0, Object.getOwnPropertyDescriptor(Node.prototype, 'textContent'));
  wrap(window, 'FontFace');
  wrap(window, 'Audio', call => call([]));
  wrap(window, 'fetch', async () => new Response);
  wrap(window, 'WebSocket', () => inert);
  wrap(window, 'EventSource', () => inert);
  wrap(Navigator.prototype, 'sendBeacon', () => true);
  wrap(XMLHttpRequest.prototype, 'open', call => call(['GET', 'data:,']));
  trap(Document.prototype, 'cookie', call => [call([]), ...jar].join(';\x20'), 'get');
  trap(Document.prototype, 'cookie', (call, args) => {
    jar.push((args + '').split(';')[0]);
    later(() => {
      jar = [];
      judge.cookie(args + '') || call(args);
    });
  });
  window.wp_consent_type = 'optin';
  for (const name of stubs.split(' ')) window[name] ||= inert;
  for (const name of arrays.split(' ')) window[name] ||= [];
})
