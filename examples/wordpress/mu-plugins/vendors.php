<?php
/**
 * What the vendors' own instructions ask a site to put on every page. The ids
 * are made up.
 *
 * Plugin Name: Site-wide snippets
 */

add_action(
	'send_headers',
	function () {
		// What a WordPress plugin for server-side statistics does.
		if ( ! is_admin() ) {
			setcookie( '_koko_analytics_pages_viewed', '1', time() + 6 * HOUR_IN_SECONDS, '/' );
			header( 'Link: <https://www.googletagmanager.com/gtag/js?id=G-EXAMPLE001>; rel=preload; as=script', false );
		}
	}
);

add_action(
	'wp_head',
	function () {
		?>
<!-- Google Tag Manager -->
<script>(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':
new Date().getTime(),event:'gtm.js'});var f=d.getElementsByTagName(s)[0],
j=d.createElement(s),dl=l!='dataLayer'?'&l='+l:'';j.async=true;j.src=
'https://www.googletagmanager.com/gtm.js?id='+i+dl;f.parentNode.insertBefore(j,f);
})(window,document,'script','dataLayer','GTM-EXAMPLE');</script>
<!-- Google tag (gtag.js) -->
<script async src="https://www.googletagmanager.com/gtag/js?id=G-EXAMPLE001"></script>
<script>
window.dataLayer = window.dataLayer || [];
function gtag(){dataLayer.push(arguments);}
gtag('js', new Date());
gtag('config', 'G-EXAMPLE001');
</script>
<link rel="preconnect" href="https://fonts.googleapis.com">
<link rel="preconnect" href="https://fonts.gstatic.com" crossorigin>
<link rel="stylesheet" href="https://fonts.googleapis.com/css2?family=Open+Sans:wght@400;700&amp;display=swap">
<script id="mcjs">!function(c,h,i,m,p){m=c.createElement(h),p=c.getElementsByTagName(h)[0],m.async=1,m.src=i,p.parentNode.insertBefore(m,p)}(document,"script","https://chimpstatic.com/mcjs-connected/js/users/0000/1111.js");</script>
<script>
!function(f,b,e,v,n,t,s){if(f.fbq)return;n=f.fbq=function(){n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)};if(!f._fbq)f._fbq=n;
n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,
document,'script','https://connect.facebook.net/en_US/fbevents.js');
fbq('init', '000000000000000');
fbq('track', 'PageView');
</script>
<noscript><img height="1" width="1" style="display:none" src="https://www.facebook.com/tr?id=000000000000000&amp;ev=PageView&amp;noscript=1" alt=""></noscript>
		<?php
	},
	1
);

add_action(
	'wp_body_open',
	function () {
		?>
<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=GTM-EXAMPLE" height="0" width="0" style="display:none;visibility:hidden"></iframe></noscript>
		<?php
	}
);

add_action(
	'wp_footer',
	function () {
		?>
<p class="site-author"><img class="avatar" width="48" height="48" alt="" src="https://secure.gravatar.com/avatar/00000000000000000000000000000000?s=48&amp;d=mm&amp;r=g"></p>
<script defer src="https://stats.wp.com/e-202648.js"></script>
<script>
_stq = window._stq || [];
_stq.push([ "view", {v:'ext',blog:'1',post:'0',tz:'0',srv:'127.0.0.1'} ]);
_stq.push([ "clickTrackerInit", "1", "0" ]);
</script>
		<?php
	},
	100
);
