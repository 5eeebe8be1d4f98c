<?php
/**
 * What themes and security plugins do: a Content-Security-Policy of the site's
 * own. "open" lets everybody in, "strict" trusts scripts by a nonce.
 *
 * Plugin Name: The theme's policy
 */

add_action(
	'send_headers',
	function () {
		$policies = array(
			'open'   => "default-src * data: blob: ws: wss: 'unsafe-inline' 'unsafe-eval'",
			'strict' => "script-src 'nonce-" . md5( random_bytes( 16 ) ) . "' 'strict-dynamic' 'unsafe-eval'; object-src 'none'; base-uri 'self'",
		);
		if ( isset( $_GET['theme-policy'], $policies[ $_GET['theme-policy'] ] ) ) {
			header( 'Content-Security-Policy: ' . $policies[ $_GET['theme-policy'] ] );
		}
	}
);
