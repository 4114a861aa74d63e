//! What newsletters and mail programs rely on is kept.

use postern_mime::html::{InlineImages, sanitise, to_text};

fn safe(html: &str) -> String {
    sanitise(html, &InlineImages::default()).html
}

#[test]
fn layout_that_newsletters_use_is_kept() {
    for kept in [
        r#"<table width="600" cellpadding="0" cellspacing="0" border="0" align="center"><tbody><tr><td>x</td></tr></tbody></table>"#,
        r#"<p style="margin:0 auto;padding:10px 20px;font-size:16px;line-height:1.5;">x</p>"#,
        r#"<div style="max-width:600px;display:none;border-radius:4px;">x</div>"#,
        r#"<p style="font-family:'Helvetica Neue',Arial,sans-serif;">x</p>"#,
        r#"<p style="color:rgba(0, 0, 0, 0.5);width:calc(100% - 10px);">x</p>"#,
        r#"<p style="background:linear-gradient(90deg,#fff,#000);">x</p>"#,
        r#"<p dir="rtl" lang="he">שלום</p>"#,
        r#"<font face="Arial" size="2">x</font>"#,
        r#"<h1 class="a b" id="c">x</h1>"#,
        r#"<ol start="3" type="a"><li value="5">x</li></ol>"#,
        r#"<img alt="a &amp; b" width="10" height="20">"#,
        "a\u{a0}b",
    ] {
        assert_eq!(safe(kept).replace("&nbsp;", "\u{a0}"), kept);
    }
}

#[test]
fn style_sheets_keep_plain_rules_and_media_queries() {
    assert_eq!(
        safe(
            "<style><!-- p, .a > b:hover, td[class=\"x\"] { color : red ; position:fixed; }\n\
             @media only screen and (max-width: 600px) { .w { width: 100% !important } }\n\
             @font-face { font-family: x; src: url(x) }\n\
             .dark { color: white; }\n\
             #outlook a:nth-child(2n+1):not(.x) { padding: 0 } --></style>x"
        ),
        "<style>p, .a > b:hover, td[class=\"x\"]{color:red;}\n\
         @media only screen and (max-width: 600px){.w{width:100% !important;}\n}\n\
         .dark{color:white;}\n\
         #outlook a:nth-child(2n+1):not(.x){padding:0;}\n</style>x"
    );
}

#[test]
fn a_dark_variant_is_left_out_because_the_page_is_white() {
    assert_eq!(safe("<style>@media (prefers-color-scheme: dark){p{color:#fff}}</style>x"), "x");
}

#[test]
fn a_style_sheet_for_print_is_left_out() {
    assert_eq!(safe("<style media=print>p{display:none}</style>x"), "x");
    assert!(safe("<style media='screen'>p{color:red}</style>x").contains("color:red"));
}

#[test]
fn a_background_keeps_its_colour_without_its_image() {
    assert_eq!(
        safe("<p style=\"background:#fff url('https://x/y.png') no-repeat\">x</p>"),
        "<p style=\"background:#fff no-repeat;\">x</p>"
    );
}

#[test]
fn links_open_elsewhere_and_tell_nothing() {
    for url in
        ["https://x.example/?a=1&amp;copy=2#f", "http://x.example/", "mailto:a@b.c", "tel:+49123"]
    {
        assert_eq!(
            safe(&format!("<a href=\"{url}\">x</a>")),
            format!(
                "<a href=\"{url}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>"
            )
        );
    }
}

#[test]
fn stray_end_tags_do_not_break_a_layout() {
    assert_eq!(
        safe("<table><tr><td>a</b></div></font></a></td><td>b</td></tr></table>"),
        "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>"
    );
}

#[test]
fn end_tags_that_are_left_out_are_understood() {
    assert_eq!(safe("<ul><li>a<li>b</ul>"), "<ul><li>a</li><li>b</li></ul>");
    assert_eq!(safe("<p>a<p>b"), "<p>a</p><p>b</p>");
    assert_eq!(
        safe("<table><tr><td>a<td>b<tr><td>c</table>"),
        "<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>"
    );
    assert_eq!(
        safe("<table><tbody><tr><td><table><tr><td>in</table><td>out</table>"),
        "<table><tbody><tr><td><table><tbody><tr><td>in</td></tr></tbody></table></td><td>out</td></tr></tbody></table>"
    );
}

#[test]
fn what_outlook_writes_is_read() {
    assert_eq!(
        safe(
            "<p class=MsoNormal>a<o:p></o:p></p><!--[if mso]>no<![endif]--><![if !mso]>yes<![endif]>"
        ),
        "<p class=\"MsoNormal\">a</p>yes"
    );
}

#[test]
fn the_body_keeps_its_colour_and_direction() {
    assert_eq!(
        safe(
            "<html dir=ltr><body dir=rtl bgcolor=fafafa text='#111' style='margin:0'>x</body></html>"
        ),
        "<div dir=\"rtl\" style=\"background-color:#fafafa;color:#111;margin:0;\">x</div>"
    );
}

#[test]
fn an_image_may_be_shown_often_but_not_without_end() {
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.resize(1024 * 1024, 0);
    let images = InlineImages::new([("x".to_owned(), image)]);
    let html = "<img src=cid:x>".repeat(100);
    let shown = sanitise(&html, &images).html.matches("src=").count();
    assert_eq!(shown, 11);
}

#[test]
fn text_of_html_reads_like_the_page() {
    for (html, text) in [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("  a \n b  ", "a b"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>d", "• a\n• b\n  • c\n\nd"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<blockquote>a<br>b<blockquote>c</blockquote></blockquote>d", "> a\n> b\n> >\n> > c\n\nd"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("a<script>x</script><style>y</style><title>z</title>b", "ab"),
        ("<img alt='a cat'> &amp; &lt;b&gt;", "a cat & <b>"),
        ("a<hr>b", "a\n--------\nb"),
        ("", ""),
    ] {
        assert_eq!(to_text(html), text, "{html}");
    }
}
