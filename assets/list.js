/* Whose a URL or a cookie is, by the rules of the catalog. Both lists are in the order in
 * which rules win, what is withheld with a "-" in front. */
((patterns, cookies, strict, report) => {
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
  return {
    url(u, refused) {
      refused ||= withheld(places, u.hostname + u.pathname + u.search, false);
      if (refused) tell(u);
      return refused;
    },
    cookie: c => !ends(c) && withheld(names, c.split(/[=;]/)[0].trim(), strict)
  };
})
