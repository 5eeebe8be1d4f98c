/* The polish spares visitors the way over another page. Banner, placeholders and settings
 * work without it, and whenever something goes wrong here, that way is taken. What is
 * needed only once the visitor does something is in another file, whose address is more.
 * data-d is the class of the decision that the page was made for; data-check says that
 * another may be in force by now. */
(more => {
  const D = document, { src, dataset: { d, check } } = D.currentScript, base = new URL('..', src).pathname, banner = D.getElementById('cg-banner');
  const channel = new BroadcastChannel('cg'), within = () => banner && banner.contains(D.activeElement), on = addEventListener;
  const purposes = ['necessary', 'preferences', 'statistics', 'marketing'].filter((p, i) => parseInt(d) >> i & 1), services = d.replace(/_[^~]*/, '').split(/[.~]/).slice(1);
  let rest, natively;
  const api = window.consentgate ||= {
    state: { purposes, services },
    has: name => purposes.includes(name) || services.includes(name) || d == 15,
    open: () => D.getElementById('cg-settings').click()
  };
  const call = async (name, ...args) => (await (rest ||= new Promise((resolve, onerror) => D.head.append(Object.assign(D.createElement('script'), { src: more, onerror, resolve })))))(api, base, d, channel, name, ...args);
  const leave = name => {
    const focus = within();
    banner.remove();
    return call(name, focus);
  };
  on('submit', async e => {
    const form = e.target, by = e.submitter, no = by.value == 'reject';
    if (natively || form.getAttribute('action') != base + 'choice') return;
    e.preventDefault();
    try {
      const said = fetch(base + 'choice', { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams(new FormData(form, by)), keepalive: true });
      no && leave('left');
      if (!(await said).ok) throw 0;
      await call('taken');
    } catch {
      no && D.body.prepend(banner);
      natively = 1;
      setTimeout(() => form.requestSubmit(by)); /* not while the form is being submitted */
    }
  });
  on('click', e => {
    const a = e.target.closest('a');
    if (a && a.pathname == base && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
      e.preventDefault();
      call('open', a.href).catch(() => location = a.href);
    }
  });
  on('keydown', e => {
    if (e.key != 'Escape' || !within()) return;
    try {
      sessionStorage.cg = '{"later":1}'; /* before anything that the next page would not wait for */
    } catch { }
    leave('later');
  });
  on('pageshow', e => e.persisted && call('check'));
  D.onprerenderingchange = channel.onmessage = () => call('check');
  check && call('check');
  try {
    sessionStorage.cg && call('back');
  } catch { }
})
