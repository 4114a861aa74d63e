//! What comes out of the sanitiser is read again by an independent reader that knows what must
//! never be there. The vectors are known attacks on sanitisers, one a line; `⏎`, `⇥` and `␀` stand
//! for a line break, a tab and NUL.

use std::cell::RefCell;

use html5ever::{
    TokenizerResult,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};

use super::{
    InlineImages, policy, sanitise,
    token::{Token as CrateToken, Tokens},
};

fn vectors() -> Vec<String> {
    include_str!("../../tests/vectors/xss.txt")
        .lines()
        .map(|line| line.replace('⏎', "\n").replace('⇥', "\t").replace('␀', "\0"))
        .collect()
}

/// Places where a vector may stand.
const CONTEXTS: [(&str, &str); 14] = [
    ("", ""),
    ("<p>", "</p>"),
    ("<table><tr><td>", "</td></tr></table>"),
    ("<table>", "</table>"),
    ("<p title=\"", "\">x</p>"),
    ("<p title='", "'>x</p>"),
    ("<!--", "-->"),
    ("<style>", "</style>"),
    ("<noscript>", "</noscript>"),
    ("<svg>", "</svg>"),
    ("<svg><title>", "</title></svg>"),
    ("<math><mtext>", "</mtext></math>"),
    ("<textarea>", "</textarea>"),
    ("<a href=\"https://ok.example/\"><b>", "</b></a>"),
];

/// Lists what must not be in safe HTML.
#[derive(Default)]
struct Inspector {
    wrong: RefCell<Vec<String>>,
    in_style: RefCell<bool>,
}

impl Inspector {
    fn inspect(html: &str) -> Vec<String> {
        let tokenizer = Tokenizer::new(Self::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
        tokenizer.end();
        tokenizer.sink.wrong.take()
    }

    fn wrong(&self, what: impl Into<String>) {
        self.wrong.borrow_mut().push(what.into());
    }

    fn tag(&self, tag: &Tag) {
        let name: &str = &tag.name;
        let elements = " a abbr address article aside b bdi big blockquote br caption center cite \
            code col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 \
            h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s samp section small span \
            strike strong style sub summary sup table tbody td tfoot th thead tr tt u ul var wbr ";
        if !elements.contains(&format!(" {name} ")) {
            self.wrong(format!("element {name}"));
        }
        for attribute in &tag.attrs {
            self.attribute(name, &attribute.name.local, &attribute.value);
        }
    }

    fn attribute(&self, element: &str, name: &str, value: &str) {
        let attributes = " align alt bgcolor border cellpadding cellspacing class color colspan dir \
            face height href hspace id lang noshade nowrap open rel reversed rowspan size span src \
            start style target title type valign value vspace width ";
        if !attributes.contains(&format!(" {name} ")) {
            self.wrong(format!("attribute {name}"));
        }
        let allowed = match name {
            "href" => {
                element == "a"
                    && ["http:", "https:", "mailto:", "tel:"]
                        .iter()
                        .any(|scheme| value.to_lowercase().starts_with(scheme))
                    && !value.chars().any(char::is_control)
            }
            "src" => {
                element == "img"
                    && ["png", "jpeg", "gif", "webp"]
                        .iter()
                        .any(|kind| value.starts_with(&format!("data:image/{kind};base64,")))
            }
            "target" => value == "_blank",
            "rel" => value == "noopener noreferrer nofollow",
            "style" => !has_bad_css(value),
            _ => true,
        };
        if !allowed {
            self.wrong(format!("{element} {name}={value}"));
        }
    }
}

impl TokenSink for Inspector {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => {
                self.tag(&tag);
                let style = &*tag.name == "style";
                *self.in_style.borrow_mut() = style && tag.kind == TagKind::StartTag;
                if style && tag.kind == TagKind::StartTag {
                    return TokenSinkResult::RawData(RawKind::Rawtext);
                }
            }
            Token::CommentToken(_) => self.wrong("comment"),
            Token::DoctypeToken(_) => self.wrong("doctype"),
            Token::CharacterTokens(text) if *self.in_style.borrow() && has_bad_css(&text) => {
                self.wrong(format!("style sheet: {text}"));
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn has_bad_css(css: &str) -> bool {
    let lower = css.to_lowercase();
    [
        "url",
        "image-set",
        "src(",
        "image(",
        "import",
        "expression",
        "javascript",
        "behavior",
        "binding",
        "position:",
        "z-index",
        "font-face",
        "var(",
        "--",
        "<",
        "/*",
        "content",
    ]
    .iter()
    .any(|bad| lower.contains(bad))
}

#[test]
fn the_inspector_sees_what_is_forbidden() {
    for unsafe_html in [
        "<script>",
        "<p onclick=x>",
        "<a href=javascript:x>",
        "<img src=https://x>",
        "<p style='background:url(x)'>",
        "<style>p{background:url(x)}</style>",
        "<!--x-->",
        "<svg>",
    ] {
        assert!(!Inspector::inspect(unsafe_html).is_empty(), "{unsafe_html}");
    }
}

#[test]
fn no_vector_gets_through_in_any_context() {
    for vector in vectors() {
        for (before, after) in CONTEXTS {
            let html = format!("{before}{vector}{after}<p>end</p>");
            let safe = sanitise(&html, &InlineImages::default()).html;
            assert_eq!(Inspector::inspect(&safe), Vec::<String>::new(), "\n{html}\n{safe}");
        }
    }
}

/// The step before the policy must not be what makes HTML safe.
#[test]
fn the_policy_alone_stops_every_vector() {
    for vector in vectors() {
        for (before, after) in CONTEXTS {
            let html = format!("{before}{vector}{after}");
            let (safe, _) = policy::apply(&html, &InlineImages::default());
            assert_eq!(Inspector::inspect(&safe), Vec::<String>::new(), "\n{html}\n{safe}");
        }
    }
}

/// The tokens, the order of attributes aside.
fn shape(html: &str) -> Vec<CrateToken<'_>> {
    Tokens::new(html)
        .map(|mut token| {
            if let CrateToken::Start(tag) = &mut token {
                tag.attributes.sort();
            }
            token
        })
        .collect()
}

/// HTML that changes when it is parsed again can hide an attack from the first parse.
#[test]
fn safe_html_stays_the_same_when_it_is_sanitised_again() {
    for vector in vectors() {
        for (before, after) in CONTEXTS {
            let html = format!("{before}{vector}{after}");
            let once = sanitise(&html, &InlineImages::default()).html;
            let twice = sanitise(&once, &InlineImages::default()).html;
            assert_eq!(shape(&once), shape(&twice), "\n{html}");
        }
    }
}

#[test]
fn spliced_vectors_do_not_get_through_either() {
    let vectors = vectors();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..3_000 {
        let mut html = String::new();
        for _ in 0..1 + random(4) {
            let vector = &vectors[random(vectors.len())];
            let from = vector.floor_char_boundary(random(vector.len() + 1) / 2);
            let to = vector.ceil_char_boundary(from + random(vector.len() - from + 1));
            html.push_str(&vector[from..to]);
        }
        let safe = sanitise(&html, &InlineImages::default()).html;
        assert_eq!(Inspector::inspect(&safe), Vec::<String>::new(), "\n{html}\n{safe}");
        let again = sanitise(&safe, &InlineImages::default()).html;
        assert_eq!(Inspector::inspect(&again), Vec::<String>::new(), "\n{html}\n{again}");
    }
}
