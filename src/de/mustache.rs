//! The hint for a value that begins with `{{` and so is a mapping to YAML.

use crate::error::Place;

/// The hint.
pub(super) const HINT: &str = "a value that begins with `{{` is a mapping to YAML: write it in quotes, \"{{name}}\", or as a \
                               block with `|`";

/// The offset in a line at which an unquoted value begins with two braces.
pub(super) fn find(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let item = if line[indent..].starts_with("- ") { indent + 2 } else { indent };
    let values = line.match_indices(": ").map(|(offset, _)| offset + 2);
    std::iter::once(item).chain(values).find_map(|start| {
        let value = line[start..].trim_start();
        value.starts_with("{{").then(|| line.len() - value.len())
    })
}

/// Whether the line of a place has such a value.
pub(super) fn is_in_line_of(place: &Place) -> bool {
    find(place.source_line.as_deref().unwrap_or_default()).is_some()
}
