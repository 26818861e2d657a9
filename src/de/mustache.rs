//! Hints for values that begin with a brace, as tags of templates do, and so are mappings to YAML.

use crate::error::Place;

/// The hint for a value that begins with `{{`.
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

/// The hint for `{name}`, as an f-string has it.
const ONE_BRACE: &str =
    "`{…}` is a mapping to YAML: write a variable in double braces and quotes, \"{{name}}\"";

/// The hint for the value at a place.
pub(super) fn hint_at(place: &Place) -> Option<&'static str> {
    let line = place.source_line.as_deref()?;
    if find(line).is_some() {
        return Some(HINT);
    }
    let (start, _) = line.char_indices().nth(place.column - 1)?;
    let name = line[start..].trim_end().strip_prefix('{')?.strip_suffix('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    is_name.then_some(ONE_BRACE)
}
