/* The guard stands first in pages from which something is withheld. The rewriter has
 * cleaned the page, and the Content-Security-Policy refuses code, frames and
 * connections. What is left are scripts of the page that make pictures, hints and
 * cookies by themselves, and that call what is not there.
 *
 * t is for one decision: hosts of the first party (own), hashes of hosts that are
 * allowed (allow; without it strangers may load), whether pictures of strangers are
 * withheld too (all), names to stand in for (stubs, arrays), and judge, which knows the
 * whole catalog, or where that would be too much for every page its address (list).
 * Until the list is there, pictures of strangers and cookies wait. */
(t => {
  let { judge } = t, queue = [], jar = [];
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
    return h.toString(36).slice(-4);
  };
  const among = (hosts, host, name) => host && (hosts.includes(name(host)) || among(hosts, host.replace(/^[^.]*\.?/, ''), name));

  /* True: refused. Else f runs, at once or when the list has been asked. */
  const ask = (url, f, passive) => {
    try {
      const u = new URL(url.url || url, document.baseURI), host = u.hostname;
      if (/^[hw]/.test(u.protocol) && !among(t.own, host, h => h)) {
        if (!t.allow) {
          if (judge.url(u)) return 1;
        } else if (!among(t.allow, host, hash)) {
          if (!passive || t.all) return 1;
          return later(() => judge.url(u) || f());
        }
      }
    } catch { }
    f && f();
  };
  const define = (o, name, change) => {
    const d = Object.getOwnPropertyDescriptor(o, name);
    d && Object.defineProperty(o, name, Object.assign(d, change(d)));
  };
  const trap = (o, name, handler) => define(o, name, d => ({ value: new Proxy(d.value, handler) }));
  const answer = (o, name, at, instead) => trap(o, name, {
    apply: (f, self, args) => ask(args[at]) ? instead(f, self) : f.apply(self, args)
  });
  /* Takes every call and has every property; whoever waits to be called back is. */
  const inert = new Proxy(function () { }, {
    get: (f, key) => key in f ? f[key] : key.at && key != 'then' ? inert : undefined,
    apply: (f, self, args) => {
      for (const a of args) {
        f = a && (a.event_callback || a.hitCallback);
        f && setTimeout(f);
      }
      return inert;
    },
    construct: () => inert
  });

  const load = (el, name, value, set) => {
    const link = name == 'rel';
    if (ask(link ? el.href : value, set, /img|ima|o$|so/.test(el.localName) || el.rel != null && !/pre|dns/.test(link ? value : el.rel)))
      setTimeout(() => el.dispatchEvent(new Event('error')));
  };
  for (const k of ['Image', 'Source', 'Media', 'Script', 'IFrame', 'Link']) for (const name of ['src', 'srcset', 'href', 'rel']) define(window[`HTML${k}Element`].prototype, name, d => ({
    set(v) {
      load(this, name, v + '', () => d.set.call(this, v));
    }
  }));
  trap(Element.prototype, 'setAttribute', {
    apply: (f, el, args) => {
      const set = () => f.apply(el, args);
      /^(src|href|rel)/i.test(args[0]) && el.localName != 'a' ? load(el, ...args, set) : set();
    }
  });
  answer(window, 'fetch', 0, () => Promise.resolve(new Response));
  answer(Navigator.prototype, 'sendBeacon', 0, () => true);
  answer(XMLHttpRequest.prototype, 'open', 1, (f, self) => f.call(self, 'GET', 'data:,'));
  for (const k of ['WebSocket', 'EventSource', 'Worker']) trap(window, k, {
    construct: (f, args) => ask(args[0]) ? inert : new f(...args)
  });
  define(Document.prototype, 'cookie', d => ({
    get: () => [d.get.call(document), ...jar].filter(c => c).join('; '),
    set(v) {
      const held = v.split(';')[0];
      jar.push(held);
      later(() => {
        jar.splice(jar.indexOf(held), 1);
        judge.cookie(v) || d.set.call(document, v);
      });
    }
  }));
  for (const name of t.stubs) window[name] ||= inert;
  for (const name of t.arrays) window[name] ||= [];
})
