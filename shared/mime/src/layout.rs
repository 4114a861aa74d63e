//! Which parts of a message are its text, and which are attachments.

use crate::structure::{Content, Node};

/// What a message consists of, for a reader.
#[derive(Debug, Default)]
pub(crate) struct Layout<'n, 'a> {
    /// The text, in the order of the message.
    pub(crate) blocks: Vec<Block<'n, 'a>>,
    /// Images that HTML may refer to by their `Content-ID`; those that no HTML shows are
    /// attachments.
    pub(crate) inline: Vec<&'n Node<'a>>,
    /// Everything else.
    pub(crate) attachments: Vec<&'n Node<'a>>,
}

/// A piece of the message's text.
#[derive(Debug)]
pub(crate) enum Block<'n, 'a> {
    Text(&'n Node<'a>),
    Html(&'n Node<'a>),
    /// The same content twice (RFC 2046 section 5.1.4).
    Alternative {
        html: Vec<Block<'n, 'a>>,
        text: Vec<Block<'n, 'a>>,
    },
}

impl<'n, 'a> Layout<'n, 'a> {
    pub(crate) fn of(message: &'n Node<'a>) -> Self {
        let mut layout = Self::default();
        let blocks = layout.place(message);
        layout.blocks = blocks;
        layout
    }

    /// Whether the list should show a paper clip.
    pub(crate) fn has_attachments(&self) -> bool {
        // Inline images have a Content-ID that HTML refers to; without HTML they are attachments.
        let counts = |node: &&Node<'_>| !is_signature(node);
        self.attachments.iter().any(counts)
            || !self.inline.is_empty() && !self.blocks.iter().any(Block::has_html)
    }

    /// The blocks of a part; what is not text is filed under `inline` or `attachments`.
    fn place(&mut self, node: &'n Node<'a>) -> Vec<Block<'n, 'a>> {
        match &node.content {
            Content::Multipart(children) if node.subtype == "alternative" => {
                self.place_alternative(children)
            }
            Content::Multipart(children) if node.subtype == "related" => {
                self.place_related(node, children)
            }
            Content::Multipart(children) => {
                children.iter().flat_map(|child| self.place(child)).collect()
            }
            Content::Leaf | Content::Message(_) => self.place_leaf(node).into_iter().collect(),
        }
    }

    fn place_leaf(&mut self, node: &'n Node<'a>) -> Option<Block<'n, 'a>> {
        let shown = !node.is_attachment() && node.file_name().is_none();
        if shown && node.is("text", "html") {
            return Some(Block::Html(node));
        }
        if shown && (node.is("text", "plain") || node.is("text", "enriched")) {
            return Some(Block::Text(node));
        }
        if node.kind == "image" && !node.is_attachment() && node.content_id().is_some() {
            self.inline.push(node);
        } else if node.kind != "multipart" || !node.body.trim_ascii().is_empty() {
            self.attachments.push(node);
        }
        None
    }

    fn place_alternative(&mut self, children: &'n [Node<'a>]) -> Vec<Block<'n, 'a>> {
        let (mut html, mut text) = (Vec::new(), Vec::new());
        for child in children {
            // What only some clients understand, with HTML beside it, is no attachment.
            if matches!(child.subtype.as_str(), "x-amp-html" | "watch-html") {
                continue;
            }
            // The last one is the richest.
            let blocks = self.place(child);
            if blocks.iter().any(Block::has_html) {
                html = blocks;
            } else if !blocks.is_empty() {
                text = blocks;
            }
        }
        match (html.is_empty(), text.is_empty()) {
            (false, false) => vec![Block::Alternative { html, text }],
            (false, true) => html,
            _ => text,
        }
    }

    fn place_related(
        &mut self,
        node: &'n Node<'a>,
        children: &'n [Node<'a>],
    ) -> Vec<Block<'n, 'a>> {
        let start = node.parameter("start").map(|id| id.trim_matches(['<', '>', ' ']));
        let root = children
            .iter()
            .position(|child| start.is_some() && child.content_id().as_deref() == start)
            .unwrap_or(0);
        let mut blocks = Vec::new();
        for (index, child) in children.iter().enumerate() {
            if index == root {
                blocks = self.place(child);
            } else if child.kind == "image" && child.content_id().is_some() {
                self.inline.push(child);
            } else if let Content::Multipart(_) = child.content {
                blocks.extend(self.place(child));
            } else {
                self.attachments.push(child);
            }
        }
        blocks
    }
}

impl Block<'_, '_> {
    fn has_html(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Html(_) => true,
            Self::Alternative { html, .. } => html.iter().any(Self::has_html),
        }
    }
}

fn is_signature(node: &Node<'_>) -> bool {
    matches!(
        node.subtype.as_str(),
        "pgp-signature" | "pkcs7-signature" | "x-pkcs7-signature" | "pgp-keys"
    )
}
