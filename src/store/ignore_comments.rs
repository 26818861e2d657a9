//! Comments in files of prompts that hide findings: `# pm: ignore[PM010]`, in YAML or as a comment of a template.

use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

use regex::Regex;

use crate::check::Finding;
use crate::de::yaml::source_text;

/// The comment, with the codes that it names.
static COMMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:(?:^|\s)#|\{\{~?!(?:--)?)\s*pm:\s*ignore(?:\[(?<codes>[^\]]*)\])?").ok()
});

/// A line that is nothing but a comment.
static ALONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\s*(?:#|\{\{~?!)").ok());

/// Removes the findings that a comment on their line, or alone on the line above, hides. Each file is read once.
pub fn hide_ignored(findings: &mut Vec<Finding>) {
    let mut files: HashMap<String, Vec<String>> = HashMap::new();
    findings.retain(|finding| {
        let (Some(file), Some(place)) = (&finding.file, &finding.place) else { return true };
        let lines = files.entry(file.clone()).or_insert_with(|| lines_with_comments(file));
        let line = |number: usize| number.checked_sub(1).and_then(|at| lines.get(at));
        let above = place.line.checked_sub(1).and_then(line).filter(|line| is_alone(line));
        !line(place.line).into_iter().chain(above).any(|line| hides(line, finding))
    });
}

/// The lines of a file; none if it has no such comment or cannot be read.
fn lines_with_comments(file: &str) -> Vec<String> {
    let bytes = fs::read(file).unwrap_or_default();
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("pm:") => source_text(text).lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn is_alone(line: &str) -> bool {
    ALONE.as_ref().is_some_and(|pattern| pattern.is_match(line))
}

/// Whether a comment on a line is about this finding.
fn hides(line: &str, finding: &Finding) -> bool {
    let Some(pattern) = &*COMMENT else { return false };
    pattern.captures_iter(line).any(|comment| {
        comment.name("codes").is_none_or(|codes| {
            let mut codes = codes.as_str().split(',').map(str::trim);
            codes.any(|code| code == finding.code.number() || code == finding.code.as_str())
        })
    })
}
