<?php
// For PHP's own server: files as they are, everything else to WordPress.
$path = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
$file = $_SERVER['DOCUMENT_ROOT'] . rawurldecode( (string) $path );
if ( is_dir( $file ) && is_file( rtrim( $file, '/' ) . '/index.php' ) && '/' !== $path ) {
	if ( '/' !== substr( $path, -1 ) ) {
		header( 'Location: ' . $path . '/', true, 301 );
		return true;
	}
	$file = rtrim( $file, '/' ) . '/index.php';
	chdir( dirname( $file ) );
	$_SERVER['SCRIPT_NAME']     = $path . 'index.php';
	$_SERVER['PHP_SELF']        = $path . 'index.php';
	$_SERVER['SCRIPT_FILENAME'] = $file;
	require $file;
	return true;
}
if ( is_file( $file ) ) {
	return false;
}
$_SERVER['SCRIPT_NAME']     = '/index.php';
$_SERVER['PHP_SELF']        = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . '/index.php';
chdir( $_SERVER['DOCUMENT_ROOT'] );
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
