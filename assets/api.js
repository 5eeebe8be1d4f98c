/* What the site's own scripts may ask: window.consentgate, whole and in every state, for
 * pages that include this file. It is the same for everybody, and may be kept, packed or
 * put together with others: what was decided for the page is in the address of the scripts
 * that the page starts with; otherwise is where it has none. all has the services of each
 * purpose, with a "-" in front of those that sell data. */
((base, all, otherwise, polish, stay) => {
  const from = document.querySelector(`script[src^="${base}assets/"]`), made = from ? from.src.split('?d=')[1] || from.dataset.d : otherwise;
  const read = () => /^(\d+)(s?)(t?)((?:\.[^_~]*)?)((?:_[^~]*)?)(.*)$/.exec(window.consentgate?.class || made), list = ids => ids.split(/[._~]/).slice(1);
  const granted = bits => Object.keys(all).filter((p, i) => bits >> i & 1);
  const has = name => {
    const [, bits, sale, dnt, single, added, once] = read(), given = granted(bits);
    const purpose = Object.keys(all).find(p => all[p].split(' ').some(id => id == name || id == '-' + name));
    if (!purpose) return given.includes(name);
    if (purpose == 'necessary' || list(once).includes(name)) return true;
    if (dnt || sale && (purpose == 'marketing' || all[purpose].split(' ').includes('-' + name))) return false;
    return list(single).includes(name) || given.includes(purpose) && !list(added).includes(name);
  };
  const [, bits, , , single, , once] = read();
  if (!window.consentgate) stay({ polish, class: made, purposes: granted(bits), services: list(single + once).filter(has) });
  consentgate.has = has;
})
