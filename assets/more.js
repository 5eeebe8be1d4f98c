/* What the polish does once a visitor has answered, opens the settings or comes back. The
 * settings are those of their own page. list is the address of the catalog's rules. */
(list => {
  const D = document, foot = D.getElementById('cg-foot');
  const status = D.createElement('p');
  status.setAttribute('role', 'status');
  foot.append(status); /* nothing moves when it is filled */

  /* A status is read out when it changes, not when it appears. */
  const say = () => setTimeout(() => {
    status.textContent = foot.dataset.saved;
  }, 100);
  const store = {
    get: key => {
      try {
        return sessionStorage.getItem(key);
      } catch {
        return null;
      }
    },
    set: (key, value) => {
      try {
        sessionStorage.setItem(key, value);
      } catch { }
    }
  };

  /* The banner had the focus: reading goes on with the page, not from its very start. */
  const moveFocus = () => {
    const to = D.querySelector('main,h1') || D.body;
    if (to.tabIndex < 0) to.tabIndex = -1;
    to.focus({ preventScroll: true });
  };
  const secret = /^(?:password|file|hidden|submit|button|image|reset)$/;
  const fields = () => [...D.querySelectorAll('input,select,textarea')].filter(f => !secret.test(f.type) && !/cc-|one-time/.test(f.autocomplete) && !f.form?.closest('#cg-banner'));
  const value = f => f.type == 'select-multiple' ? [...f.options].map(o => o.selected) : /^(?:checkbox|radio)$/.test(f.type) ? f.checked : f.value;
  const fill = (f, v) => {
    if (Array.isArray(v)) v.forEach((selected, i) => f.options[i] && (f.options[i].selected = selected));
    else if (typeof v == 'boolean') f.checked = v;
    else f.value = v;
  };

  /* What was typed and where the visitor read is there again when the page is. */
  const again = () => {
    store.set('cg', JSON.stringify({ at: location.href, y: scrollY, fields: fields().map(f => [f.type, f.name, value(f)]) }));
    location.reload();
  };
  const back = () => {
    const kept = JSON.parse(store.get('cg')), now = fields(), banner = D.getElementById('cg-banner');
    if (kept.later && banner) return banner.remove();
    sessionStorage.removeItem('cg');
    if (kept.at != location.href) return;
    for (const [type, name, v] of kept.fields) {
      const i = now.findIndex(f => f.type == type && f.name == name);
      if (i >= 0) fill(now.splice(i, 1)[0], v);
    }
    scrollTo({ top: kept.y, behavior: 'instant' });
    say();
  };

  const changed = (api, now) => {
    const detail = api.state = { purposes: Object.keys(now.purposes).filter(p => now.purposes[p]), services: now.services };
    api.class = now.class;
    D.dispatchEvent(new CustomEvent('consentgate:change', { detail }));
    if (typeof api.onchange == 'function') api.onchange(detail);
  };

  /* Takes leave of tags that have to go: what they keep on the device, as far as the
   * catalog knows it by name, and what they would still send. */
  const revoke = async list => {
    const w = window, denied = 'denied';
    w.gtag?.('consent', 'update', { ad_storage: denied, ad_user_data: denied, ad_personalization: denied, analytics_storage: denied });
    w.uetq?.push?.('consent', 'update', { ad_storage: denied });
    w.clarity?.('consentv2', { ad_Storage: denied, analytics_Storage: denied });
    w.fbq?.('consent', 'revoke');
    w._paq?.push?.(['forgetConsentGiven'], ['forgetCookieConsentGiven']);
    const { default: judge } = await import(list);
    const withheld = name => judge.cookie(name + '=');
    for (const s of [localStorage, sessionStorage]) for (const key of Object.keys(s)) if (withheld(key)) s.removeItem(key);
    for (const { name } of await indexedDB.databases?.() ?? []) if (withheld(name)) indexedDB.deleteDatabase(name);
    for (const name of await w.caches?.keys() ?? []) if (withheld(name)) caches.delete(name);
  };

  /* The settings page itself, over this one: a frame keeps its style and the site's apart. */
  const settings = (href, base, saved) => new Promise((resolve, reject) => {
    const box = D.createElement('dialog'), frame = D.createElement('iframe');
    box.id = 'cg-dialog';
    box.style.cssText = 'all:revert!important;box-sizing:border-box!important;width:48em!important;max-width:calc(100vw - 1em)!important;height:56em!important;max-height:calc(100vh - 1em)!important;padding:0!important;border:1px solid var(--cg-line)!important;border-radius:var(--cg-radius)!important;background:var(--cg-bg)!important;overflow:hidden!important;font-size:medium!important';
    frame.style.cssText = 'all:unset!important;display:block!important;width:100%!important;height:100%!important';
    frame.onload = () => {
      const page = frame.contentDocument, title = page?.querySelector('h1');
      if (!title) return reject();
      if (/[?&]saved=/.test(page.URL)) {
        box.close();
        return saved();
      }
      frame.title = title.textContent;
      title.tabIndex = -1;
      title.focus();
      page.onkeydown = e => e.key == 'Escape' && box.close();
      for (const a of page.links) {
        if (a.closest('header')) a.onclick = e => {
          e.preventDefault();
          box.close();
        };
        else if (!a.pathname.startsWith(base) || a.host != location.host) a.target = '_blank';
      }
      resolve();
    };
    box.onclose = () => box.remove();
    frame.src = href;
    box.append(frame);
    D.body.append(box);
    box.showModal();
  });

  return async (api, base, made, channel, name, ...args) => {
    const state = async () => (await fetch(base + 'state')).json();
    /* Another page is due where another decision is in force than this one was made for. */
    const check = async () => {
      const now = await state(), [before] = made.split('~');
      if (now.class == before) return now.ask || D.getElementById('cg-banner')?.remove();
      changed(api, now);
      const granted = c => c.split('.').slice(1);
      if (parseInt(before) & ~parseInt(now.class) || granted(before).some(s => !granted(now.class).includes(s))) await revoke(list + '?d=' + now.class).catch(() => { });
      again();
    };
    const todo = {
      check,
      back,
      left: focus => focus && moveFocus(),
      later: focus => {
        store.set('cg', JSON.stringify({ later: 1 }));
        focus && moveFocus();
      },
      taken: async () => {
        channel.postMessage(0);
        say();
        return check().catch(again); /* the site's own policy may let us ask nothing */
      },
      open: href => settings(href, base, () => todo.taken())
    };
    return todo[name](...args);
  };
})
