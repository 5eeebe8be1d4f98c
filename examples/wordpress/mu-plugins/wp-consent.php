<?php
/* Tells the WP Consent API that consent has to be given: without this, everything is allowed in PHP. */
add_filter( 'wp_get_consent_type', static fn () => 'optin' );

/* Tells scripts that wait for it. The gateway does where something is granted; here it is for everybody else. */
add_action( 'wp_footer', static fn () => wp_print_inline_script_tag( <<<'JS'
window.wp_consent_type ||= 'optin';
{
	let told = false;
	document.addEventListener('wp_consent_type_defined', () => told = true);
	addEventListener('DOMContentLoaded', () => setTimeout(() => told || document.dispatchEvent(new CustomEvent('wp_consent_type_defined'))));
}
JS ) );
