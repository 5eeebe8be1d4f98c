<?php
// The site answers under the host it is asked for: directly and behind the
// gateway, which passes the visitor's Host on.
$secure = ( $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '' ) === 'https';
if ( $secure ) {
	$_SERVER['HTTPS'] = 'on';
}
$origin = ( $secure ? 'https://' : 'http://' ) . ( $_SERVER['HTTP_HOST'] ?? '127.0.0.1' );

define( 'WP_HOME', $origin );
define( 'WP_SITEURL', $origin );
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:' . getenv( 'WORDPRESS_SOCKET' ) );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );

// Fixed keys: an example that nobody but its own machine can reach.
foreach ( array( 'AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT' ) as $name ) {
	define( $name, hash( 'sha256', 'example ' . $name ) );
}

define( 'WP_HTTP_BLOCK_EXTERNAL', true ); // the example needs no network
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', true );
define( 'WP_DEBUG', false );

$table_prefix = 'wp_';

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
