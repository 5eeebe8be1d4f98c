<?php
// Installs WordPress into an empty database and fills it. Usage: seed.php SITE
$site = rtrim( $argv[1] ?? '', '/' );
if ( ! is_file( "$site/wp-config.php" ) ) {
	fwrite( STDERR, "usage: seed.php SITE, where SITE holds wp-config.php\n" );
	exit( 2 );
}
define( 'WP_INSTALLING', true );
function wp_mail() {
	return true; // WordPress would tell the administrator of the new site
}
$_SERVER['HTTP_HOST']   = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
require "$site/wp-config.php";
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

wp_install( 'Open Tidepool Foundation', 'admin', 'admin@example.org', true, '', 'correct horse battery' );
update_option( 'permalink_structure', '/%postname%/' );
update_option( 'blogdescription', 'Open data for the shore' );
switch_theme( 'twentytwentyone' );
// Embeds are what this site is about: nobody filters them out of its pages.
wp_set_current_user( 1 );
kses_remove_filters();

wp_delete_post( 1, true );
wp_delete_post( 2, true );

foreach ( glob( __DIR__ . '/pages/*.html' ) as $file ) {
	$html = file_get_contents( $file );
	preg_match( '/^<!-- title: (.+) -->\n/', $html, $title );
	$id = wp_insert_post(
		array(
			'post_type'    => 'page',
			'post_status'  => 'publish',
			'post_name'    => preg_replace( '/^\d+-/', '', basename( $file, '.html' ) ),
			'post_title'   => $title[1],
			'post_content' => wp_slash( substr( $html, strlen( $title[0] ) ) ),
			'post_author'  => 1,
		),
		true
	);
	if ( is_wp_error( $id ) ) {
		fwrite( STDERR, basename( $file ) . ': ' . $id->get_error_message() . "\n" );
		exit( 1 );
	}
	if ( false !== strpos( $file, '-home.html' ) ) {
		update_option( 'show_on_front', 'page' );
		update_option( 'page_on_front', $id );
	}
}
wp_insert_post(
	array(
		'post_status'  => 'publish',
		'post_title'   => 'First low tide of the year',
		'post_content' => '<!-- wp:paragraph --><p>We counted 214 anemones.</p><!-- /wp:paragraph -->',
		'post_author'  => 1,
	)
);
flush_rewrite_rules( false );
