//! YAML, and with it JSON.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Entry, FileValue, MAX_DEPTH, SyntaxError, join};
use crate::kind::Raw;

/// Most nodes of a file, aliases counted at each use, so that a short file cannot grow without bound.
const MAX_NODES: usize = 100_000;

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    let mut loader = Loader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let root = loader.document()?;
    let mut entries = Vec::new();
    match root.map(|root| (root.line, root.content)) {
        None | Some((_, Content::Null)) => {}
        Some((_, Content::Map(pairs))) => flatten(pairs, "", &mut entries),
        Some((line, _)) => return Err(SyntaxError { line, message: "wants keys and values".to_owned() }),
    }
    Ok(entries)
}

#[derive(Clone)]
struct Node {
    line: usize,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Null,
    Scalar { text: String, bare: bool },
    List(Vec<Node>),
    Map(Vec<(String, usize, Node)>),
}

struct Loader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Loader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), SyntaxError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(SyntaxError::from(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The one document of the file; `None` if the file is empty.
    fn document(&mut self) -> Result<Option<Node>, SyntaxError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(SyntaxError { line: span.start.line(), message: "holds a second document".to_owned() });
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, SyntaxError> {
        let line = span.start.line();
        self.count(1, line)?;
        if depth > MAX_DEPTH {
            return Err(SyntaxError { line, message: "nested too deeply".to_owned() });
        }
        let (anchor, content) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let bare = style == ScalarStyle::Plain && tag.is_none();
                let null = bare && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                (anchor, if null { Content::Null } else { Content::Scalar { text: text.into_owned(), bare } })
            }
            Event::SequenceStart(anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.map(depth)?),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| SyntaxError { line, message: "alias without its anchor".to_owned() })?;
                self.count(node.size(), line)?;
                return Ok(node);
            }
            _ => return Err(SyntaxError { line, message: "ends too early".to_owned() }),
        };
        let node = Node { line, content };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Content, SyntaxError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Content::List(items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, SyntaxError> {
        let mut pairs = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Content::Map(pairs));
            }
            let key = self.node(event, span, depth + 1)?;
            let Content::Scalar { text, .. } = key.content else {
                return Err(SyntaxError { line: key.line, message: "a key must be a text".to_owned() });
            };
            if text == "<<" {
                return Err(SyntaxError { line: key.line, message: "merge keys (<<) are not supported".to_owned() });
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            pairs.push((text, key.line, value));
        }
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), SyntaxError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(SyntaxError { line, message: format!("holds more than {MAX_NODES} values") });
        }
        Ok(())
    }
}

impl Node {
    fn size(&self) -> usize {
        match &self.content {
            Content::Null | Content::Scalar { .. } => 1,
            Content::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Content::Map(pairs) => 1 + pairs.iter().map(|(_, _, value)| value.size()).sum::<usize>(),
        }
    }
}

impl From<&ScanError> for SyntaxError {
    fn from(error: &ScanError) -> Self {
        Self { line: error.marker().line(), message: error.info().to_owned() }
    }
}

fn flatten(pairs: Vec<(String, usize, Node)>, parent: &str, entries: &mut Vec<Entry>) {
    for (key, line, node) in pairs {
        let key = join(parent, &key);
        let value = match node.content {
            Content::Map(pairs) if !pairs.is_empty() => {
                flatten(pairs, &key, entries);
                continue;
            }
            Content::Map(_) => FileValue::EmptyGroup,
            Content::Null => FileValue::Null,
            Content::Scalar { text, bare } => FileValue::Raw(Raw::Text { text, bare }),
            Content::List(items) => {
                let texts = items.into_iter().map(|item| match item.content {
                    Content::Scalar { text, .. } => Some(text),
                    _ => None,
                });
                texts.collect::<Option<Vec<_>>>().map_or(FileValue::Nested, |texts| FileValue::Raw(Raw::List(texts)))
            }
        };
        entries.push(Entry { key, line, value });
    }
}
