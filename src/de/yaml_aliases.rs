//! Finds the parts of a YAML text that an alias repeats elsewhere.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, Span};

/// The ranges of the nodes to which an alias refers. A change there changes the aliases too. In a text that is not YAML,
/// those before the mistake.
pub(crate) fn repeated_parts(text: &str) -> Vec<Range<usize>> {
    let mut open = Vec::new();
    let mut anchored: HashMap<usize, Range<usize>> = HashMap::new();
    let mut repeated = Vec::new();
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        match event {
            Event::Scalar(_, _, anchor, _) => {
                anchored.insert(anchor, range(&span));
            }
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                open.push((anchor, range(&span).start));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((anchor, start)) = open.pop() {
                    anchored.insert(anchor, start..range(&span).end);
                }
            }
            Event::Alias(anchor) => repeated.extend(anchored.get(&anchor).cloned()),
            _ => {}
        }
    }
    repeated
}

fn range(span: &Span) -> Range<usize> {
    let start = span.start.byte_offset().unwrap_or_default();
    start..span.end.byte_offset().unwrap_or(start)
}
