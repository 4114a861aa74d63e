//! The elements and attributes that mail may use.

/// Elements, sorted. None of them runs, loads or submits anything, and none has content that is not
/// markup.
pub(super) const ELEMENTS: [&str; 70] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];

/// Attributes of every element. `background` is here to be counted; the filter never keeps it.
pub(super) const ATTRIBUTES: [&str; 12] = [
    "align",
    "background",
    "bgcolor",
    "class",
    "dir",
    "height",
    "id",
    "lang",
    "style",
    "title",
    "valign",
    "width",
];

/// Attributes of single elements.
pub(super) const ELEMENT_ATTRIBUTES: [(&str, &[&str]); 12] = [
    ("a", &["href"]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("details", &["open"]),
    ("font", &["color", "face", "size"]),
    ("hr", &["color", "noshade", "size"]),
    ("img", &["alt", "border", "hspace", "src", "vspace"]),
    ("li", &["type", "value"]),
    ("ol", &["reversed", "start", "type"]),
    ("table", &["border", "cellpadding", "cellspacing"]),
    ("td", &["colspan", "nowrap", "rowspan"]),
    ("th", &["colspan", "nowrap", "rowspan"]),
];

/// The element's name, if mail may use it.
pub(super) fn is_allowed(name: &str) -> Option<&'static str> {
    ELEMENTS.binary_search(&name).ok().map(|at| ELEMENTS[at])
}

/// Elements without content.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "col" | "hr" | "img" | "wbr")
}

/// What the start of `name` does to an open element (WHATWG HTML section 13.1.2.4, optional tags):
/// closes it, stops the search there, or leaves it alone (`Some(false)`).
pub(super) fn closes_on_start(name: &str, open: &str) -> Option<bool> {
    let (closes, stops): (&[&str], &[&str]) = match name {
        "li" => (&["li"], &["ul", "ol", "table", "td", "th", "blockquote"]),
        "dt" | "dd" => (&["dt", "dd"], &["dl", "table", "td", "th", "blockquote"]),
        "td" | "th" => (&["td", "th"], &["table", "tr"]),
        "tr" => (&["tr", "caption", "colgroup"], &["table", "tbody", "thead", "tfoot"]),
        "tbody" | "thead" | "tfoot" => {
            (&["tbody", "thead", "tfoot", "caption", "colgroup"], &["table"])
        }
        "a" => (&["a"], &["table", "td", "th"]),
        // `p` cannot contain blocks.
        "p" | "div" | "ul" | "ol" | "dl" | "table" | "blockquote" | "center" | "h1" | "h2"
        | "h3" | "h4" | "h5" | "h6" | "hr" | "pre" | "address" | "section" | "article"
        | "header" | "footer" => {
            (&["p"], &["table", "td", "th", "caption", "div", "li", "blockquote"])
        }
        _ => return None,
    };
    if closes.contains(&open) {
        Some(true)
    } else if stops.contains(&open) {
        None
    } else {
        Some(false)
    }
}

/// Whether the end tag `name` must not reach elements outside of `open`.
pub(super) fn is_barrier(name: &str, open: &str) -> bool {
    match name {
        "table" => false,
        "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "colgroup" => {
            open == "table"
        }
        _ => matches!(open, "table" | "td" | "th" | "caption"),
    }
}
