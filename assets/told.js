/* Tells the tags of a page what the visitor has allowed, before any of them runs. s has
 * what each vendor is to hear; a vendor that is withheld is not in it. */
(s => {
  const w = window, state = granted => granted ? 'granted' : 'denied';
  const ready = f => document.addEventListener('DOMContentLoaded', f);

  /* Google Consent Mode v2 wants the arguments object itself in its queue. */
  if (s.google) {
    w.dataLayer ||= [];
    w.gtag ||= function () { w.dataLayer.push(arguments); };
    w.gtag('consent', 'default', {
      ad_storage: state(s.google.ads),
      ad_user_data: state(s.google.ads),
      ad_personalization: state(s.google.ads),
      analytics_storage: state(s.google.analytics),
      functionality_storage: state(s.google.preferences),
      personalization_storage: state(s.google.preferences),
      security_storage: 'granted'
    });
    w.gtag('set', 'ads_data_redaction', !s.google.ads);
    w.gtag('set', 'url_passthrough', false);
  }
  if (s.uet) (w.uetq ||= []).push('consent', 'default', { ad_storage: 'granted' });

  /* Clarity writes these two with a capital S. */
  if (s.clarity) {
    w.clarity ||= function () { (w.clarity.q ||= []).push(arguments); };
    w.clarity('consentv2', { ad_Storage: state(s.clarity.ads), analytics_Storage: 'granted' });
  }

  /* These two are granted unless the site itself has revoked it first. To make a queue
   * for them here would keep their own code from loading. */
  ready(() => {
    if (s.meta && w.fbq) w.fbq('consent', 'grant');
    if (s.matomo && w._paq) w._paq.push(['setConsentGiven'], ['setCookieConsentGiven']);
  });

  /* WP Consent API: with "optin" a category without a cookie is denied. The gateway sets
   * these cookies where it knows that the site uses the API; this page may be the first
   * to show it. */
  w.wp_consent_type = 'optin';
  ready(() => {
    document.dispatchEvent(new CustomEvent('wp_consent_type_defined'));
    for (const category of s.wp) w.wp_has_consent?.(category) || w.wp_set_consent?.(category, 'allow');
  });
})
