/* Stands first in a service worker of the site. A page that the worker kept was made for
 * what the visitor had allowed then, so a navigation is answered from the network. Where
 * there is none, the kept page comes with a policy that lets it call nobody else.
 *
 * A worker that begins in another way is another worker: it takes over at once, and
 * with it the policy it was sent with. */
(() => {
  const { fetch } = self, { respondWith } = FetchEvent.prototype, fresh = new WeakSet;
  const remember = response => (response && fresh.add(response), response);
  const preload = Object.getOwnPropertyDescriptor(FetchEvent.prototype, 'preloadResponse');
  const alone = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:";

  const fenced = ({ body, status, statusText, headers }) => {
    headers = new Headers(headers);
    headers.append('Content-Security-Policy', alone);
    return new Response(body, { status, statusText, headers });
  };
  self.fetch = (...args) => fetch(...args).then(remember);
  Object.defineProperty(FetchEvent.prototype, 'preloadResponse', {
    get() { return preload.get.call(this).then(remember); }
  });
  FetchEvent.prototype.respondWith = function (answer) {
    const { request } = this;
    const checked = request.mode != 'navigate' ? answer : Promise.resolve(answer).then(response => {
      if (!response || fresh.has(response) || response.type == 'error') return response;
      return request.method == 'GET' ? fetch(request).catch(() => fenced(response)) : fenced(response);
    });
    respondWith.call(this, checked);
  };
  self.addEventListener('install', () => self.skipWaiting());
})();
