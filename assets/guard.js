/* The guard stands first in pages from which something is withheld. The rewriter has
 * cleaned the page, and the Content-Security-Policy refuses code, frames and
 * connections. What is left are scripts of the page that make pictures, hints and
 * cookies by themselves, and that call what is not there.
 *
 * t is for one decision: hashes of the hosts that may be called whatever for, each as what
 * it is more than the one before (allow), names to stand in for (stubs, arrays), and judge,
 * which knows the whole catalog. That is too much for every page, so where strangers are
 * refused in any case there is its address instead (list). Until it is there, pictures of
 * strangers and cookies wait; all says that such pictures are refused as well. Whatever is
 * refused, judge is told, so that the site is. */
(t => {
  let { judge } = t, queue = [], jar = new Set;
  const later = f => {
    if (judge) f();
    else if (queue.push(f) < 2) document.head.append(Object.assign(document.createElement('script'), {
      src: t.list,
      judge(j) {
        judge = j;
        queue.map(f => f());
      }
    }));
  };
  const hash = host => {
    let h = t.salt;
    for (const c of host) h = h * 33 + c.charCodeAt() >>> 0;
    return h % t.size;
  };
  let sum = 0;
  const allow = t.allow.split('\x20').map(more => sum += parseInt(more, 36));
  const known = host => host && (allow.includes(hash(host)) || known(host.replace(/^[^.]*\.?/, '')));

  /* True: refused. Else f runs, at once or when the list has been asked. */
  const ask = (url, f, passive) => {
    try {
      const u = new URL(url.url || url, document.baseURI);
      if (u.hostname && !known(u.hostname)) {
        if (t.list ? !passive || t.all : judge.url(u)) return later(() => judge.url(u, 1)), 1;
        if (t.list) return later(() => judge.url(u) || f());
      }
    } catch { }
    f && f();
  };
  const define = (o, name, change, d = Object.getOwnPropertyDescriptor(o, name)) => d && Object.defineProperty(o, name, { ...d, ...change(d) });
  const trap = (o, name, handler) => define(o, name, d => ({ value: new Proxy(d.value, handler) }));
  const answer = (o, name, at, instead) => trap(o, name, {
    apply: (f, self, args) => ask(args[at]) ? instead(f, self) : f.apply(self, args)
  });
  /* Takes every call and has every property; whoever waits to be called back is. */
  const inert = new Proxy(function () { }, {
    get: (f, key) => key in f ? f[key] : key.at && key != 'then' && inert,
    apply: (f, self, args) => {
      for (const a of args) {
        f = a && a.event_callback;
        f && setTimeout(f);
      }
      return inert;
    },
    construct: () => inert
  });

  const load = (el, name, value, set) => {
    const rel = name == 'rel';
    const shows = () => /im|o$|so|np/.test(el.localName) || el.rel != null && !/pre|dns/.test(rel ? value : el.rel), shown = shows();
    if (ask(rel ? el.href : value, () => shown == shows() && set(), shown))
      setTimeout(() => el.dispatchEvent(new Event('error')));
  };
  for (const k of ['Image', 'Script', 'IFrame', 'Link', 'Source', 'Input', 'Media', 'Video']) for (const name of ['src', 'srcset', 'href', 'rel', 'poster']) define(window[`HTML${k}Element`].prototype, name, d => ({
    set(v) {
      load(this, name, v, () => d.set.call(this, v));
    }
  }));
  trap(Element.prototype, 'setAttribute', {
    apply: (f, el, args) => {
      const set = () => f.apply(el, args);
      /^(src|href|rel|post)/i.test(args[0]) && el.localName != 'a' ? load(el, ...args, set) : set();
    }
  });
  answer(window, 'fetch', 0, () => Promise.resolve(new Response));
  answer(Navigator.prototype, 'sendBeacon', 0, () => true);
  answer(XMLHttpRequest.prototype, 'open', 1, (f, self) => f.call(self, 'GET', 'data:,'));
  for (const k of ['WebSocket', 'EventSource']) trap(window, k, {
    construct: (f, args) => ask(args[0]) ? inert : new f(...args)
  });
  define(Document.prototype, 'cookie', d => ({
    get: () => [d.get.call(document), ...jar].join(';\x20'),
    set(v) {
      const [held] = (v + '').split(';');
      jar.add(held);
      later(() => {
        jar.delete(held);
        judge.cookie(v + '') || d.set.call(document, v);
      });
    }
  }));
  window.wp_consent_type = 'optin';
  for (const name of t.stubs.split(' ')) window[name] ||= inert;
  for (const name of t.arrays.split(' ')) window[name] ||= [];
})
