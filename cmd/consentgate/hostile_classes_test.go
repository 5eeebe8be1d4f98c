package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A failureClass is a way in which proxies and consent tools have failed, and
// the tests that show that this one does not.
type failureClass struct {
	name  string
	seen  string // where it happened: a CVE or an issue
	tests string // folder:Test, several with spaces between
}

// failureClasses are all that are known. A new one begins here, with a test that
// fails.
func failureClasses() []failureClass {
	return []failureClass{
		{"length and coding disagree, bare LF, chunk extensions", "CVE-2025-22871, CVE-2023-25725, go#80942",
			"cmd/consentgate:TestHostileHTTP1 cmd/consentgate:TestGo80942ConnectionEndsAfterLengthAndCoding proxy/upstream:TestAmbiguousRequestsAreRefused proxy/upstream:TestLengthAndTransferEncodingCannotDisagree proxy/serve:TestConnectionEndsAfterAmbiguousLength"},
		{"HTTP/2 made into HTTP/1: :path, CRLF, Transfer-Encoding", "go#77843", "proxy/upstream:TestPseudoHeadersCannotSmuggle proxy:TestHostileHTTP2"},
		{"HTTP/2 floods", "CVE-2023-44487, CVE-2023-45288, CVE-2025-8671", "proxy:TestHostileHTTP2Floods proxy/serve:TestStreamWithoutWindowIsCut"},
		{"tunnel by an upgrade to h2c", "go#80416, traefik#13797", "cmd/consentgate:TestHostileHTTP1 proxy/upstream:TestUnsolicitedSwitchIsRefused"},
		{"hop-by-hop lists that name Cookie", "CVE-2021-33197, go#50580, CVE-2021-32813", "proxy/upstream:TestConnectionCannotRemoveEndToEndHeaders proxy/upstream:TestHopByHopHeadersEndHere proxy/upstream:TestResponseHopByHopHeadersEndHere"},
		{"informational responses past the filters, and without end", "go#81319, nginx#1427", "proxy:TestEarlyHintsAreFiltered proxy/upstream:TestEarlyHintsPassTheHookAndNothingElse proxy/upstream:TestEndlessInformationalResponsesAreCut"},
		{"spoofed forwarded headers, underscores, Proxy", "CVE-2024-52003, CVE-2025-64484, httpoxy", "proxy/upstream:TestForwardedHeadersOfStrangersAreReplaced proxy/upstream:TestForgeableHeadersNeverArrive proxy/upstream:TestCloudflare"},
		{"query changed or hidden", "CVE-2022-2880, CVE-2026-39825", "proxy/upstream:TestTargetArrivesUntouched proxy:TestQueryAndPathArriveUntouched proxy/upstream:FuzzOutgoing"},
		{"open redirect", "CVE-2020-5233, CVE-2020-11053, CVE-2020-4037", "proxy/endpoint:TestLocalTarget proxy/endpoint:FuzzLocalTarget proxy/endpoint:TestWhereAChoiceLeads"},
		{"cross-site requests", "CVE-2025-47910, go#78563", "proxy:TestCrossOriginChoiceIsRefused proxy/endpoint:TestWhoMaySendAChoice proxy/endpoint:TestALinkCannotChoose"},
		{"cookies that parsers read differently, tossed cookies", "CVE-2025-58186", "proxy/cookies:TestParseSetCookie proxy/cookies:FuzzFilterRequest proxy/cookies:TestExpireInAJar proxy:TestCookiesAreFilteredBothWays"},
		{"one visitor's page in a cache for all", "CookiebotWP#123, jetpack#36814", "proxy:TestConsentVariantsAreNotShared cmd/consentgate:TestCheckLive"},
		{"a banner in feeds, sitemaps and AJAX", "italy-cookie-choices#78, EUCookieLaw#94", "proxy:TestWhatIsNotADocumentPassesByteForByte proxy:TestFragmentsGetNothingInserted"},
		{"a banner in editors and administration", "wp-calypso#44126, elementor#8056", "proxy:TestAdministrationIsLeftAlone"},
		{"body rewriters that forget HTTP: codings, HEAD, 304, WebSockets, charsets", "plugin-rewritebody#7, #15, #16, #32", "proxy:TestOriginsCodings proxy:TestHeadHasTheHeaderOfGet proxy:TestWebSocketsGoThrough proxy:TestCharsets proxy/upstream:TestResponsesWithoutBody"},
		{"parsers that read a page otherwise than a browser", "CVE-2024-45338, CVE-2025-22872, go#43268", "proxy/rewrite:TestHTML5LibTokenizer proxy/rewrite:TestTreeConstruction proxy/rewrite:FuzzWithhold proxy:TestTraps"},
		{"buffers without bounds, and bombs", "go#68101", "cmd/consentgate:TestGiants proxy/rewrite:TestTokensBeyondTheLimit proxy/rewrite:TestStreams proxy/encode:TestReaderBoundsZstdWindows"},
		{"truncation hidden", "caddy#7845", "proxy:TestTruncationStaysVisible proxy/upstream:TestTruncatedBodyIsSeenByTheVisitor cmd/consentgate:TestFaultsOnTheWayToTheOrigin"},
		{"Expect: 100-continue that spoils a connection", "CVE-2024-24791", "proxy/upstream:TestExpectContinue"},
		{"WebSockets at shutdown", "caddy#4895", "proxy/upstream:TestShutdownTellsWebSockets proxy/upstream:TestShutdownCutsWebSocketsThatDoNotListen"},
		{"acknowledged consent lost", "SQLite: WAL with synchronous=NORMAL", "consent/ledger/sqlite:TestDurability consent/ledger/sqlite:TestCrash"},
		{"certificates: a lock left behind, a queue that piles up", "certmagic#232, #55", "proxy/serve:TestLockFileLeftBehind proxy/serve:TestAnotherOrdersWhereOneWasKilled"},
		{"a signing key that can be guessed", "SafeLine#1298", "consent/token:TestKeyFileIsMadeOnceAndPrivate consent/token:TestNothingForgedIsAccepted"},

		// What net/http gives wrongly or not at all.
		{"go 1: a query re-sorted or cut", "httputil.ReverseProxy", "proxy/upstream:TestTargetArrivesUntouched"},
		{"go 2: upgrades, odd targets, CONNECT", "httputil.ReverseProxy", "proxy/upstream:TestUnsolicitedSwitchIsRefused proxy/upstream:TestAmbiguousRequestsAreRefused"},
		{"go 3: Proxy, underscores, forwarded headers", "net/http", "proxy/upstream:TestForgeableHeadersNeverArrive proxy/upstream:TestForwardedHeadersOfStrangersAreReplaced"},
		{"go 4: cookies requoted or dropped", "http.Cookie", "proxy/upstream:TestSignalsAndOddHeadersArriveUnchanged proxy/cookies:TestFilterRequest"},
		{"go 5: codings undone silently", "http.Transport", "proxy:TestOriginsCodings proxy:TestVisitorsCodings proxy:TestWhatIsNotADocumentPassesByteForByte"},
		{"go 6: an invented Content-Type", "net/http", "proxy:TestOddContentTypesThatABrowserShowsAsHTML proxy/upstream:TestSniff"},
		{"go 7: validators of another body; HEAD and Range", "httputil.ReverseProxy", "proxy/headers:TestGolden proxy:TestHeadHasTheHeaderOfGet proxy:TestRangesAndConditionsOfAssetsReachTheOrigin proxy/headers:TestDropStaleFromTrailers"},
		{"go 8: errors after the header", "net/http", "proxy:TestTruncationStaysVisible proxy:TestBugsAfterTheHeaderBreakTheConnection"},
		{"go 9: a tokenizer is no browser", "x/net/html", "proxy:TestTraps proxy/rewrite:TestCharsets consent/catalog:TestParseAgreesWithABrowserEngine"},
		{"go 10: small writes, no bound of a token", "x/net/html", "proxy/rewrite:TestTokensBeyondTheLimit proxy/rewrite:TestNoAllocations"},
		{"go 11: no timeouts by default", "net/http", "proxy/serve:TestSlowHeadersAreCut proxy/serve:TestSilentUploadIsCut proxy/serve:TestVisitorWhoDoesNotReadIsCut proxy/upstream:TestStalledBodyTimesOut proxy/upstream:TestErrorsAreClassified"},
		{"go 12: hijacked connections, Origin, SQLite", "net/http", "proxy/upstream:TestShutdownTellsWebSockets proxy/endpoint:TestWhoMaySendAChoice consent/ledger/sqlite:TestDurability"},
	}
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)

// testsOfAll gives every test as folder:Test.
func testsOfAll(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			known[filepath.ToSlash(folder)+":"+string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestEveryFailureClassHasATest keeps the table honest.
func TestEveryFailureClassHasATest(t *testing.T) {
	known := testsOfAll(t)
	for _, c := range failureClasses() {
		if c.seen == "" || c.tests == "" {
			t.Errorf("%s: no precedent or no test", c.name)
		}
		for _, name := range strings.Fields(c.tests) {
			if !known[name] {
				t.Errorf("%s: there is no test %s", c.name, name)
			}
		}
	}
}

// TestThreatModelNamesTests: each promise of SECURITY.md names the tests that
// show it.
func TestThreatModelNamesTests(t *testing.T) {
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]bool{}
	for name := range testsOfAll(t) {
		_, test, _ := strings.Cut(name, ":")
		byName[test] = true
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllSubmatch(text, -1)
	if len(named) < 30 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !byName[string(m[1])] {
			t.Errorf("there is no %s", m[1])
		}
	}
}
