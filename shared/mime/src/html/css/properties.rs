//! The properties that mail may set.

/// Whether a property, in lower case, may be set.
///
/// Left out on purpose: `position` and its offsets, `z-index`, `transform` and `filter` (cover
/// other things), `content` (text that is not in the mail), `cursor`, `list-style-image` and other
/// ways to load, `unicode-bidi` (lies about the order of letters), `behavior`, `-moz-binding`,
/// animations.
pub(super) fn is_allowed(property: &str) -> bool {
    PROPERTIES.binary_search(&property).is_ok()
}

const PROPERTIES: [&str; 104] = [
    "-webkit-text-size-adjust",
    "align-content",
    "align-items",
    "align-self",
    "background",
    "background-clip",
    "background-color",
    "background-image",
    "background-origin",
    "background-position",
    "background-repeat",
    "background-size",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-left-radius",
    "border-bottom-right-radius",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-left-radius",
    "border-top-right-radius",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-shadow",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "flex",
    "flex-basis",
    "flex-direction",
    "flex-flow",
    "flex-grow",
    "flex-shrink",
    "flex-wrap",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "gap",
    "height",
    "hyphens",
    "justify-content",
    "letter-spacing",
    "line-height",
    "list-style",
    "list-style-position",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "object-fit",
    "opacity",
    "order",
    "overflow",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-decoration-color",
    "text-decoration-line",
    "text-decoration-style",
    "text-indent",
    "text-overflow",
    "text-transform",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
    "word-break",
    "word-wrap",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(PROPERTIES.is_sorted());
    }

    #[test]
    fn what_loads_or_covers_is_not_in_the_list() {
        for property in [
            "position",
            "z-index",
            "transform",
            "filter",
            "content",
            "cursor",
            "behavior",
            "-moz-binding",
            "list-style-image",
            "border-image",
            "mask",
            "mask-image",
            "src",
            "animation",
            "transition",
            "unicode-bidi",
            "--x",
            "all",
            "clip-path",
            "shape-outside",
        ] {
            assert!(!is_allowed(property), "{property}");
        }
    }
}
