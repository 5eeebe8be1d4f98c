/* Whose a URL or a cookie is, by the rules of the catalog, and what the guard does where
 * that counts. Both lists are in the order in which rules win, what is withheld with a "-"
 * in front; strangers is what those may give whom nobody knows: 0 nothing, 1 pictures,
 * styles, fonts and media, 2 everything. */
((patterns, cookies, strict, report, strangers) => {
  const escape = s => s.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const rule = (text, regexp) => {
    const withheld = text[0] == '-';
    return { withheld, matches: new RegExp(regexp(withheld ? text.slice(1) : text)) };
  };
  /* "*.a.b" is a.b and all below it; a path need not be there to its end. */
  const place = pattern => {
    const [, below, host, path] = /^(\*\.(?=[^*]*(?:\/|$)))?([^/]*)(.*)$/.exec(pattern);
    return '^' + (below ? '(?:[^/]*\\.)?' : '') + escape(host).replace(/\*/g, '[^/]*') + (path ? escape(path).replace(/\*/g, '.*') : '/');
  };
  const places = patterns.split(' ').map(p => rule(p, place));
  const names = cookies.split(' ').map(n => rule(n, glob => '^' + escape(glob).replace(/\*/g, '.*') + '$'));
  const withheld = (rules, text, otherwise) => (rules.find(r => r.matches.test(text)) || { withheld: otherwise }).withheld;

  /* Whoever takes a cookie away may. */
  const ends = cookie => {
    const at = /;\s*expires=([^;]*)/i.exec(cookie);
    return /;\s*max-age=(?:0|-)/i.test(cookie) || at && Date.parse(at[1]) < Date.now();
  };
  /* The site is told once of each host that a page was refused, as browsers tell it what the
   * policy refuses: nothing of the visitor, and of few hosts. */
  const told = new Set;
  const tell = ({ origin, pathname }) => told.size < 8 && !told.has(origin) && told.add(origin) && fetch(report, {
    method: 'POST',
    keepalive: true,
    headers: { 'Content-Type': 'application/csp-report' },
    body: JSON.stringify({ 'csp-report': { 'document-uri': location.origin + location.pathname, 'blocked-uri': origin + pathname, 'effective-directive': 'default-src' } })
  }).catch(() => {});
  const url = (u, active) => {
    const refused = withheld(places, u.hostname + u.pathname + u.search, strangers < (active ? 2 : 1));
    if (refused) tell(u);
    return refused;
  };

  /* The guard calls act with what it has wrapped, name, once the list is there: call does
   * it with arguments. Has it been done meanwhile, safe is what it was called with and done
   * what came of it; the guard puts mark before all it does not know. strange tells that. */
  const mark = 'cg--:';
  const act = (strange, call, args, self, name, instead, safe, done) => {
    const refused = (text, active) => strange(text) && url(new URL(text, document.baseURI), active);
    const textOf = a => a?.url || a?.href || a?.value || a;
    const style = text => text.replace(/((?:\(|image-set\([^)]*?,|@import)\s*["']?)((?:https?:)?\/\/[^"'()<>\s,]+)/gi, (all, before, to) => refused(to) ? before + mark + to : all);
    const sources = text => text.split(/\s*,\s+|\s+/).some(word => refused(word));
    const markup = html => html.replace(/<style[^]*?<\/style|<(?!a\s)[a-z](?:"[^"]*"|'[^']*'|[^>"'])*/gi, tag => /^<style[\s>]/i.test(tag) ? style(tag) : tag.replace(/([\s"'/])((?:xlink:)?(?:src|href|poster|background|srcset|imagesrcset)\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)|\sstyle\s*=\s*(?:"[^"]*"|'[^']*')/gi,
      (all, before, attribute, value) => !value ? style(all) : sources(value.replace(/^["']|["']$/g, '')) ? before + mark + attribute + value : all));
    const each = (clean, a) => a && a.nodeType == 2 ? (a.value = clean(a.value), a) : a?.replace ? clean(a) : a;

    /* What is refused has been answered, or is now. */
    if (name == 'Audio') {
      const audio = done || call([]);
      if (args.length) audio.src = args[0];
      return audio;
    }
    if (instead) {
      const no = args.map(textOf).some(text => refused(text, 1));
      return safe || (no ? instead(call) : call(args));
    }

    /* What loads by one address waits until it may. */
    const attribute = name.toLowerCase().replace('xlink:', '');
    if (/^(src|href|poster|back|base|rel$)/.test(attribute) && attribute != 'srcdoc') {
      const value = textOf(args[args.length - 1]) + '', rel = attribute == 'rel' ? value : self.rel, active = /^(script|i?frame|embed|object)$/.test(self.localName) || /pre|dns/.test(rel);
      if (attribute == 'rel' ? refused(self.href, active) : refused(value, active) || attribute == 'srcset' && sources(value)) setTimeout(() => self.dispatchEvent?.(new Event('error')));
      else return call(args);
      return;
    }

    /* What names many is done without those who are refused. */
    const clean = each.bind(null, attribute == 'srcdoc' || /html|^write|fragment|^parse/.test(attribute) ? markup : style);
    if (!safe || attribute == 'srcdoc') return call(args.map(clean));
    if (!/html|^write|fragment|^parse/.test(attribute)) {
      const now = args.map(clean);
      if (now.some((a, i) => a !== safe[i])) {
        const face = call(now);
        if (name == 'FontFace') document.fonts.add(face);
      }
      return;
    }
    for (const root of [document, self, self.content, done]) if (root?.querySelectorAll) free(root);
  };

  /* Takes the marks off again; the guard sees to it that what is refused stays as it is. */
  const free = root => {
    for (const el of root.querySelectorAll('*')) {
      for (const { name, value } of [...el.attributes]) if ((name + value).includes(mark)) {
        const [to, as] = [name, value].map(text => text.split(mark).join(''));
        if (to != name) el.removeAttribute(name);
        to.startsWith('xlink:') ? el.setAttributeNS('http://www.w3.org/1999/xlink', to, as) : el.setAttribute(to, as);
      }
      if (el.content) free(el.content);
    }
    const texts = document.createTreeWalker(root, 4);
    while (texts.nextNode()) {
      const { currentNode: text } = texts;
      if (!text.data.includes(mark)) continue;
      const unmarked = text.data.split(mark).join('');
      if (text.parentNode.localName == 'style') text.parentNode.textContent = unmarked;
      else text.data = unmarked;
    }
  };
  return { cookie: c => !ends(c) && withheld(names, c.split(/[=;]/)[0].trim(), strict), url, act };
})
