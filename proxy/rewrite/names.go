package rewrite

// A tag is an element name this package knows: an index into elements.
type tag uint8

// traits say what a name means to the scanner.
type traits uint16

const (
	void      traits = 1 << iota // has neither content nor end tag
	rawText                      // content is text up to the matching end tag
	breakout                     // ends svg and math content
	inHead                       // does not end the head element
	judged                       // has a rule of its own
	endSeen                      // its end tag means something to the scanner
	mathPoint                    // inside math: HTML follows
	svgPoint                     // inside svg: HTML follows
	optional                     // its end tag may be left out
)

type element struct {
	name   string
	traits traits
}

// The tags that code refers to. The others follow them in elements and are
// known by their traits alone.
const (
	tagNone tag = iota
	tagA
	tagArea
	tagAnnotationXML
	tagAudio
	tagBase
	tagBgsound
	tagBody
	tagBr
	tagDd
	tagDt
	tagEmbed
	tagFeImage
	tagFencedframe
	tagFont
	tagFrame
	tagFrameset
	tagHead
	tagHtml
	tagIframe
	tagImage
	tagImg
	tagInput
	tagKeygen
	tagLink
	tagMalignmark
	tagMath
	tagMeta
	tagMglyph
	tagNoframes
	tagNoscript
	tagObject
	tagP
	tagParam
	tagPlaintext
	tagPortal
	tagScript
	tagSelect
	tagSource
	tagStyle
	tagSvg
	tagTd
	tagTemplate
	tagTextarea
	tagTh
	tagTitle
	tagTrack
	tagVideo
	tagUse
	tagAmpImg
	tagAmpAnim
	tagAmpIframe
	tagAmpVideoIframe
	tagAmpVideo
	tagAmpAudio
	tagAmpPixel
	tagAnimate
	tagAnimateTransform
	tagSet

	lastPlain = tagSet // what follows is known by traits or by name
)

var elements = [...]element{
	tagA:                {"a", 0},
	tagArea:             {"area", void},
	tagAnnotationXML:    {"annotation-xml", judged},
	tagAudio:            {"audio", judged | endSeen},
	tagBase:             {"base", void | inHead | judged},
	tagBgsound:          {"bgsound", void | inHead | judged},
	tagBody:             {"body", breakout | endSeen},
	tagBr:               {"br", breakout | void},
	tagDd:               {"dd", breakout | optional},
	tagDt:               {"dt", breakout | optional},
	tagEmbed:            {"embed", breakout | void | judged},
	tagFeImage:          {"feimage", judged},
	tagFencedframe:      {"fencedframe", judged | endSeen},
	tagFont:             {"font", judged},
	tagFrame:            {"frame", void | judged},
	tagFrameset:         {"frameset", judged},
	tagHead:             {"head", breakout | endSeen},
	tagHtml:             {"html", judged | endSeen},
	tagIframe:           {"iframe", rawText | judged | endSeen},
	tagImage:            {"image", judged},
	tagImg:              {"img", breakout | void | judged},
	tagInput:            {"input", void | judged},
	tagKeygen:           {"keygen", void},
	tagLink:             {"link", void | inHead | judged},
	tagMalignmark:       {"malignmark", 0},
	tagMath:             {"math", judged},
	tagMeta:             {"meta", breakout | void | inHead | judged},
	tagMglyph:           {"mglyph", 0},
	tagNoframes:         {"noframes", rawText | inHead | judged | endSeen},
	tagNoscript:         {"noscript", inHead | judged | endSeen},
	tagObject:           {"object", judged | endSeen},
	tagP:                {"p", breakout | optional},
	tagParam:            {"param", void | judged},
	tagPlaintext:        {"plaintext", judged},
	tagPortal:           {"portal", judged | endSeen},
	tagScript:           {"script", rawText | inHead | judged | endSeen},
	tagSelect:           {"select", judged | endSeen},
	tagSource:           {"source", void | judged},
	tagStyle:            {"style", rawText | inHead | judged | endSeen},
	tagSvg:              {"svg", judged},
	tagTd:               {"td", optional},
	tagTemplate:         {"template", inHead | judged | endSeen},
	tagTextarea:         {"textarea", rawText | judged | endSeen},
	tagTh:               {"th", optional},
	tagTitle:            {"title", rawText | inHead | judged | endSeen | svgPoint},
	tagTrack:            {"track", void | judged},
	tagVideo:            {"video", judged | endSeen},
	tagUse:              {"use", judged},
	tagAmpImg:           {"amp-img", judged},
	tagAmpAnim:          {"amp-anim", judged},
	tagAmpIframe:        {"amp-iframe", judged},
	tagAmpVideoIframe:   {"amp-video-iframe", judged},
	tagAmpVideo:         {"amp-video", judged},
	tagAmpAudio:         {"amp-audio", judged},
	tagAmpPixel:         {"amp-pixel", judged},
	tagAnimate:          {"animate", judged},
	tagAnimateTransform: {"animatetransform", judged},
	tagSet:              {"set", judged},

	{"amp-ad", judged},
	{"amp-analytics", judged},
	{"amp-auto-ads", judged},
	{"amp-embed", judged},
	{"amp-sticky-ad", judged},
	{"amp-youtube", judged},
	{"amp-vimeo", judged},
	{"amp-twitter", judged},
	{"amp-facebook", judged},
	{"amp-facebook-page", judged},
	{"amp-facebook-like", judged},
	{"amp-facebook-comments", judged},
	{"amp-instagram", judged},
	{"amp-pinterest", judged},
	{"amp-soundcloud", judged},
	{"amp-dailymotion", judged},
	{"amp-tiktok", judged},
	{"amp-reddit", judged},
	{"amp-gist", judged},
	{"amp-wistia-player", judged},
	{"amp-brightcove", judged},
	{"amp-jwplayer", judged},
	{"article", 0},
	{"aside", 0},
	{"b", breakout},
	{"basefont", void | inHead},
	{"big", breakout},
	{"blockquote", breakout},
	{"button", 0},
	{"center", breakout},
	{"circle", 0},
	{"code", breakout},
	{"col", void},
	{"desc", svgPoint},
	{"div", breakout},
	{"dl", breakout},
	{"em", breakout},
	{"figcaption", 0},
	{"figure", 0},
	{"filter", 0},
	{"footer", 0},
	{"foreignobject", svgPoint},
	{"form", 0},
	{"g", 0},
	{"h1", breakout},
	{"h2", breakout},
	{"h3", breakout},
	{"h4", breakout},
	{"h5", breakout},
	{"h6", breakout},
	{"header", 0},
	{"hr", breakout | void},
	{"i", breakout},
	{"label", 0},
	{"li", breakout | optional},
	{"listing", breakout},
	{"main", 0},
	{"mask", 0},
	{"menu", breakout},
	{"mi", mathPoint},
	{"mn", mathPoint},
	{"mo", mathPoint},
	{"ms", mathPoint},
	{"mtext", mathPoint},
	{"nav", 0},
	{"nobr", breakout},
	{"noembed", rawText | judged | endSeen},
	{"ol", breakout},
	{"optgroup", optional},
	{"option", optional},
	{"path", 0},
	{"pattern", 0},
	{"picture", 0},
	{"pre", breakout},
	{"rect", 0},
	{"ruby", breakout},
	{"s", breakout},
	{"section", 0},
	{"small", breakout},
	{"span", breakout},
	{"strike", breakout},
	{"strong", breakout},
	{"sub", breakout},
	{"sup", breakout},
	{"table", breakout},
	{"tbody", optional},
	{"tfoot", optional},
	{"thead", optional},
	{"tr", optional},
	{"tt", breakout},
	{"u", breakout},
	{"ul", breakout},
	{"var", breakout},
	{"wbr", void},
	{"xmp", rawText | judged | endSeen},
}
