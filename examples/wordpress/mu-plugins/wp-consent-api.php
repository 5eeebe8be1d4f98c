<?php
/**
 * A stand-in for the WP Consent API, for a machine that cannot fetch the plugin:
 * the same functions, cookies and events, and nothing else of it. Where the plugin
 * itself is active, this does nothing.
 *
 * With ?wp-consent-probe, a page ends with what PHP and early JavaScript are told.
 *
 * Plugin Name: Stand-in for the WP Consent API
 */

const STAND_IN_CATEGORIES = array( 'functional', 'preferences', 'statistics', 'statistics-anonymous', 'marketing' );

add_action(
	'plugins_loaded',
	function () {
		if ( function_exists( 'wp_has_consent' ) ) {
			return;
		}

		function wp_get_consent_type() {
			return apply_filters( 'wp_get_consent_type', '' );
		}

		// Without a type nobody manages consent, and everything is allowed.
		function wp_has_consent( $category, $requested_by = null ) {
			$type    = wp_get_consent_type();
			$cookie  = $_COOKIE[ 'wp_consent_' . $category ] ?? '';
			$allowed = ! $type || 'allow' === $cookie || ( 'optout' === $type && '' === $cookie );
			return apply_filters( 'wp_has_consent', $allowed, $category, $requested_by );
		}

		function wp_has_service_consent( $service, $requested_by = null ) {
			$services = json_decode( wp_unslash( $_COOKIE['wp_consent_consented_services'] ?? '{}' ), true );
			return isset( $services[ $service ] ) ? (bool) $services[ $service ] : wp_has_consent( 'marketing', $requested_by );
		}

		function wp_set_consent( $category, $value ) {
			setcookie( 'wp_consent_' . $category, $value, time() + 30 * DAY_IN_SECONDS, '/' );
		}

		add_action( 'wp_enqueue_scripts', 'stand_in_script', PHP_INT_MAX - 100 );
	}
);

function stand_in_script() {
	wp_register_script( 'wp-consent-api', false, array(), '2.0.1', true );
	wp_enqueue_script( 'wp-consent-api' );
	wp_localize_script( 'wp-consent-api', 'consent_api', array( 'consent_type' => wp_get_consent_type(), 'cookie_prefix' => 'wp_consent' ) );
	wp_add_inline_script(
		'wp-consent-api',
		<<<'JS'
function wp_consent_cookie(name) {
	const found = document.cookie.split('; ').find(c => c.startsWith('wp_consent_' + name + '='));
	return found ? found.slice(found.indexOf('=') + 1) : '';
}
function wp_has_consent(category) {
	const type = typeof window.wp_consent_type == 'undefined' ? consent_api.consent_type : window.wp_consent_type, cookie = wp_consent_cookie(category);
	return !type || cookie == 'allow' || type == 'optout' && !cookie;
}
function wp_has_service_consent(service) {
	const services = JSON.parse(wp_consent_cookie('consented_services') || '{}');
	return service in services ? services[service] : wp_has_consent('marketing');
}
function wp_set_consent(category, value) {
	const before = wp_consent_cookie(category), detail = [];
	document.cookie = 'wp_consent_' + category + '=' + value + ';max-age=2592000;path=/';
	detail[category] = value;
	if (before != value) document.dispatchEvent(new CustomEvent('wp_listen_for_consent_change', {detail}));
}
JS
	);
}

add_action(
	'wp_footer',
	function () {
		if ( ! isset( $_GET['wp-consent-probe'] ) ) {
			return;
		}
		$told = array( 'youtube' => wp_has_service_consent( 'youtube' ) );
		foreach ( STAND_IN_CATEGORIES as $category ) {
			$told[ $category ] = wp_has_consent( $category );
		}
		?>
<script>
window.probe = { php: <?php echo wp_json_encode( $told ); ?>, js: { youtube: wp_has_service_consent('youtube') }, events: [] };
for (const category of <?php echo wp_json_encode( STAND_IN_CATEGORIES ); ?>) probe.js[category] = wp_has_consent(category);
for (const name of ['wp_consent_type_defined', 'wp_listen_for_consent_change'])
	document.addEventListener(name, e => probe.events.push(name + ' ' + Object.keys(e.detail || {})));
</script>
		<?php
	},
	PHP_INT_MAX
);
