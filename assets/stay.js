/* What pages keep of the polish where they have not got it: what the site's own scripts may
 * ask. The polish itself comes when there is something for it to do, from the address that
 * s has. */
(s => {
  const D = document, { nonce } = D.currentScript || s, on = addEventListener, base = s.polish.split('assets/')[0];
  const has = () => D.querySelector(`[src="${s.polish}"]`);
  let due;
  const polish = check => due ||= new Promise((onload, onerror) => {
    const el = Object.assign(D.createElement('script'), { src: s.polish, nonce, onload, onerror }), add = () => has() || D.head.append(el);
    Object.assign(el.dataset, { d: s.class, check });
    D.readyState == 'loading' ? on('DOMContentLoaded', add) : add(); /* it needs the whole page */
  });
  const { purposes, services } = s;
  window.consentgate = {
    state: { purposes, services },
    has: name => purposes.includes(name) || services.includes(name) || purposes.length > 3,
    open: () => D.getElementById('cg-settings').click()
  };
  on('submit', e => {
    const form = e.target, by = e.submitter;
    if (due || has() || form.getAttribute('action') != base + 'choice') return;
    e.preventDefault();
    const again = () => setTimeout(() => form.requestSubmit(by)); /* not while the form is being submitted */
    polish('').then(again, again);
  });
  on('click', e => {
    const a = e.target.closest('a');
    if (due || has() || !a || a.pathname != base || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    polish('').then(() => a.click(), () => location = a.href);
  });
  const look = () => has() || polish(1);
  on('pageshow', e => e.persisted && look());
  D.onprerenderingchange = new BroadcastChannel('cg').onmessage = look;
  try {
    sessionStorage.cg && polish('');
  } catch { }
})
