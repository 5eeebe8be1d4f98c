<?php
/* Tells the WP Consent API that consent has to be given: without this, everything is allowed in PHP. */
add_filter('wp_get_consent_type', static fn () => 'optin');
